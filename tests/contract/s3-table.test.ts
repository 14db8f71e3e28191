/** A Delta table on S3: every operation, several writers, a cache that is too small, a network that loses replies. */
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { ManualClock, systemClock } from '../../core/clock.ts';
import { seededRandom, systemRandom } from '../../core/random.ts';
import { Engine } from '../../engine/engine.ts';
import { DeltaTable, Storage } from '../../tables/index.ts';
import { startFaultProxy, type Fault } from '../services/fault-proxy.ts';
import { START_MS, startS3, type S3Server } from '../services/s3.ts';
import { compiled, runModule } from './compiled.ts';

let s3: S3Server;
let folder: string;
let engine: Engine;
let tables = 0;
const ends: (() => Promise<void>)[] = [];

beforeAll(async () => {
  s3 = await startS3();
  Object.assign(process.env, s3.env);
  await s3.createBucket('tables');
  folder = await mkdtemp(join(tmpdir(), 'sluice-s3-table-'));
  engine = await Engine.open({ memoryLimit: '400MB', threads: 2 });
}, START_MS);
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});
afterAll(async () => {
  engine.close();
  await s3.stop();
  await rm(folder, { recursive: true, force: true });
});

interface Opened {
  readonly table: DeltaTable;
  readonly append: (source: string) => Promise<bigint>;
  readonly count: (where?: string) => Promise<bigint>;
}

/** As another process would open it. @param cache one folder for several, or one of its own */
async function open(
  location: string,
  { cache = 'shared', cacheBytes = 1e9, endpoint = s3.endpoint, clock = systemClock } = {},
): Promise<Opened> {
  const storage = new Storage(
    { s3: { endpoint, timeoutMs: 1000 }, cache: { folder: join(folder, cache), bytes: cacheBytes } },
    { clock, random: systemRandom },
  );
  const session = await engine.session();
  ends.push(async () => {
    session.close();
    await storage.close();
  });
  const table = DeltaTable.at(location, { engine, clock, random: systemRandom, storage, checkpointInterval: 5 });
  return {
    table,
    append: async (source) => {
      const { version } = await table.append(session, { source });
      return version ?? -1n;
    },
    count: async (where = 'true') => {
      const relation = await (await table.snapshot()).relation();
      const [row] = await session.rows(`SELECT count(*) AS n FROM ${relation} WHERE ${where}`);
      return row?.['n'] as bigint;
    },
  };
}
const place = (): string => `s3://tables/lake/t${String(tables++)}`;
const rows = (n: number, from = 0): string => `SELECT range AS id, 'row ' || range AS name FROM range(${String(from)}, ${String(from + n)})`; // prettier-ignore

test('is made, appended to, changed, tidied, restored and checked', async () => {
  const location = place();
  const { table, append, count } = await open(location);
  expect(await table.exists()).toBe(false);
  for (let i = 0; i < 7; i++) await append(rows(100, i * 100));
  expect(await count()).toBe(700n);
  const session = await engine.session();
  const deleted = await table.delete(session, { where: 'id < 50' });
  await table.update(session, { set: { name: "'changed'" }, where: 'id >= 690' });
  await table.merge(session, {
    source: "SELECT range AS id, 'merged' AS name FROM range(695, 705)",
    on: 'target.id = source.id',
    whenMatched: [{ set: '*' }],
    whenNotMatched: [{ values: '*' }],
  });
  expect([await count(), await count("name = 'merged'"), await count("name = 'changed'")]).toEqual([655n, 10n, 5n]);
  await table.optimize(session);
  expect((await table.snapshot()).files).toHaveLength(1);
  expect(await count()).toBe(655n);
  expect((await table.check(session)).problems).toEqual([]);
  await table.restore((deleted.version ?? 0n) - 1n);
  expect(await count()).toBe(700n);
  const { deleted: gone } = await table.vacuum({ retainHours: 0, force: true });
  expect(gone.length).toBeGreaterThan(0);
  expect((await table.check(session)).problems).toEqual([]);
  expect((await table.history(1))[0]?.operation).toBe('VACUUM END');
  session.close();
  const cold = await open(location, { cache: 'cold' });
  expect(await cold.count()).toBe(700n);
  expect(await cold.table.exists()).toBe(true);
});

