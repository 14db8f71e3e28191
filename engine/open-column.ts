/**
 * One column of a chunk that is being filled, its values as they lie in DuckDB's memory: no object for any of them.
 *
 * Promise: a row that was not set is null. Nothing checks that a value is of the column's type: that is the caller's part.
 * Source: DuckDB C API, "Vectors": DATE is days, TIMESTAMP microseconds since the epoch, DECIMAL an integer without its
 * point; little endian on every machine that DuckDB runs on.
 */
import { DuckDBTypeId, type DuckDBDataChunk, type DuckDBType } from '@duckdb/node-api';
import duckdb from '@duckdb/node-bindings';
import { SluiceError } from '../core/errors.ts';
import type { Value } from './values.ts';
import { CHUNK_ROWS, Nulls, vectorOf } from './vectors.ts';

/** Bytes of a `duckdb_string_t`: the length, then up to 12 bytes in place, or a prefix of 4 and the address. */
const STRING_BYTES = 16;
const INLINE_BYTES = 12;
const NULL = -1;

export class OpenColumn {
  /** `values`: of a type that has no place here; its values are objects. */
  readonly kind: 'text' | 'fixed' | 'values';
  /** Of kind `values`. Empty: all null. */
  values: Value[] = [];
  readonly #width: number;
  readonly #bytes: Uint8Array<ArrayBuffer>;
  readonly #int32: Int32Array<ArrayBuffer>;
  readonly #float64: Float64Array<ArrayBuffer>;
  readonly #starts: Int32Array;
  /** -1 is null. */
  readonly #lengths = new Int32Array(CHUNK_ROWS).fill(NULL);

  constructor(type: DuckDBType) {
    this.#width = widthOf(type);
    this.kind = this.#width === STRING_BYTES ? 'text' : this.#width === 0 ? 'values' : 'fixed';
    const memory = new ArrayBuffer(CHUNK_ROWS * this.#width);
    this.#bytes = new Uint8Array(memory);
    this.#int32 = new Int32Array(memory, 0, memory.byteLength >> 2);
    this.#float64 = new Float64Array(memory, 0, memory.byteLength >> 3);
    this.#starts = new Int32Array(this.kind === 'text' ? CHUNK_ROWS : 0);
  }

  setNull(row: number): void {
    this.#lengths[row] = NULL;
  }

  /** BLOB and VARCHAR, which must be UTF-8: a place in bytes that `OpenChunk.copySlices` is given afterwards; -1 is null. */
  setSlice(row: number, start: number, length: number): void {
    this.#starts[row] = start;
    this.#lengths[row] = length;
  }

  /** INTEGER and DATE. */
  setInt32(row: number, value: number): void {
    this.#int32[row] = value;
    this.#lengths[row] = 0;
  }

  /** BIGINT, TIMESTAMP, TIMESTAMPTZ and DECIMAL of 10 to 18 digits. @param value a whole number between -2^53 and 2^53 */
  setInt64(row: number, value: number): void {
    this.#int32[row * 2] = value;
    this.#int32[row * 2 + 1] = Math.floor(value / 2 ** 32);
    this.#lengths[row] = 0;
  }

  /** As `setInt64`, with all 64 bits. */
  setBigInt64(row: number, value: bigint): void {
    this.#int32[row * 2] = Number(BigInt.asIntN(32, value));
    this.#int32[row * 2 + 1] = Number(BigInt.asIntN(32, value >> 32n));
    this.#lengths[row] = 0;
  }

  setDouble(row: number, value: number): void {
    this.#float64[row] = value;
    this.#lengths[row] = 0;
  }

  setBoolean(row: number, value: boolean): void {
    this.#bytes[row] = value ? 1 : 0;
    this.#lengths[row] = 0;
  }

  /**
   * Makes strings of slices.
   * @param bytes what the slices lie in; `address` is where its byte `base` was copied to
   * @throws SluiceError `INTERNAL` for a slice outside of it
   */
  writeStrings(row: number, rows: number, bytes: Uint8Array, base: number, address: Address): void {
    const words = this.#int32;
    for (let at = row; at < row + rows; at++) {
      const start = this.#starts[at] ?? 0;
      const length = this.#lengths[at] ?? NULL;
      const word = at * (STRING_BYTES / 4);
      if (length < 0) {
        words[word] = words[word + 1] = words[word + 2] = words[word + 3] = 0;
        continue;
      }
      if (start < base || start + length > bytes.length)
        throw new SluiceError('INTERNAL', 'a value lies outside of its bytes');
      words[word] = length;
      if (length <= INLINE_BYTES) {
        words[word + 1] = words[word + 2] = words[word + 3] = 0;
        const to = word * 4 + 4;
        for (let i = 0; i < length; i++) this.#bytes[to + i] = bytes[start + i] ?? 0;
      } else {
        words[word + 1] = prefix(bytes, start);
        const low = address.low + (start - base);
        words[word + 2] = low;
        words[word + 3] = low >= 2 ** 32 ? address.high + 1 : address.high;
      }
    }
  }

  /** Of kind `text` and `fixed`: everything that was set goes into the column of the chunk. */
  write(chunk: DuckDBDataChunk, column: number, rows: number): void {
    const vector = vectorOf(chunk, column);
    duckdb.copy_data_to_vector(vector, 0, this.#bytes.buffer, 0, rows * this.#width);
    let nulls: Nulls | undefined;
    for (let row = 0; row < rows; row++) if (this.#lengths[row] === NULL) (nulls ??= new Nulls(rows)).add(row);
    nulls?.write(vector);
  }

  /** All rows are null again. */
  reset(): void {
    this.#lengths.fill(NULL);
    this.values = [];
  }
}

/** Where something lies in memory. */
export interface Address {
  readonly low: number;
  readonly high: number;
}

/** Texts that are no longer than this lie in the string itself. */
export function liesInline(length: number): boolean {
  return length <= INLINE_BYTES;
}

/** Bytes of a value; 0 for a type that has no place in a column of this kind. */
function widthOf(type: DuckDBType): number {
  switch (type.typeId) {
    case DuckDBTypeId.VARCHAR:
    case DuckDBTypeId.BLOB:
      return STRING_BYTES;
    case DuckDBTypeId.BIGINT:
    case DuckDBTypeId.TIMESTAMP:
    case DuckDBTypeId.TIMESTAMP_TZ:
    case DuckDBTypeId.DOUBLE:
      return 8;
    case DuckDBTypeId.DECIMAL:
      return type.width > 9 && type.width <= 18 ? 8 : 0;
    case DuckDBTypeId.INTEGER:
    case DuckDBTypeId.DATE:
      return 4;
    case DuckDBTypeId.BOOLEAN:
      return 1;
    default:
      return 0;
  }
}

/** The first four bytes, as they would lie in memory. */
function prefix(bytes: Uint8Array, at: number): number {
  return (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16) | ((bytes[at + 3] ?? 0) << 24);
}
