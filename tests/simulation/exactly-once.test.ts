/**
 * Nothing lost, nothing twice: the real landing loop and the real Delta commits, over a memory store, under lost replies,
 * writes that race with themselves, rebalances, and workers that are killed between any two steps; a run for each seed.
 *
 * A failing seed is printed; `SLUICE_SEED=n npx vitest run --project simulation` runs it alone.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ManualClock } from '../../core/clock.ts';
import { SluiceError } from '../../core/errors.ts';
import { seededRandom, type Random } from '../../core/random.ts';
import { field, primitive, struct } from '../../core/schema.ts';
import { Engine } from '../../engine/engine.ts';
import type { Batch } from '../../ingest/source.ts';
import { DeltaTable, type AddFile } from '../../tables/index.ts';
import { MemoryStore } from '../../tables/store/memory.ts';
import type { ObjectStore } from '../../tables/store/object-store.ts';
import { landedPositions, type Stage } from '../../transforms/run/land.ts';
import { stream } from '../../transforms/run/streaming.ts';
import { FakeSource, FakeTopic, type FakeBatch, type FakeRecord } from './fake-topic.ts';
import { Crash, FaultyStore, Life, type Faults } from './faulty-store.ts';

const FLOW = 'bronze.orders';
const SCHEMA = struct([field('id', primitive('string'))]);
const ATTEMPTS = 2000;

let engine: Engine;
beforeAll(async () => {
  engine = await Engine.open({ memoryLimit: '200MB', threads: 1 });
});
afterAll(() => {
  engine.close();
});

const seeds = (first: number, count: number): number[] => {
  const only = process.env['SLUICE_SEED'];
  return only === undefined ? Array.from({ length: count }, (_, i) => first + i) : [Number(only)];
};

test('the tables equal the source exactly once, for 3,000 seeds', async () => {
  for (const seed of seeds(1, 3000)) await simulate(seed, 1_000_000);
});

test('and so they do when checkpoints are written and read in between, for 150 seeds', async () => {
  for (const seed of seeds(100_001, 150)) await simulate(seed, 2);
});

/** One life of a pipeline: workers run, die and are replaced until everything is read; then the tables are counted. */
async function simulate(seed: number, checkpointInterval: number): Promise<void> {
  const random = seededRandom(seed);
  const clock = new ManualClock(1_780_000_000_000);
  const stores = {
    target: new MemoryStore('memory://target', clock),
    quarantine: new MemoryStore('memory://bad', clock),
  };
  const topic = new FakeTopic(random);
  const workers = 1 + random.int(3);
  topic.rebalance(workers);
  const world: World = { random, clock, stores, topic, workers, checkpointInterval, faults: someFaults(random) };
  try {
    await Promise.all(Array.from({ length: workers }, (_, worker) => livesOf(world, worker)));
    await verify(world);
  } catch (error) {
    throw new Error(`seed ${String(seed)} (${String(workers)} workers): ${String(error)}`, { cause: error });
  } finally {
    await Promise.all(Object.values(stores).map((store) => store.close()));
  }
}

interface World {
  readonly random: Random;
  readonly clock: ManualClock;
  readonly stores: { readonly target: MemoryStore; readonly quarantine: MemoryStore };
  readonly topic: FakeTopic;
  readonly workers: number;
  readonly checkpointInterval: number;
  readonly faults: Faults;
}

/** Some runs are calm, some are nothing but trouble. */
function someFaults(random: Random): Faults {
  const some = (most: number): number => (random.next() < 0.3 ? 0 : random.next() * most);
  return { crash: some(0.03), lostReply: some(0.1), ownWrite: some(0.1), failure: some(0.05) };
}

async function livesOf(world: World, worker: number): Promise<void> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    try {
      await live(world, worker);
      return;
    } catch (error) {
      const expected = error instanceof Crash || (error instanceof SluiceError && RECOVERABLE.has(error.code));
      if (!expected) throw error;
    }
  }
  throw new Error(`worker ${String(worker)} did not end in ${String(ATTEMPTS)} lives`);
}