const APPENDER = `
  import { systemClock } from './core/clock.js';
  import { systemRandom } from './core/random.js';
  import { Engine } from './engine/engine.js';
  import { DeltaTable, Storage } from './tables/index.js';
  const [endpoint, folder, location, id, times] = process.argv.slice(1);
  const engine = await Engine.open({ memoryLimit: '200MB', threads: 1 });
  const storage = new Storage({ s3: { endpoint }, cache: { folder } });
  const table = DeltaTable.at(location, { engine, clock: systemClock, random: systemRandom, storage });
  const session = await engine.session();
  const versions = [];
  for (let i = 0; i < Number(times); i++) {
    versions.push(Number((await table.append(session, { source: "SELECT '" + id + "' AS who, " + i + "::BIGINT AS n" })).version));
  }
  session.close();
  engine.close();
  await storage.close();
  console.log(JSON.stringify(versions));
`;

test('two processes that append at once, sharing a cache, lose nothing and make each version once', async () => {
  const location = place();
  const library = await compiled(['core', 'engine', 'tables']);
  try {
    const run = (id: string): Promise<string> =>
      runModule(library, APPENDER, [s3.endpoint, join(folder, 'shared'), location, id, '15']);
    const made = (await Promise.all(['a', 'b'].map(run))).map((text) => JSON.parse(text) as number[]);
    const versions = made.flat().sort((a, b) => a - b);
    expect(versions).toEqual(Array.from({ length: 30 }, (_, i) => i));
    const { count } = await open(location);
    expect([await count("who = 'a'"), await count("who = 'b'")]).toEqual([15n, 15n]);
  } finally {
    await rm(library, { recursive: true, force: true });
  }
});

test('writers on a network that breaks at random lose nothing, and every version is made by one of them', async () => {
  const seed = systemRandom.int(2 ** 31);
  const random = seededRandom(seed);
  const kinds: readonly Fault[] = [
    { kind: 'refuse', status: 503, code: 'SlowDown' },
    { kind: 'refuse', status: 409, code: 'ConditionalRequestConflict' },
    { kind: 'reset' },
    { kind: 'lost' },
    { kind: 'badGateway' },
    { kind: 'cut' },
  ];
  const proxy = await startFaultProxy(s3.endpoint, () => (random.next() < 0.15 ? kinds[random.int(6)] : undefined));
  try {
    const location = place();
    const clock = new ManualClock(Date.UTC(2026, 0, 1));
    const writers = await Promise.all(
      ['a', 'b', 'c'].map((cache) => open(location, { cache, endpoint: proxy.endpoint, clock })),
    );
    const versions = await Promise.all(
      writers.map(async ({ append }, id) => {
        const made: bigint[] = [];
        for (let i = 0; i < 8; i++) made.push(await append(rows(10, (id * 8 + i) * 10)));
        return made;
      }),
    );
    const all = versions.flat().map(Number).sort((a, b) => a - b); // prettier-ignore
    expect(all, `seed ${String(seed)}`).toEqual(Array.from({ length: 24 }, (_, i) => i));
    const { table, count } = await open(location, { cache: 'cold' });
    const session = await engine.session();
    const [row] = await session.rows(
      `SELECT count(*) AS n, count(DISTINCT id) AS ids FROM ${await (await table.snapshot()).relation()}`,
    );
    session.close();
    expect(row, `seed ${String(seed)}`).toEqual({ n: 240n, ids: 240n });
    expect(await count('id < 80')).toBe(80n);
  } finally {
    await proxy.stop();
  }
});

