/**
 * A topic and its consumers, without a broker: partitions with numbered records, workers that share them, and rebalances
 * that come whenever chance says so.
 *
 * Promise: like Kafka's, its ownership is only best effort. After a rebalance two workers may for a while read the same
 * partition, and a worker may go on from a position that another one has moved meanwhile.
 */
import type { Random } from '../../core/random.ts';
import { partitionName } from '../../ingest/record.ts';
import type { Batch, Positions, Source } from '../../ingest/source.ts';
import type { Life } from './faulty-store.ts';

export interface FakeRecord {
  readonly id: string;
  readonly partition: string;
  readonly offset: bigint;
  readonly malformed: boolean;
}

export interface FakeBatch extends Batch {
  readonly records: readonly FakeRecord[];
}

export class FakeTopic {
  readonly records: ReadonlyMap<string, readonly FakeRecord[]>;
  readonly #random: Random;
  readonly #owners = new Map<string, number>();

  constructor(random: Random) {
    this.#random = random;
    const partitions = Array.from({ length: 1 + random.int(3) }, (_, i) => partitionName('orders', i));
    this.records = new Map(
      partitions.map((partition) => [
        partition,
        Array.from({ length: random.int(30) }, (_, i) => ({
          id: `${partition}@${String(i)}`,
          partition,
          offset: BigInt(i),
          malformed: random.next() < 0.2,
        })),
      ]),
    );
  }

  get all(): readonly FakeRecord[] {
    return [...this.records.values()].flat();
  }

  /** Deals the partitions out anew among `workers` workers. */
  rebalance(workers: number): void {
    for (const partition of this.records.keys()) this.#owners.set(partition, this.#random.int(workers));
  }

  ownedBy(worker: number): readonly string[] {
    return [...this.records.keys()].filter((partition) => this.#owners.get(partition) === worker);
  }
}

export interface FakeSourceParts {
  readonly topic: FakeTopic;
  readonly worker: number;
  readonly workers: number;
  readonly random: Random;
  readonly life: Life;
  readonly positions: () => Promise<Positions>;
  /** How likely a rebalance is at each read, from 0 to 1. */
  readonly rebalance: number;
}

export class FakeSource implements Source {
  readonly #parts: FakeSourceParts;
  #owned: readonly string[];

  constructor(parts: FakeSourceParts) {
    this.#parts = parts;
    this.#owned = parts.topic.ownedBy(parts.worker);
  }

  async read(from: Positions): Promise<FakeBatch | undefined> {
    const { topic, worker, workers, random, life, positions, rebalance } = this.#parts;
    await life.step();
    if (random.next() < rebalance) topic.rebalance(workers);
    const noticed = random.next() < 0.7;
    const moved = noticed && topic.ownedBy(worker).join() !== this.#owned.join();
    if (noticed) this.#owned = topic.ownedBy(worker);
    const known = moved && random.next() < 0.8 ? await positions() : from;

    const records: FakeRecord[] = [];
    const start = new Map<string, bigint>();
    const upTo = new Map<string, bigint>();
    for (const partition of this.#owned) {
      const at = known.get(partition) ?? 0n;
      const wanted = (topic.records.get(partition) ?? []).slice(Number(at), Number(at) + random.int(8));
      if (wanted.length === 0) continue;
      records.push(...wanted);
      if (known.has(partition)) start.set(partition, at);
      upTo.set(partition, at + BigInt(wanted.length));
    }
    if (records.length === 0) return undefined;
    const inputs = Object.fromEntries(
      [...upTo].map(([p, end]) => [p, `${String(start.get(p) ?? 0n)}..${String(end)}`]),
    );
    return {
      relation: '',
      records,
      rows: records.length,
      bytes: records.length,
      from: start,
      upTo,
      inputs,
      release: () => Promise.resolve(),
    };
  }

  exhausted(from: Positions): Promise<boolean> {
    const ends = [...this.#parts.topic.records].map(([partition, records]) => [partition, records.length] as const);
    return Promise.resolve(ends.every(([partition, end]) => (from.get(partition) ?? 0n) >= BigInt(end)));
  }

  committed(): Promise<void> {
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
