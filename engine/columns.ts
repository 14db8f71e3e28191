/**
 * Columns of JavaScript values into DuckDB's vectors.
 *
 * Promise: typed arrays and bytes go there as they are: no object, bigint or copy in JavaScript for each value.
 * Source: DuckDB C API, "Vectors" (a column's data lies in one array, its nulls in a bit mask).
 */
import {
  blobValue,
  DuckDBMapValue,
  DuckDBTimestampTZValue,
  DuckDBTypeId,
  listValue,
  structValue,
  type DuckDBDataChunk,
  type DuckDBType,
  type DuckDBValue,
} from '@duckdb/node-api';
import duckdb, { type Vector } from '@duckdb/node-bindings';
import { SluiceError } from '../core/errors.ts';
import { CHUNK_ROWS, Nulls, vectorOf } from './vectors.ts';
import type { Value } from './values.ts';

/** Values of one column; an array may be longer than the rows that are appended, and an empty one is all null. */
export type ColumnData = readonly Value[] | Int32Array<ArrayBuffer> | Float64Array<ArrayBuffer>;

/** Writes the first `rows` values of a column into a chunk; there are at most 2,048. */
export type ColumnWriter = (chunk: DuckDBDataChunk, column: number, data: ColumnData, rows: number) => void;

export function writerFor(type: DuckDBType): ColumnWriter {
  if (type.typeId === DuckDBTypeId.BLOB) {
    return (chunk, column, data, rows) => {
      writeBytes(vectorOf(chunk, column), data as readonly (Uint8Array | null)[], rows);
    };
  }
  if (type.typeId === DuckDBTypeId.VARCHAR) {
    return (chunk, column, data, rows) => {
      writeText(vectorOf(chunk, column), data as readonly (string | null)[], rows);
    };
  }
  const convert = converterFor(type);
  return (chunk, column, data, rows) => {
    if (data.length === 0) Nulls.all(rows).write(vectorOf(chunk, column));
    else if (data instanceof Int32Array) writeInt32(vectorOf(chunk, column), type, data, rows);
    else if (data instanceof Float64Array) writeInt64(vectorOf(chunk, column), type, data, rows);
    else chunk.setColumnValues(column, converted(data, rows, convert));
  };
}

function writeBytes(vector: Vector, data: readonly (Uint8Array | null | undefined)[], rows: number): void {
  let nulls: Nulls | undefined;
  for (let row = 0; row < rows; row++) {
    const bytes = data[row];
    if (bytes === null || bytes === undefined) (nulls ??= new Nulls(rows)).add(row);
    else duckdb.vector_assign_string_element_len(vector, row, bytes);
  }
  nulls?.write(vector);
}

function writeText(vector: Vector, data: readonly (string | null | undefined)[], rows: number): void {
  let nulls: Nulls | undefined;
  for (let row = 0; row < rows; row++) {
    const text = data[row];
    if (text === null || text === undefined) (nulls ??= new Nulls(rows)).add(row);
    else duckdb.vector_assign_string_element(vector, row, text);
  }
  nulls?.write(vector);
}

function writeInt32(vector: Vector, type: DuckDBType, data: Int32Array<ArrayBuffer>, rows: number): void {
  if (type.typeId !== DuckDBTypeId.INTEGER) throw new SluiceError('INTERNAL', `Int32Array into ${type.toString()}`);
  duckdb.copy_data_to_vector(vector, 0, data.buffer, data.byteOffset, rows * 4);
}

/** Filled and copied within one call: one for each call would be garbage as large as the column. */
const halves = new Int32Array(CHUNK_ROWS * 2);

/** 64-bit integers in two halves, little endian as DuckDB keeps them on every machine that it runs on. */
function writeInt64(vector: Vector, type: DuckDBType, data: Float64Array, rows: number): void {
  if (type.typeId !== DuckDBTypeId.BIGINT && type.typeId !== DuckDBTypeId.TIMESTAMP_TZ)
    throw new SluiceError('INTERNAL', `Float64Array into ${type.toString()}`);
  let nulls: Nulls | undefined;
  for (let row = 0; row < rows; row++) {
    const value = data[row] ?? Number.NaN;
    if (Number.isNaN(value)) (nulls ??= new Nulls(rows)).add(row);
    halves[row * 2] = value % 2 ** 32;
    halves[row * 2 + 1] = Math.floor(value / 2 ** 32);
  }
  duckdb.copy_data_to_vector(vector, 0, halves.buffer, 0, rows * 8);
  nulls?.write(vector);
}

function converted(data: readonly Value[], rows: number, convert: (value: Value) => DuckDBValue): DuckDBValue[] {
  const values = new Array<DuckDBValue>(rows);
  for (let row = 0; row < rows; row++) values[row] = orNull(data[row], convert);
  return values;
}

function orNull(value: Value | undefined, convert: (value: Value) => DuckDBValue): DuckDBValue {
  return value === null || value === undefined ? null : convert(value);
}

function converterFor(type: DuckDBType): (value: Value) => DuckDBValue {
  switch (type.typeId) {
    case DuckDBTypeId.BLOB:
      return (value) => blobValue(value as Uint8Array);
    case DuckDBTypeId.TIMESTAMP_TZ:
      return (value) => new DuckDBTimestampTZValue(value as bigint);
    case DuckDBTypeId.LIST: {
      const item = converterFor(type.valueType);
      return (value) => listValue((value as readonly Value[]).map((entry) => orNull(entry, item)));
    }
    case DuckDBTypeId.STRUCT: {
      const fields = type.entryNames.map((name, i) => ({ name, convert: converterFor(type.entryTypes[i] ?? type) }));
      return (value) => {
        const given = value as { readonly [key: string]: Value };
        return structValue(Object.fromEntries(fields.map(({ name, convert }) => [name, orNull(given[name], convert)])));
      };
    }
    case DuckDBTypeId.MAP: {
      const key = converterFor(type.keyType);
      const item = converterFor(type.valueType);
      return (value) =>
        new DuckDBMapValue(
          (value as readonly { key: Value; value: Value }[]).map((entry) => ({
            key: key(entry.key),
            value: orNull(entry.value, item),
          })),
        );
    }
    default:
      return (value) => value as DuckDBValue;
  }
}
