/**
 * One connection to DuckDB: runs SQL, one statement after the other.
 *
 * Promise: every failure is a `SluiceError`; every prepared statement and chunk is given back.
 */
import {
  blobValue,
  StatementType,
  type DuckDBConnection,
  type DuckDBResult,
  type DuckDBType,
  type DuckDBValue,
} from '@duckdb/node-api';
import { systemClock } from '../core/clock.ts';
import { SluiceError } from '../core/errors.ts';
import { isJsonObject, parseJson, stringifyJson, type Json, type JsonObject } from '../core/json.ts';
import type { DataType } from '../core/schema.ts';
import { ColumnAppender } from './appender.ts';
import { engineError } from './errors.ts';
import { quoteString } from './quoting.ts';
import { toDataType } from './types.ts';
import { fromDuckDB, textOf, type Row, type Value } from './values.ts';

export interface Column {
  readonly name: string;
  /** DuckDB's spelling of the type. */
  readonly duckdbType: string;
  /** The Delta type; undefined when Delta has no such type. */
  readonly type: DataType | undefined;
}

/** A result that is fetched as it is read: memory holds one chunk (2,048 rows) of it. */
export interface ResultStream {
  readonly columns: readonly Column[];
  batches(): AsyncIterable<readonly (readonly Value[])[]>;
}

export type Parameter = null | boolean | number | bigint | string | Uint8Array;

const TELL_AGAIN_MS = 20;

export class Session {
  readonly #connection: DuckDBConnection;
  readonly #running = new Set<Promise<unknown>>();
  readonly #onClosed: () => void;
  #statements = 0;

  /** @param onClosed told once the connection is given back */
  constructor(connection: DuckDBConnection, onClosed: () => void = () => undefined) {
    this.#connection = connection;
    this.#onClosed = onClosed;
  }

  /** Whether a statement runs. */
  get isBusy(): boolean {
    return this.#running.size > 0;
  }

