/**
 * A chunk of rows that is being filled, column by column. Its texts and bytes lie in larger bytes, as they came over a
 * network: these are copied into DuckDB once, and each value is a place in the copy. One call for hundreds of values, where a
 * call for each costs more than everything else that is done with them.
 *
 * Promise: no value reaches outside of the bytes it was said to lie in; a place that would is an error.
 */
import { DuckDBDataChunk, DuckDBTypeId, type DuckDBType } from '@duckdb/node-api';
import duckdb from '@duckdb/node-bindings';
import { liesInline, OpenColumn, type Address } from './open-column.ts';
import { CHUNK_ROWS, vectorOf } from './vectors.ts';

/** Room for 2,048 rows. */
export class OpenChunk {
  readonly columns: readonly OpenColumn[];
  readonly #types: readonly DuckDBType[];
  readonly #texts: readonly OpenColumn[];
  /** A column that bytes can be put behind: a BLOB, since a VARCHAR may be looked at to be UTF-8. */
  readonly #anyText: number;
  #chunk: DuckDBDataChunk;

  constructor(types: readonly DuckDBType[]) {
    this.#types = types;
    this.columns = types.map((type) => new OpenColumn(type));
    this.#texts = this.columns.filter(({ kind }) => kind === 'text');
    const blob = types.findIndex(({ typeId }) => typeId === DuckDBTypeId.BLOB);
    this.#anyText = blob < 0 ? this.columns.findIndex(({ kind }) => kind === 'text') : blob;
    this.#chunk = DuckDBDataChunk.create(types, CHUNK_ROWS);
  }

  /**
   * Makes values of the slices that were set in `rows` rows from `row` on, in all columns.
   * @param bytes what they lie in, from `base` on; it may change afterwards
   * @throws SluiceError `INTERNAL` for a slice outside of it
   */
  copySlices(row: number, rows: number, bytes: Uint8Array, base = 0): void {
    const address = this.#copied(bytes, base);
    for (const column of this.#texts) column.writeStrings(row, rows, bytes, base, address);
  }

  /** What was set, as DuckDB takes it; columns of kind `values` are left to the caller. */
  written(rows: number): DuckDBDataChunk {
    const chunk = this.#chunk;
    chunk.rowCount = rows;
    for (const [i, column] of this.columns.entries()) if (column.kind !== 'values') column.write(chunk, i, rows);
    return chunk;
  }

  /** Begins anew. */
  reset(): void {
    this.#chunk = DuckDBDataChunk.create(this.#types, CHUNK_ROWS);
    for (const column of this.columns) column.reset();
  }

  /** Copies bytes into memory that lives as long as the chunk; gives their address, or nothing if none can be needed. */
  #copied(bytes: Uint8Array, base: number): Address {
    if (this.#anyText < 0 || liesInline(bytes.length - base)) return { low: 0, high: 0 };
    const vector = vectorOf(this.#chunk, this.#anyText);
    duckdb.vector_assign_string_element_len(vector, 0, bytes.subarray(base));
    const string = duckdb.vector_get_data(vector, 16);
    const view = new DataView(string.buffer, string.byteOffset, 16);
    return { low: view.getUint32(8, true), high: view.getUint32(12, true) };
  }
}
