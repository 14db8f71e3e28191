/** The parts of a DuckDB vector that are written as bytes. Source: DuckDB C API, "Vectors". */
import type { DuckDBDataChunk } from '@duckdb/node-api';
import duckdb, { type Vector } from '@duckdb/node-bindings';

/** Rows in a chunk: DuckDB's vector size. */
export const CHUNK_ROWS = 2048;

export function vectorOf(chunk: DuckDBDataChunk, column: number): Vector {
  return duckdb.data_chunk_get_vector(chunk.chunk, column);
}

/** DuckDB's mask of a vector: one bit for each row, 1 for a value and 0 for null, in words of 64. */
export class Nulls {
  readonly #valid: Uint8Array<ArrayBuffer>;

  constructor(rows: number) {
    this.#valid = new Uint8Array(Math.ceil(rows / 64) * 8).fill(0xff);
  }

  static all(rows: number): Nulls {
    const nulls = new Nulls(rows);
    nulls.#valid.fill(0);
    return nulls;
  }

  add(row: number): void {
    const byte = row >> 3;
    this.#valid[byte] = (this.#valid[byte] ?? 0) & ~(1 << (row & 7));
  }

  write(vector: Vector): void {
    duckdb.vector_ensure_validity_writable(vector);
    duckdb.copy_data_to_vector_validity(vector, 0, this.#valid.buffer, 0, this.#valid.byteLength);
  }
}
