/**
 * Rows that lie in JavaScript, as a relation: a table function that DuckDB calls for 2,048 rows at a time while a query runs.
 * Rows that are read once need no table: appending to one copies each value twice and counts its distinct values.
 *
 * Promise: a relation may be read by any number of queries, also at once, and gives the same rows each time, with their
 * place as `rowid`. Once it was released, a query that still reads it fails: never other rows.
 * DuckDB calls from its own threads and waits for the event loop, so nothing synchronous may wait for a query over such a
 * relation: neither closing its connection nor ending the process (`Engine.abandonAll`). Source: DuckDB C API, "Table Functions".
 */
import {
  BIGINT,
  DuckDBTableFunction,
  type DuckDBConnection,
  type DuckDBDataChunk,
  type DuckDBTableFunctionBindInfo,
  type DuckDBTableFunctionInfo,
  type DuckDBTableFunctionInitInfo,
} from '@duckdb/node-api';
import { messageOf, SluiceError } from '../core/errors.ts';
import type { Field } from '../core/schema.ts';
import { writerFor, type ColumnData, type ColumnWriter } from './columns.ts';
import { writeSlices, type Slices } from './slices.ts';
import { duckdbTypeOf } from './types.ts';
import { vectorOf } from './vectors.ts';

const NAME = 'sluice_rows';
/** DuckDB takes no more threads than it has. */
const THREADS_MOST = 64;

/** Up to 2,048 rows. They must not change until the relation is released. */
export interface RowChunk {
  readonly rows: number;
  /** Of a field, by its place; asked for when a query wants it. */
  column(place: number): ColumnData | Slices;
  /** What slices lie in. */
  readonly bytes: Uint8Array;
}

export interface RowSet {
  readonly fields: readonly Field[];
  readonly chunks: readonly RowChunk[];
}

export interface RowRelation {
  /** For FROM. */
  readonly relation: string;
  readonly release: () => void;
}

interface Exposed {
  readonly set: RowSet;
  readonly writers: readonly ColumnWriter[];
  /** The place of each chunk's first row. */
  readonly firstRows: readonly number[];
  readonly rows: number;
}

interface Scan {
  readonly id: bigint;
  /** Places of the columns that are wanted; one behind the last field is `rowid`. */
  readonly columns: readonly number[];
  next: number;
}

export class RowFunction {
  readonly #exposed = new Map<bigint, Exposed>();
  #isClosed = false;
  /** DuckDB calls back into it for as long as the instance lives. */
  readonly #function: DuckDBTableFunction;
  #last = 0n;

  /** @param connection any one of the instance: all of them know the function then */
  constructor(connection: DuckDBConnection) {
    this.#function = DuckDBTableFunction.create({
      name: NAME,
      parameterTypes: [BIGINT],
      supportsProjectionPushdown: true,
      bindFunction: (info) => {
        guard(info, () => {
          this.#bind(info);
        });
      },
      initFunction: (info) => {
        guard(info, () => {
          this.#begin(info);
        });
      },
      mainFunction: (info, output) => {
        guard(info, () => {
          this.#write(info, output);
        });
      },
    });
    connection.registerTableFunction(this.#function);
  }

  /** @example const { relation, release } = rows.expose(set); await session.rows(`SELECT * FROM ${relation}`); release(); */
  expose(set: RowSet): RowRelation {
    if (this.#isClosed) throw new SluiceError('INTERRUPTED', 'the process is about to end');
    const id = ++this.#last;
    const firstRows: number[] = [];
    let rows = 0;
    for (const chunk of set.chunks) {
      firstRows.push(rows);
      rows += chunk.rows;
    }
    const writers = set.fields.map(({ type }) => writerFor(duckdbTypeOf(type)));
    this.#exposed.set(id, { set, writers, firstRows, rows });
    return { relation: `${NAME}(${String(id)})`, release: () => void this.#exposed.delete(id) };
  }

  /** Whether there are rows to read. */
  get isUsed(): boolean {
    return this.#exposed.size > 0;
  }

  /** There are no rows any more, and none to come. */
  close(): void {
    this.#isClosed = true;
    this.#exposed.clear();
  }

  #of(id: bigint): Exposed {
    const exposed = this.#exposed.get(id);
    if (exposed === undefined) throw new Error(`the rows of ${NAME}(${String(id)}) were released`);
    return exposed;
  }

  #bind(info: DuckDBTableFunctionBindInfo): void {
    const id = info.getParameter(0) as bigint;
    const { set, rows } = this.#of(id);
    for (const { name, type } of set.fields) info.addResultColumn(name, duckdbTypeOf(type));
    info.addResultColumn('rowid', BIGINT);
    info.setCardinality(rows, true);
    info.setBindData({ id });
  }

  #begin(info: DuckDBTableFunctionInitInfo): void {
    const { id } = info.getBindData() as { id: bigint };
    const scan: Scan = { id, columns: info.getColumnIndexes(), next: 0 };
    info.setInitData(scan);
    info.setMaxThreads(THREADS_MOST);
  }

  #write(info: DuckDBTableFunctionInfo, output: DuckDBDataChunk): void {
    const scan = info.getInitData() as Scan;
    const { set, writers, firstRows } = this.#of(scan.id);
    const place = scan.next++;
    const chunk = set.chunks[place];
    output.rowCount = chunk?.rows ?? 0;
    if (chunk === undefined) return;
    for (const [to, column] of scan.columns.entries()) {
      const write = writers[column];
      if (write === undefined) {
        writeRowIds(output, to, firstRows[place] ?? 0, chunk.rows);
        continue;
      }
      const data = chunk.column(column);
      if ('starts' in data) writeSlices(vectorOf(output, to), chunk.bytes, data, chunk.rows);
      else write(output, to, data, chunk.rows);
    }
  }
}

const writeInt64 = writerFor(BIGINT);

function writeRowIds(output: DuckDBDataChunk, to: number, first: number, rows: number): void {
  const places = Float64Array.from({ length: rows }, (_, i) => first + i);
  writeInt64(output, to, places, rows);
}

/** An error must not pass through DuckDB's frames. */
function guard(info: { setError(message: string): void }, work: () => void): void {
  try {
    work();
  } catch (error) {
    info.setError(messageOf(error));
  }
}
