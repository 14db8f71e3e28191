/** Another engine that reads and writes Delta tables: delta-rs or Spark, in a Python process of its own. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Json, JsonObject } from '../../core/json.ts';
import { python } from '../services/python.ts';
import { spark } from '../services/spark.ts';
import type { Digest } from './digest.ts';

export type PeerName = 'deltars' | 'spark';

export interface PeerTable extends Digest {
  readonly version: number;
}

export class Peer {
  readonly #ask: (request: JsonObject) => Promise<Json>;
  readonly #stop: () => Promise<void>;

  private constructor(ask: (request: JsonObject) => Promise<Json>, stop: () => Promise<void>) {
    this.#ask = ask;
    this.#stop = stop;
  }

  /** @param folder an existing folder for its scratch files */
  static async start(name: PeerName, folder: string): Promise<Peer> {
    const launch = name === 'spark' ? await spark({ folder }) : { python: await python(), env: process.env };
    const script = join(import.meta.dirname, `peer_${name}.py`);
    const child = spawn(launch.python, [script], { env: launch.env, cwd: folder, stdio: ['pipe', 'pipe', 'pipe'] });
    const log: string[] = [];
    child.stderr.setEncoding('utf8').on('data', (text: string) => log.push(text));
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const answer = async (): Promise<Json> => {
      const line = await lines.next();
      if (line.done === true) throw new Error(`${name} ended:\n${log.join('').slice(-4000)}`);
      const { ok = null, error, trace } = JSON.parse(line.value) as { ok?: Json; error?: string; trace?: string };
      if (error !== undefined) throw new Error(`${name}: ${error}\n${trace ?? ''}`);
      return ok;
    };
    await answer();
    const ask = async (request: JsonObject): Promise<Json> => {
      child.stdin.write(`${JSON.stringify(request)}\n`);
      return answer();
    };
    return new Peer(ask, async () => {
      if (child.exitCode !== null) return;
      child.stdin.end();
      await once(child, 'exit');
    });
  }

  /** What it sees at a path: rows, types, checksums. */
  async read(path: string, version?: number): Promise<PeerTable> {
    return (await this.#ask({ do: 'read', path, version })) as unknown as PeerTable;
  }

  /** The changes of rows that some versions made (Spark only). */
  async changes(path: string, from: number, upTo: number): Promise<Digest> {
    return (await this.#ask({ do: 'changes', path, start: from, end: upTo })) as unknown as Digest;
  }

  /** Appends rows in the table's own types; columns left out are NULL. */
  async append(path: string, rows: readonly JsonObject[]): Promise<void> {
    await this.#ask({ do: 'append', path, rows });
  }

  /** Makes a table of its own, partitioned, nested, with deleted rows and a checkpoint. */
  async writePartitioned(path: string, days: number, rowsEach: number): Promise<PeerTable> {
    return (await this.#ask({ do: 'write_partitioned', path, days, rows_each: rowsEach })) as unknown as PeerTable;
  }

  /** Runs one SQL statement (Spark only). */
  async sql(statement: string): Promise<void> {
    await this.#ask({ do: 'sql', statement });
  }

  /** The rows of one SQL statement (Spark only). */
  async query(statement: string): Promise<Json> {
    return this.#ask({ do: 'query', statement });
  }

  /** Writes the rows of a query, with the options of a DataFrame's writer (Spark only). */
  async write(path: string, query: string, options: JsonObject, partitionBy: readonly string[] = []): Promise<void> {
    await this.#ask({ do: 'write', path, query, options, partition_by: partitionBy });
  }

  /** Writes the rows of a query as a folder of Parquet files (Spark only). */
  async writeParquet(path: string, query: string, partitionBy: readonly string[]): Promise<void> {
    await this.#ask({ do: 'write_parquet', path, query, partition_by: partitionBy });
  }

  async stop(): Promise<void> {
    await this.#stop();
  }
}
