/** Another engine that reads and writes Delta tables: delta-rs in a process of its own, or a session of the Spark that all tests of a run share. */
import { once } from 'node:events';
import { createConnection } from 'node:net';
import { createInterface } from 'node:readline';
import type { Writable } from 'node:stream';
import { inject } from 'vitest';
import type { Json, JsonObject } from '../../core/json.ts';
import { python } from '../services/python.ts';
import type { Digest } from './digest.ts';
import { startPeer } from './peer-process.ts';

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

  static async start(name: PeerName): Promise<Peer> {
    if (name === 'deltars') {
      const own = await startPeer(await python(), 'peer_deltars.py', process.env);
      return new Peer(asking(name, own.answers, own.requests), () => own.stop());
    }
    const connection = createConnection(inject('sparkSocket'));
    await once(connection, 'connect');
    const lines = createInterface({ input: connection })[Symbol.asyncIterator]();
    return new Peer(asking(name, lines, connection), async () => {
      connection.end();
      await once(connection, 'close');
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

function asking(
  name: PeerName,
  answers: AsyncIterator<string>,
  requests: Writable,
): (request: JsonObject) => Promise<Json> {
  return async (request) => {
    requests.write(`${JSON.stringify(request)}\n`);
    const line = await answers.next();
    if (line.done === true) throw new Error(`${name} ended without an answer to ${JSON.stringify(request)}`);
    const { ok = null, error, trace } = JSON.parse(line.value) as { ok?: Json; error?: string; trace?: string };
    if (error !== undefined) throw new Error(`${name}: ${error}\n${trace ?? ''}`);
    return ok;
  };
}
