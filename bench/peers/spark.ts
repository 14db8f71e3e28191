/**
 * Spark Structured Streaming + Delta as a peer: one session for the whole bench, so that only its first query is cold.
 *
 * Promise: it reads the same topic with the same schema into a local Delta table of its own, on two cores.
 */
import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { SluiceError } from '../../core/errors.ts';
import { REPO } from '../../tests/services/cache.ts';
import { spark } from '../../tests/services/spark.ts';
import { ORDER_SCHEMA } from '../orders.ts';
import { progress } from '../progress.ts';

const SPARK_CORES = 2;

export interface SparkIngest {
  /** From just before the query is started until it has ended, its commit included. */
  readonly runMs: number;
  /** Of the JVM, up to now. */
  readonly peakMiB: number;
}

interface Stream {
  readonly brokers: readonly string[];
  readonly topic: string;
  readonly table: string;
  readonly checkpoint: string;
}

export class SparkPeer {
  /** Of Spark and of Delta Lake. */
  readonly versions: Readonly<Record<string, string>>;
  /** From the start of Python until the session is ready. */
  readonly startMs: number;
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #answers: AsyncIterator<string>;

  private constructor(
    child: ChildProcessByStdio<Writable, Readable, null>,
    answers: AsyncIterator<string>,
    facts: Pick<SparkPeer, 'versions' | 'startMs'>,
  ) {
    this.#child = child;
    this.#answers = answers;
    this.versions = facts.versions;
    this.startMs = facts.startMs;
  }

  /** @param folder for Spark's configuration and scratch files */
  static async start(folder: string): Promise<SparkPeer> {
    progress('starting Spark (the first time it is installed: some minutes)');
    await mkdir(folder, { recursive: true });
    const { python, env } = await spark({ folder, cores: SPARK_CORES });
    const startMs = performance.now();
    const script = join(REPO, 'bench', 'peers', 'spark_peer.py');
    const child = spawn(python, [script], { env, stdio: ['pipe', 'pipe', 'inherit'] });
    child.stdin.on('error', () => undefined);
    const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const versions = await answer<Record<string, string>>(answers);
    return new SparkPeer(child, answers, { versions, startMs: performance.now() - startMs });
  }

  /** Reads all that the topic has now (`availableNow`). */
  async ingest(stream: Stream): Promise<SparkIngest> {
    return this.#ask({ do: 'ingest', ...request(stream) });
  }

  /** Starts to follow the topic, with no pause between micro-batches. */
  async follow(stream: Stream): Promise<void> {
    await this.#ask({ do: 'follow', ...request(stream) });
  }

  /** Ends `follow`. */
  async stop(): Promise<{ readonly peakMiB: number }> {
    return this.#ask({ do: 'stop' });
  }

  async close(): Promise<void> {
    const ended = new Promise((resolve) => this.#child.once('close', resolve));
    this.#child.stdin.end();
    await ended;
  }

  async #ask<T>(what: object): Promise<T> {
    this.#child.stdin.write(`${JSON.stringify(what)}\n`);
    return answer<T>(this.#answers);
  }
}

function request({ brokers, topic, table, checkpoint }: Stream): object {
  return { brokers: brokers.join(','), topic, table, checkpoint, schema: ORDER_SCHEMA };
}

async function answer<T>(answers: AsyncIterator<string>): Promise<T> {
  const next = await answers.next();
  if (next.done !== true) return JSON.parse(next.value) as T;
  throw new SluiceError('INTERNAL', 'Spark ended without an answer', {
    advice: 'Its own message is above. --no-spark runs the benches without it.',
  });
}
