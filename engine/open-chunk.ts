/**
 * A chunk of rows whose texts and bytes lie in larger bytes, as they came over a network: the bytes are copied into DuckDB
 * once, and each value is a place in the copy. One call for hundreds of values, where a call for each costs more than
 * everything else that is done with them.
 *
 * Promise: no value reaches outside of the bytes it was said to lie in; a place that would is an error.
 * Source: DuckDB C API, `duckdb_string_t`: 16 bytes with the length, then up to 12 bytes in place, or a prefix of 4 and the
 * address. Integers and addresses are little endian on every machine that DuckDB runs on.
 */
import { DuckDBDataChunk, type DuckDBType } from '@duckdb/node-api';
import duckdb, { type Vector } from '@duckdb/node-bindings';
import { SluiceError } from '../core/errors.ts';
import { CHUNK_ROWS, Nulls, vectorOf } from './vectors.ts';

/** Where the values of a BLOB or VARCHAR column lie. */
export interface Slices {
  readonly column: number;
  /** Where each value starts. */
  readonly starts: Int32Array;
  /** How long it is; -1 is null. */
  readonly lengths: Int32Array;
}

/** Words of 4 bytes in a string. */
const WORDS = 4;
const INLINE_BYTES = 12;

interface Strings {
  readonly words: Int32Array<ArrayBuffer>;
  readonly bytes: Uint8Array;
  nulls: Nulls | undefined;
}

/** Room for 2,048 rows. */
export class OpenChunk {
  readonly #types: readonly DuckDBType[];
  readonly #strings = new Map<number, Strings>();
  #chunk: DuckDBDataChunk;

  constructor(types: readonly DuckDBType[]) {
    this.#types = types;
    this.#chunk = DuckDBDataChunk.create(types, CHUNK_ROWS);
  }

  get chunk(): DuckDBDataChunk {
    return this.#chunk;
  }

  /**
   * Sets `rows` values of some columns, from `row` on. All of them lie in `bytes`, which may change afterwards.
   * @throws SluiceError `INTERNAL` for a place outside of `bytes`
   */
  setSlices(row: number, rows: number, bytes: Uint8Array, columns: readonly Slices[]): void {
    const address = this.#copied(bytes, columns[0]?.column ?? 0);
    for (const slices of columns) writeStrings(this.#stringsOf(slices.column), row, rows, bytes, address, slices);
  }

  /** Everything that was set goes into the chunk. */
  writeSlices(rows: number): void {
    for (const [column, { words, nulls }] of this.#strings) {
      const vector = vectorOf(this.#chunk, column);
      duckdb.copy_data_to_vector(vector, 0, words.buffer, 0, rows * WORDS * 4);
      nulls?.write(vector);
    }
  }

  /** Begins anew. */
  reset(): void {
    this.#chunk = DuckDBDataChunk.create(this.#types, CHUNK_ROWS);
    for (const strings of this.#strings.values()) strings.nulls = undefined;
  }

  #stringsOf(column: number): Strings {
    let strings = this.#strings.get(column);
    if (strings === undefined) {
      const words = new Int32Array(CHUNK_ROWS * WORDS);
      strings = { words, bytes: new Uint8Array(words.buffer), nulls: undefined };
      this.#strings.set(column, strings);
    }
    return strings;
  }

  /** Copies bytes into memory that lives as long as the chunk; gives their address, or nothing if none can be needed. */
  #copied(bytes: Uint8Array, column: number): Address {
    if (bytes.length <= INLINE_BYTES) return { low: 0, high: 0 };
    const vector: Vector = vectorOf(this.#chunk, column);
    duckdb.vector_assign_string_element_len(vector, 0, bytes);
    const string = duckdb.vector_get_data(vector, WORDS * 4);
    const view = new DataView(string.buffer, string.byteOffset, WORDS * 4);
    return { low: view.getUint32(8, true), high: view.getUint32(12, true) };
  }
}

interface Address {
  readonly low: number;
  readonly high: number;
}

function writeStrings(
  target: Strings,
  row: number,
  rows: number,
  bytes: Uint8Array,
  { low, high }: Address,
  { column, starts, lengths }: Slices,
): void {
  const { words } = target;
  for (let i = 0; i < rows; i++) {
    const start = starts[i] ?? -1;
    const length = lengths[i] ?? -1;
    const word = (row + i) * WORDS;
    if (length < 0) {
      words[word] = words[word + 1] = words[word + 2] = words[word + 3] = 0;
      (target.nulls ??= new Nulls(CHUNK_ROWS)).add(row + i);
      continue;
    }
    if (start < 0 || start + length > bytes.length)
      throw new SluiceError('INTERNAL', `a value of column ${String(column)} lies outside of its bytes`);
    words[word] = length;
    if (length <= INLINE_BYTES) {
      words[word + 1] = words[word + 2] = words[word + 3] = 0;
      const to = word * 4 + 4;
      for (let at = 0; at < length; at++) target.bytes[to + at] = bytes[start + at] ?? 0;
    } else {
      words[word + 1] = prefix(bytes, start);
      const at = low + start;
      words[word + 2] = at;
      words[word + 3] = at >= 2 ** 32 ? high + 1 : high;
    }
  }
}

/** The first four bytes, as they would lie in memory. */
function prefix(bytes: Uint8Array, at: number): number {
  return (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16) | ((bytes[at + 3] ?? 0) << 24);
}
