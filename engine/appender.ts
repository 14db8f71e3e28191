/**
 * Rows into a DuckDB table as columns, the fastest road that DuckDB has for values made in JavaScript.
 *
 * Promise: rows become visible to other sessions with `flush`, all of them or (after an error) none.
 */
import {
  blobValue,
  DuckDBDataChunk,
  DuckDBMapValue,
  DuckDBTimestampTZValue,
  DuckDBTypeId,
  type DuckDBAppender,
  type DuckDBType,
  type DuckDBValue,
} from '@duckdb/node-api';
import { SluiceError } from '../core/errors.ts';
import { engineError } from './errors.ts';
import type { Value } from './values.ts';

/** Rows in a chunk: DuckDB's vector size. */
export const CHUNK_ROWS = 2048;

export class ColumnAppender {
  readonly #appender: DuckDBAppender;
  readonly #types: readonly DuckDBType[];
  readonly #converters: readonly ((value: Value) => DuckDBValue)[];

  constructor(appender: DuckDBAppender) {
    this.#appender = appender;
    this.#types = Array.from({ length: appender.columnCount }, (_, i) => appender.columnType(i));
    this.#converters = this.#types.map(converterFor);
  }

  /**
   * Appends up to 2,048 rows, given as one array per column. BIGINT takes `bigint`, TIMESTAMPTZ microseconds since the epoch
   * as `bigint`, BLOB `Uint8Array`, MAP an array of `{key, value}`.
   */
  append(columns: readonly (readonly Value[])[], rows: number): void {
    if (rows === 0) return;
    if (rows > CHUNK_ROWS)
      throw new SluiceError('INTERNAL', `a chunk holds ${String(CHUNK_ROWS)} rows, not ${String(rows)}`);
    try {
      const chunk = DuckDBDataChunk.create(this.#types, rows);
      for (const [i, convert] of this.#converters.entries()) {
        const column = columns[i] ?? [];
        const values = new Array<DuckDBValue>(rows);
        for (let row = 0; row < rows; row++) {
          const value = column[row];
          values[row] = value === null || value === undefined ? null : convert(value);
        }
        chunk.setColumnValues(i, values);
      }
      this.#appender.appendDataChunk(chunk);
    } catch (error) {
      throw engineError(error, '');
    }
  }

  flush(): void {
    try {
      this.#appender.flushSync();
    } catch (error) {
      throw engineError(error, '');
    }
  }

  close(): void {
    this.#appender.closeSync();
  }
}

function converterFor(type: DuckDBType): (value: Value) => DuckDBValue {
  switch (type.typeId) {
    case DuckDBTypeId.BLOB:
      return (value) => blobValue(value as Uint8Array);
    case DuckDBTypeId.TIMESTAMP_TZ:
      return (value) => new DuckDBTimestampTZValue(value as bigint);
    case DuckDBTypeId.MAP: {
      const key = converterFor(type.keyType);
      const item = converterFor(type.valueType);
      return (value) =>
        new DuckDBMapValue(
          (value as readonly { key: Value; value: Value }[]).map((entry) => ({
            key: key(entry.key),
            value: entry.value === null ? null : item(entry.value),
          })),
        );
    }
    default:
      return (value) => value as DuckDBValue;
  }
}