  /** Stops what runs; resolves when it has ended, well or not. A statement that waits for a thread forgets that it was told. */
  async settle(): Promise<void> {
    while (this.isBusy) {
      this.interrupt();
      await Promise.race([Promise.allSettled(this.#running), systemClock.sleep(TELL_AGAIN_MS)]);
    }
  }

  async run(sql: string, parameters?: readonly Parameter[]): Promise<void> {
    this.#statements++;
    await this.#do(sql, () => this.#connection.run(sql, bound(parameters)));
  }

  /** All rows at once, for results that are known to be small. */
  async rows(sql: string, parameters?: readonly Parameter[]): Promise<Row[]> {
    this.#statements++;
    return this.#do(sql, async () => {
      const result = await this.#connection.run(sql, bound(parameters));
      const names = result.deduplicatedColumnNames();
      const rows = await result.getRows();
      return rows.map((row) => Object.fromEntries(names.map((name, i) => [name, fromDuckDB(row[i] ?? null)])));
    });
  }

  /** Rows as they come. The session is busy until the last batch was read or the iteration was left. */
  async stream(sql: string, parameters?: readonly Parameter[]): Promise<ResultStream> {
    this.#statements++;
    const result = await this.#do(sql, () => this.#connection.stream(sql, bound(parameters)));
    const columns = result.columnNames().map((name, i) => columnOf(name, result.columnType(i)));
    return { columns, batches: () => this.#batches(result, sql) };
  }

  async *#batches(result: DuckDBResult, sql: string): AsyncIterable<Value[][]> {
    for (;;) {
      const chunk = await this.#do(sql, () => result.fetchChunk());
      if (chunk === null || chunk.rowCount === 0) return;
      yield chunk.getRows().map((row) => row.map(fromDuckDB));
    }
  }

  /**
   * The columns that a query would give, without running it.
   * @throws SluiceError `SQL_SYNTAX`, `SQL_INVALID`, with `facts.position` where DuckDB tells it.
   */
  async describe(sql: string): Promise<Column[]> {
    return this.#do(sql, async () => {
      const prepared = await this.#connection.prepare(sql);
      try {
        return Array.from({ length: prepared.columnCount }, (_, i) =>
          columnOf(prepared.columnName(i), prepared.columnType(i)),
        );
      } finally {
        prepared.destroySync();
      }
    });
  }

  /**
   * The syntax tree of a SELECT, as DuckDB's `json_serialize_sql` gives it.
   * @throws SluiceError `SQL_SYNTAX` with `facts.position` (offset in `sql`).
   */
  async serialize(sql: string): Promise<JsonObject> {
    const [row] = await this.rows(`SELECT json_serialize_sql(${quoteString(sql)})::VARCHAR AS tree`);
    const tree = parseJson(textOf(row?.['tree']));
    if (!isJsonObject(tree)) throw new SluiceError('INTERNAL', 'json_serialize_sql gave no object');
    if (tree['error'] === true) {
      const position = Number(tree['position']);
      throw new SluiceError('SQL_SYNTAX', wordOf(tree['error_message']), {
        facts: { position: Number.isSafeInteger(position) ? position : undefined, engine: wordOf(tree['error_type']) },
      });
    }
    return tree;
  }

  /** SQL from a tree of `serialize`. */
  async deserialize(tree: JsonObject): Promise<string> {
    const [row] = await this.rows(`SELECT json_deserialize_sql(${quoteString(stringifyJson(tree))}::JSON) AS sql`);
    return textOf(row?.['sql']);
  }

  /** What each statement of a text is: `SELECT`, `INSERT`, `COPY`, `EXPLAIN` … Nothing is run. */
  async statementKinds(sql: string): Promise<string[]> {
    return this.#do(sql, async () => {
      const statements = await this.#connection.extractStatements(sql);
      const kinds: string[] = [];
      for (let i = 0; i < statements.count; i++) {
        const prepared = await statements.prepare(i);
        kinds.push(StatementType[prepared.statementType]);
        prepared.destroySync();
      }
      return kinds;
    });
  }

  /**
   * Opens a table of this engine for columns of rows.
   * @example const appender = await session.appender('raw'); appender.append([[1n, 2n], ['a', null]], 2);
   */
  async appender(table: string): Promise<ColumnAppender> {
    return this.#do('', async () => new ColumnAppender(await this.#connection.createAppender(table)));
  }

  /** Stops the statement that is running; its caller gets `INTERRUPTED`. */
  interrupt(): void {
    this.#connection.interrupt();
  }

  /** How many statements have begun: which of them `progress` speaks of. */
  get statements(): number {
    return this.#statements;
  }

  /** How far the running statement is, in percent, where DuckDB can tell. */
  progress(): number | undefined {
    const { percentage } = this.#connection.progress;
    return percentage < 0 ? undefined : percentage;
  }

  /**
   * Stops what runs. The connection is closed when that has ended: DuckDB would wait, and block what it waits for. A stream over
   * rows from JavaScript has to be read to its end first.
   */
  close(): void {
    if (this.isBusy)
      void this.settle().then(() => {
        this.#close();
      });
    else this.#close();
  }

  #close(): void {
    this.#connection.closeSync();
    this.#onClosed();
  }

  async #do<T>(sql: string, work: () => Promise<T>): Promise<T> {
    const running = work();
    this.#running.add(running);
    try {
      return await running;
    } catch (error) {
      throw engineError(error, sql);
    } finally {
      this.#running.delete(running);
    }
  }
}

function columnOf(name: string, type: DuckDBType): Column {
  return { name, duckdbType: type.toString(), type: toDataType(type) };
}

function bound(parameters: readonly Parameter[] | undefined): DuckDBValue[] | undefined {
  return parameters?.map((value) => (value instanceof Uint8Array ? blobValue(value) : value));
}

function wordOf(json: Json | undefined): string {
  return typeof json === 'string' ? json : '';
}
