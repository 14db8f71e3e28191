/**
 * DuckDB behind one door: one in-memory instance for the process, and as many sessions as there is work side by side.
 *
 * Promise: nothing is ever downloaded or loaded from outside (extensions are neither installed nor loaded by themselves),
 * times are UTC, and memory has a limit.
 */
import { DuckDBInstance } from '@duckdb/node-api';
import { engineError } from './errors.ts';
import { quoteString } from './quoting.ts';
import { Session } from './session.ts';

export interface EngineOptions {
  /** DuckDB's spelling, as `400MB`. Work beyond it spills to `tempDir`. */
  readonly memoryLimit?: string;
  readonly threads?: number;
  /** Where DuckDB may spill; without it nothing is spilled. */
  readonly tempDir?: string;
}

export class Engine {
  readonly #instance: DuckDBInstance;

  private constructor(instance: DuckDBInstance) {
    this.#instance = instance;
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
        ...(options.memoryLimit === undefined ? {} : { memory_limit: options.memoryLimit }),
        ...(options.threads === undefined ? {} : { threads: String(options.threads) }),
      });
      const engine = new Engine(instance);
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
    const session = new Session(connection);
    await session.run("SET TimeZone = 'UTC'");
    return session;
  }

  close(): void {
    this.#instance.closeSync();
  }
}