const RECOVERABLE: ReadonlySet<string> = new Set(['STORAGE_FAILED', 'COMMIT_CONTENTION']);

/** From a start to its end or death; nothing but the stores outlives it. */
async function live(world: World, worker: number): Promise<void> {
  const { random, clock, stores, topic, workers, checkpointInterval, faults } = world;
  const life = new Life(random, faults);
  const parts = { engine, clock, random, checkpointInterval };
  const target = DeltaTable.at(new FaultyStore(stores.target, life), parts);
  const quarantine = DeltaTable.at(new FaultyStore(stores.quarantine, life), parts);
  const positions = () => landedPositions(FLOW, target);
  const source = new FakeSource({ topic, worker, workers, random, life, positions, rebalance: 0.1 });
  await stream({
    landing: {
      flow: FLOW,
      target,
      quarantine,
      stage: fakeStage(new FaultyStore(stores.target, life), new FaultyStore(stores.quarantine, life), random),
      schema: SCHEMA,
      partitionColumns: [],
    },
    source,
    limits: { rows: 10, bytes: 1000, flushMs: 1 },
    clock,
    signal: new AbortController().signal,
    onEvent: () => undefined,
    finished: async () => {
      topic.rebalance(workers);
      return source.exhausted(await positions());
    },
  });
}

/** Data files hold the ids as JSON: what is simulated is the commits, and Parquet is tested elsewhere. */
function fakeStage(target: ObjectStore, quarantine: ObjectStore, random: Random): Stage {
  const write = async (store: ObjectStore, records: readonly FakeRecord[]): Promise<AddFile[]> => {
    if (records.length === 0) return [];
    const path = `part-${random.uuid()}.json`;
    const bytes = Buffer.from(JSON.stringify(records.map((record) => record.id)));
    await store.put(path, bytes, 'replace');
    const rows = BigInt(records.length);
    return [{ path, partitionValues: {}, bytes: BigInt(bytes.length), modificationMs: 0, dataChange: true, rows }];
  };
  return async (batch: Batch, quarantined) => {
    const { records } = batch as FakeBatch;
    const bad = records.filter((r) => r.malformed && r.offset >= (quarantined.get(r.partition) ?? 0n));
    const good = records.filter((r) => !r.malformed);
    return {
      rows: await write(target, good),
      quarantine: await write(quarantine, bad),
      rowsOut: BigInt(good.length),
      quarantined: BigInt(bad.length),
      expectations: new Map(),
    };
  };
}

async function verify({ stores, topic, clock, random }: World): Promise<void> {
  const read = async (store: MemoryStore): Promise<{ ids: string[]; txn: ReadonlyMap<string, bigint> }> => {
    const table = DeltaTable.at(store, { engine, clock, random });
    if (!(await table.exists())) return { ids: [], txn: new Map() };
    const snapshot = await table.snapshot();
    const texts = await Promise.all(snapshot.files.map((file) => store.get(file.path)));
    const ids = texts.flatMap((text) => JSON.parse(Buffer.from(text).toString()) as string[]);
    return { ids, txn: snapshot.txn };
  };
  const [landed, bad] = [await read(stores.target), await read(stores.quarantine)];
  const idsOf = (malformed: boolean): string[] =>
    topic.all.filter((record) => record.malformed === malformed).map((record) => record.id);
  expect(landed.ids.toSorted()).toEqual(idsOf(false).toSorted());
  expect(bad.ids.toSorted()).toEqual(idsOf(true).toSorted());
  for (const [partition, records] of topic.records) {
    const position = landed.txn.get(`sluice:${FLOW}:${partition}`) ?? 0n;
    expect([partition, position]).toEqual([partition, BigInt(records.length)]);
  }
}
