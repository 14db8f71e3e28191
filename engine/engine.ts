/**
 * DuckDB behind one door: one in-memory instance for the process, and as many sessions as there is work side by side.
 *
 * Promise: nothing is ever downloaded or loaded from outside (extensions are neither installed nor loaded by themselves),
 * times are UTC, and memory has a limit.
 */
import { DuckDBInstance } from '@duckdb/node-api';
import { engineError } from './errors.ts';
import { quoteString } from './quoting.ts';
import { RowFunction, type RowRelation, type RowSet } from './row-function.ts';
import { Session } from './session.ts';

export interface EngineOptions {
  /** DuckDB's spelling, as `400MB`. Work beyond it spills to `tempDir`. */
  readonly memoryLimit?: string;
  readonly threads?: number;
  /** Where DuckDB may spill; without it nothing is spilled. */
  readonly tempDir?: string;
}

/**
 * What a thread has freed goes back to the system when it is more than this. By DuckDB's own rule (128 MiB) each thread that has
 * ever written a file keeps some of it.
 */
const GIVE_BACK_ABOVE = '1MB';

/** Those of this process that are not closed. */
const open = new Set<Engine>();

export class Engine {
  readonly #instance: DuckDBInstance;
  readonly #rows: RowFunction;
  readonly #sessions = new Set<Session>();

  private constructor(instance: DuckDBInstance, rows: RowFunction) {
    this.#instance = instance;
    this.#rows = rows;
    open.add(this);
  }

  /**
   * Stops everything that engines of this process run, for an end by force; resolves when nothing runs any more. Without it
   * `process.exit` waits for threads that may be waiting for rows from the event loop, and so for ever.
   */
  static async abandonAll(): Promise<void> {
    await Promise.all([...open].map((engine) => engine.#abandon()));
  }

  /** Whether `process.exit` would wait for ever. */
  static get isWaitedFor(): boolean {
    return [...open].some((engine) => engine.#rows.isUsed && [...engine.#sessions].some(({ isBusy }) => isBusy));
  }

  /**
   * @throws SluiceError `QUERY_FAILED` when DuckDB refuses an option.
   * @example const engine = await Engine.open({ memoryLimit: '400MB' });
   */
  static async open(options: EngineOptions = {}): Promise<Engine> {
    try {
      const instance = await DuckDBInstance.create(':memory:', {
        autoinstall_known_extensions: 'false',
        autoload_known_extensions: 'false',
        preserve_insertion_order: 'false',
        allocator_flush_threshold: GIVE_BACK_ABOVE,
        allocator_bulk_deallocation_flush_threshold: GIVE_BACK_ABOVE,
        ...(options.memoryLimit === undefined ? {} : { memory_limit: options.memoryLimit }),
        ...(options.threads === undefined ? {} : { threads: String(options.threads) }),
      });
      const connection = await instance.connect();
      const engine = new Engine(instance, new RowFunction(connection));
      connection.closeSync();
      if (options.tempDir !== undefined) {
        const session = await engine.session();
        await session.run(`SET temp_directory = ${quoteString(options.tempDir)}`);
        session.close();
      }
      return engine;
    } catch (error) {
      throw engineError(error, '');
    }
  }

  /** A connection of its own: its temporary tables are its own, the other tables are shared by all. */
  async session(): Promise<Session> {
    const connection = await this.#instance.connect();
    const session: Session = new Session(connection, () => this.#sessions.delete(session));
    this.#sessions.add(session);
    await session.run("SET TimeZone = 'UTC'");
    return session;
  }

  /** Makes rows that lie in JavaScript a relation for all sessions. */
  expose(rows: RowSet): RowRelation {
    return this.#rows.expose(rows);
  }

  close(): void {
    open.delete(this);
    this.#instance.closeSync();
  }

  async #abandon(): Promise<void> {
    this.#rows.close();
    await Promise.all([...this.#sessions].map((session) => session.settle()));
  }
}
