/**
 * Rows into a DuckDB table as columns.
 *
 * Promise: rows become visible to other sessions with `flush`, all of them or (after an error) none.
 */
import { DuckDBDataChunk, type DuckDBAppender, type DuckDBType } from '@duckdb/node-api';
import { SluiceError } from '../core/errors.ts';
import { writerFor, type ColumnData, type ColumnWriter } from './columns.ts';
import { engineError } from './errors.ts';
import { CHUNK_ROWS } from './vectors.ts';

export class ColumnAppender {
  readonly #appender: DuckDBAppender;
  readonly #types: readonly DuckDBType[];
  readonly #writers: readonly ColumnWriter[];

  constructor(appender: DuckDBAppender) {
    this.#appender = appender;
    this.#types = Array.from({ length: appender.columnCount }, (_, i) => appender.columnType(i));
    this.#writers = this.#types.map(writerFor);
  }

  /**
   * Appends up to 2,048 rows, given as one array per column. BIGINT takes `bigint`, TIMESTAMPTZ microseconds since the epoch
   * as `bigint`, BLOB `Uint8Array`, MAP an array of `{key, value}`. Faster: INTEGER as `Int32Array`, BIGINT and TIMESTAMPTZ
   * as `Float64Array` of whole numbers below 2^53 (NaN is null).
   */
  append(columns: readonly ColumnData[], rows: number): void {
    if (rows === 0) return;
    if (rows > CHUNK_ROWS)
      throw new SluiceError('INTERNAL', `a chunk holds ${String(CHUNK_ROWS)} rows, not ${String(rows)}`);
    try {
      const chunk = DuckDBDataChunk.create(this.#types, rows);
      for (const [i, write] of this.#writers.entries()) write(chunk, i, columns[i] ?? [], rows);
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