test('a query that needs more than the cache may hold reads all of it, beside others that do the same', async () => {
  const location = place();
  const { append } = await open(location, { cache: 'writer' });
  for (let i = 0; i < 12; i++) await append(rows(1000, i * 1000));
  const readers = await Promise.all([0, 1, 2].map(() => open(location, { cache: 'tiny', cacheBytes: 10_000 })));
  await Promise.all(
    readers.map(async ({ count }) => {
      for (let i = 0; i < 5; i++) expect(await count()).toBe(12_000n);
    }),
  );
});

test('only files that a query needs are fetched, once; what was written here is not fetched at all', async () => {
  const asked: string[] = [];
  const proxy = await startFaultProxy(s3.endpoint, ({ method, url }) => {
    if (method === 'GET' && url.includes('part-')) asked.push(url);
    return undefined;
  });
  try {
    const location = place();
    const writer = await open(location, { cache: 'w', endpoint: proxy.endpoint });
    for (let i = 0; i < 4; i++) await writer.append(rows(100, i * 100));
    expect(await writer.count()).toBe(400n);
    expect(asked).toEqual([]);
    const reader = await open(location, { cache: 'r', endpoint: proxy.endpoint });
    const snapshot = await reader.table.snapshot();
    await snapshot.relation({ where: [{ column: 'id', op: '<', value: 100n }] });
    expect(asked).toHaveLength(1);
    expect(await reader.count()).toBe(400n);
    expect(asked).toHaveLength(4);
    const warm = await open(location, { cache: 'r', endpoint: proxy.endpoint });
    expect(await warm.count()).toBe(400n);
    expect(asked).toHaveLength(4);
  } finally {
    await proxy.stop();
  }
});

test('a table that was removed and made anew at the same place is not read from what is left of the old one', async () => {
  const location = place();
  const first = await open(location);
  for (let i = 0; i < 6; i++) await first.append(rows(10, i * 10));
  expect(await (await open(location)).count()).toBe(60n);
  const store = new Storage({ s3: { endpoint: s3.endpoint }, cache: { folder: join(folder, 'shared') } }).open(
    location,
  );
  const all: string[] = [];
  for await (const { path } of store.list('')) all.push(path);
  expect(all.filter((path) => path.endsWith('.checkpoint.parquet'))).toHaveLength(1);
  for (const path of all) await store.delete(path);
  const second = await open(location);
  for (let i = 0; i < 6; i++) await second.append(rows(7, i * 7));
  expect(await (await open(location)).count()).toBe(42n);
});

test('a table on disk whose log names files on S3 reads them from there, by the settings that it was opened with', async () => {
  const location = place();
  const { table, append } = await open(location);
  await append(rows(100));
  const { files, schema } = await table.snapshot();
  const [local, other] = [await open(join(folder, 'clone')), await open(place())];
  for (const [clone, scheme] of [
    [local, 's3'],
    [other, 's3a'],
  ] as const) {
    const add = files.map((file) => ({ ...file, path: `${scheme}${location.slice(2)}/${file.path}` }));
    await clone.table.commit({ operation: 'CLONE', mode: 'append', add, schema });
    expect(await clone.count()).toBe(100n);
  }
  const session = await engine.session();
  expect((await local.table.check(session)).problems).toEqual([]);
  await local.table.delete(session, { where: 'id < 10' });
  session.close();
  expect(await local.count()).toBe(90n);
  expect(await (await open(location)).count()).toBe(100n);
});

test('files that are gone are named', async () => {
  const location = place();
  const { table, append } = await open(location, { cache: 'w' });
  await append(rows(10));
  const [file] = (await table.snapshot()).files;
  const other = new Storage({ s3: { endpoint: s3.endpoint }, cache: { folder: join(folder, 'x') } }).open(location);
  await other.delete(file?.path ?? '');
  const cold = await open(location, { cache: 'y' });
  await expect(cold.count()).rejects.toMatchObject({
    code: 'FILE_MISSING',
    message: expect.stringContaining(`${location}/${file?.path ?? ''}`) as string,
  });
  expect(await readdir(join(folder, 'y', 'in-use'))).toHaveLength(1);
});
