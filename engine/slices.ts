/**
 * Texts and bytes that lie in larger bytes, as they came over a network. The larger bytes are copied into DuckDB once, and each
 * value is a place in the copy: one call for thousands of values, where a call for each costs more than everything else that
 * is done with them.
 *
 * Promise: no value reaches outside of the bytes it was said to lie in; a place that would is an error.
 * Source: DuckDB C API, `duckdb_string_t`: 16 bytes with the length, then up to 12 bytes in place, or a prefix of 4 and the
 * address. Integers and addresses are little endian on every machine that DuckDB runs on.
 */
import duckdb, { type Vector } from '@duckdb/node-bindings';
import { SluiceError } from '../core/errors.ts';
import { CHUNK_ROWS, Nulls } from './vectors.ts';

/** Where the values of a column lie. */
export interface Slices {
  readonly starts: Int32Array;
  /** -1 is null. */
  readonly lengths: Int32Array;
}

/** Words of 4 bytes in a string. */
const WORDS = 4;
const INLINE_BYTES = 12;

/** Filled and copied within one call. */
const words = new Int32Array(CHUNK_ROWS * WORDS);
const wordBytes = new Uint8Array(words.buffer);

/**
 * Writes the first `rows` values into a vector of type BLOB or, if they are UTF-8, VARCHAR.
 * @throws SluiceError `INTERNAL` for a value outside of `bytes`
 */
export function writeSlices(vector: Vector, bytes: Uint8Array, { starts, lengths }: Slices, rows: number): void {
  const { low, high } = copied(vector, bytes);
  let nulls: Nulls | undefined;
  for (let row = 0; row < rows; row++) {
    const start = starts[row] ?? -1;
    const length = lengths[row] ?? -1;
    const word = row * WORDS;
    words[word] = Math.max(0, length);
    if (length < 0) (nulls ??= new Nulls(rows)).add(row);
    else if (start < 0 || start + length > bytes.length)
      throw new SluiceError('INTERNAL', 'a value lies outside of its bytes');
    if (length <= INLINE_BYTES) {
      words[word + 1] = words[word + 2] = words[word + 3] = 0;
      const to = word * 4 + 4;
      for (let at = 0; at < length; at++) wordBytes[to + at] = bytes[start + at] ?? 0;
    } else {
      words[word + 1] = prefix(bytes, start);
      const at = low + start;
      words[word + 2] = at;
      words[word + 3] = at >= 2 ** 32 ? high + 1 : high;
    }
  }
  duckdb.copy_data_to_vector(vector, 0, words.buffer, 0, rows * WORDS * 4);
  nulls?.write(vector);
}

/** Copies bytes into memory that lives as long as the vector; gives their address, or nothing if none can be needed. */
function copied(vector: Vector, bytes: Uint8Array): { readonly low: number; readonly high: number } {
  if (bytes.length <= INLINE_BYTES) return { low: 0, high: 0 };
  duckdb.vector_assign_string_element_len(vector, 0, bytes);
  const string = duckdb.vector_get_data(vector, WORDS * 4);
  const view = new DataView(string.buffer, string.byteOffset, WORDS * 4);
  return { low: view.getUint32(8, true), high: view.getUint32(12, true) };
}

/** The first four bytes, as they would lie in memory. */
function prefix(bytes: Uint8Array, at: number): number {
  return (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16) | ((bytes[at + 3] ?? 0) << 24);
}
