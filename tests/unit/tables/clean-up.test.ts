import { afterAll, beforeAll, expect, test } from 'vitest';
import { SluiceError } from '../../../core/errors.ts';
import type { Row } from '../../../engine/values.ts';
import { expiredFiles } from '../../../tables/log/expired.ts';
import { MemoryStore } from '../../../tables/store/memory.ts';
import type { ObjectStore } from '../../../tables/store/object-store.ts';
import { Lab, paths, readText, START_MS, writeText } from './tables.ts';

const DAY = 86_400_000;
const SHORT = { 'delta.logRetentionDuration': 'interval 3 days' };
let lab: Lab;
beforeAll(async () => {
  lab = await Lab.open();
});
afterAll(() => lab.close());

const name = (version: number): string => String(version).padStart(20, '0');
const commit = (version: number): string => `_delta_log/${name(version)}.json`;
const checkpoint = (version: number): string => `_delta_log/${name(version)}.checkpoint.parquet`;

/** A store that counts what is deleted, and fails from the n-th deletion on. */
class DyingStore extends MemoryStore {
  readonly deleted: string[] = [];
  deletions = Infinity;

  override async delete(path: string): Promise<void> {
    if (this.deleted.length >= this.deletions) throw new SluiceError('STORAGE_FAILED', `no reply for ${path}`);
    this.deleted.push(path);
    await super.delete(path);
  }
}

/** One version a day, a checkpoint every five; the clock stands at noon of the last. */
async function aged(
  store: ObjectStore,
  versions: number,
  properties: Record<string, string> = {},
): Promise<Map<bigint, { rows: Row[]; timestampMs: number }>> {
  const table = lab.table(store, { checkpointInterval: 5 });
  const all = new Map<bigint, { rows: Row[]; timestampMs: number }>();
  for (let i = 0; i < versions; i++) {
    if (i > 0) lab.clock.advance(DAY);
    const first = i === 0 ? { properties: { 'delta.enableExpiredLogCleanup': 'false', ...properties } } : {};
    await lab.written(table, `SELECT ${String(i)}::BIGINT AS id`, first);
    all.set(BigInt(i), { rows: await lab.rows(table), timestampMs: (await table.snapshot()).timestampMs });
  }
  return all;
}

async function cleaned(store: ObjectStore, properties: Record<string, string> = {}): Promise<unknown> {
  const table = lab.table(store, { checkpointInterval: 1 });
  return table.commit({
    operation: 'SET TBLPROPERTIES',
    mode: 'append',
    add: [],
    properties: { 'delta.enableExpiredLogCleanup': 'true', ...properties },
  });
}

/** Each version is what it was, or told to be gone. @returns the oldest that is there */
async function checkVersions(
  store: ObjectStore,
  all: ReadonlyMap<bigint, { rows: Row[]; timestampMs: number }>,
): Promise<bigint | undefined> {
  let oldest: bigint | undefined;
  const table = lab.table(store);
  for (const [version, { rows, timestampMs }] of all) {
    const answer = await lab.rows(table, version).catch((error: unknown) => error);
    if (answer instanceof SluiceError) {
      expect([version, answer.code, answer.message]).toEqual([
        version,
        'VERSION_NOT_FOUND',
        expect.stringMatching(/has no version \d+: it has \d+ to \d+/),
      ]);
      expect(oldest).toBeUndefined();
    } else {
      oldest ??= version;
      expect(answer).toEqual(rows);
      // Only its entry tells its time.
      const hasEntry = (await store.head(commit(Number(version)))) !== undefined;
      const at = table.snapshot(new Date(timestampMs));
      await (hasEntry
        ? expect(at).resolves.toMatchObject({ version })
        : expect(at).rejects.toMatchObject({ code: 'VERSION_NOT_FOUND' }));
    }
  }
  return oldest;
}

test('versions within thirty days stay, with the checkpoint that they need; older ones are told to be gone', async () => {
  const store = lab.store();
  const all = await aged(store, 44);
  // The last was at noon of day 43: what is older than midnight of day 13 has expired, and version 12 is the newest of those.
  await store.put(`_delta_log/${name(9)}.crc`, new Uint8Array(1), 'create');
  await store.put(`_delta_log/${name(10)}.crc`, new Uint8Array(1), 'create');
  await store.put(`_delta_log/${name(8)}.${name(10)}.compacted.json`, new Uint8Array(1), 'create');
  await store.put(`_delta_log/${name(10)}.${name(12)}.compacted.json`, new Uint8Array(1), 'create');
  await store.put(`_delta_log/${name(11)}.${name(12)}.compacted.json`, new Uint8Array(1), 'create');
  await store.put(`_delta_log/${name(5)}.checkpoint.0000000001.0000000002.parquet`, new Uint8Array(1), 'create');
  await store.put('_delta_log/notes.txt', new Uint8Array(1), 'create');
  expect(await cleaned(store)).not.toHaveProperty('checkpointError');
  const left = await paths(store, '_delta_log/');
  expect(left.filter((path) => path < `_delta_log/${name(13)}`)).toEqual([
    checkpoint(10),
    `_delta_log/${name(10)}.crc`,
    commit(10),
    `_delta_log/${name(11)}.${name(12)}.compacted.json`,
    commit(11),
    commit(12),
  ]);
  expect(left).toContain('_delta_log/notes.txt');
  expect(await checkVersions(store, all)).toBe(10n);
  await expect(lab.table(store).snapshot(new Date(START_MS + 9 * DAY))).rejects.toMatchObject({
    code: 'VERSION_NOT_FOUND',
  });
  expect(await lab.table(store).history()).toHaveLength(44 + 1 - 10);
  // The next one has nothing to do until a day has passed.
  const before = (await paths(store, '_delta_log/')).length;
  await cleaned(store, { a: 'b' });
  expect(await paths(store, '_delta_log/')).toHaveLength(before + 2);
});

test.each([
  ['delta.enableExpiredLogCleanup', 'false'],
  ['delta.enableExpiredLogCleanup', 'who knows'],
  ['delta.logRetentionDuration', 'interval 100 days'],
])('nothing goes when %s is %s', async (key, value) => {
  const store = lab.store();
  await aged(store, 36);
  const before = await paths(store, '_delta_log/');
  await cleaned(store, { [key]: value });
  expect(await paths(store, '_delta_log/')).toEqual(expect.arrayContaining(before));
});

test('a duration that nobody understands keeps the log for ever', async () => {
  const store = lab.store();
  await aged(store, 36);
  const first = (await readText(store, commit(0))).replace(
    '"delta.enableExpiredLogCleanup":"false"',
    '"delta.enableExpiredLogCleanup":"true","delta.logRetentionDuration":"until spring"',
  );
  await writeText(store, commit(0), first);
  for (const path of await paths(store, '_delta_log/')) if (path.includes('checkpoint')) await store.delete(path);
  await cleaned(store);
  expect(await paths(store, '_delta_log/')).toContain(commit(0));
});

test('a shorter retention counts from the commit that sets it on, to the midnight before', async () => {
  const store = lab.store();
  const all = await aged(store, 12);
  await cleaned(store, { 'delta.logRetentionDuration': 'interval 1 day' });
  // Midnight of day 10: version 9 has expired, and 5 is the checkpoint before it.
  expect(await checkVersions(store, all)).toBe(5n);
});

test('a checkpoint that is damaged is not what the log may begin with', async () => {
  const store = lab.store();
  const all = await aged(store, 46);
  await writeText(store, checkpoint(15), 'no parquet');
  await cleaned(store);
  expect(await checkVersions(store, all)).toBe(10n);
});

test.each([10, 12])('without the entry %i the log does not begin at checkpoint 10', async (missing) => {
  const store = lab.store();
  await aged(store, 18, SHORT);
  await store.delete(commit(missing));
  expect(await cleaned(store)).toMatchObject({ kind: 'committed' });
  expect(await paths(store, '_delta_log/')).toContain(commit(0));
});

test('a time that follows from the entry before it does not change: that entry stays', async () => {
  const store = lab.store();
  const table = lab.table(store, { checkpointInterval: 5 });
  const times: number[] = [];
  for (let i = 0; i < 46; i++) {
    // Versions 14 to 16 were all written in the millisecond of 13, as far as the store knows.
    if (i > 0 && (i < 14 || i > 16)) lab.clock.advance(i === 17 ? 4 * DAY : DAY);
    const properties = { 'delta.enableExpiredLogCleanup': 'false' };
    await lab.written(table, `SELECT ${String(i)}::BIGINT AS id`, i === 0 ? { properties } : {});
    times.push((await table.history(46))[0]?.timestampMs ?? 0);
  }
  await cleaned(store);
  const left = await paths(store, '_delta_log/');
  expect(left[0]).toBe(checkpoint(10));
  for (let i = 10; i < 45; i++) {
    expect((await lab.table(store).snapshot(new Date(times[i] ?? 0))).version).toBe(BigInt(i));
  }
});

test('wherever a clean-up is killed, each version is what it was or told to be gone, and the next one ends it', async () => {
  const whole = new DyingStore('memory://t', lab.clock);
  const all = await aged(whole, 17, SHORT);
  const files = new Map<string, Uint8Array>();
  const modified = new Map<string, number>();
  for await (const meta of whole.list('')) {
    files.set(meta.path, await whole.get(meta.path));
    modified.set(meta.path, meta.modifiedMs);
  }
  const some = new Map([...all].filter(([version]) => [0n, 1n, 4n, 5n, 6n, 9n, 10n, 11n].includes(version)));
  let killed = 0;
  for (let deletions = 0; ; deletions++) {
    const store = new DyingStore('memory://t', { nowMs: () => modified.get(current) ?? lab.clock.nowMs(), sleep: () => Promise.resolve() }); // prettier-ignore
    let current = '';
    for (const [path, bytes] of files) {
      current = path;
      await store.put(path, bytes, 'create');
    }
    current = '';
    store.deletions = deletions;
    const outcome = await cleaned(store);
    const isKilled = store.deleted.length === deletions && Object.hasOwn(outcome as object, 'checkpointError');
    await checkVersions(store, some);
    expect((await lab.table(store).snapshot()).version).toBe(17n);
    if (isKilled) {
      killed++;
      store.deletions = Infinity;
      await cleaned(store, { again: 'yes' });
      expect(await checkVersions(store, some)).toBe(10n);
      expect(await paths(store, '_delta_log/')).toHaveLength(2 * 2 + 7 + 2 + 1);
    }
    await store.close();
    if (!isKilled) break;
  }
  expect(killed).toBe(10 + 1);
  await whole.close();
});

test('two that clean up at once leave what one would', async () => {
  const store = lab.store();
  const all = await aged(store, 17, SHORT);
  const [a, b] = [lab.table(store, { checkpointInterval: 1 }), lab.table(store, { checkpointInterval: 1 })];
  await a.commit({ operation: 'SET TBLPROPERTIES', mode: 'append', add: [], properties: { 'delta.enableExpiredLogCleanup': 'true', 'delta.logRetentionDuration': 'interval 100 days' } }); // prettier-ignore
  const retained = { operation: 'SET TBLPROPERTIES', mode: 'append' as const, add: [] };
  const outcomes = await Promise.all([
    a.commit({ ...retained, properties: SHORT }),
    b.commit({ operation: 'WRITE', mode: 'append', add: [] }),
  ]);
  expect(outcomes.map(({ kind }) => kind)).toContain('committed');
  await b.commit({ operation: 'WRITE', mode: 'append', add: [] });
  expect(await checkVersions(store, all)).toBe(10n);
});

test('a clean-up that fails does not fail the commit, and is told', async () => {
  const store = new DyingStore('memory://t', lab.clock);
  await aged(store, 44);
  store.deletions = 3;
  expect(await cleaned(store)).toMatchObject({
    kind: 'committed',
    version: 44n,
    checkpointError: { code: 'STORAGE_FAILED' },
  });
  await store.close();
});

test('not more than two thousand files go after one commit', async () => {
  const store = new DyingStore('memory://t', lab.clock);
  await aged(store, 44);
  for (let i = 0; i < 2100; i++)
    await writeText(store, `_delta_log/${name(i % 8)}.${name(100 + i)}.compacted.json`, '');
  await cleaned(store);
  expect(store.deleted).toHaveLength(2000);
  expect(await paths(store, '_delta_log/')).toContain(commit(0));
  await cleaned(store, { again: 'yes' });
  expect(store.deleted).toHaveLength(2000 + 100 + 10 + 1);
  await store.close();
});

test('sidecars that no checkpoint refers to go once they are a day old', async () => {
  const store = lab.store();
  await aged(store, 6);
  const old = ['_delta_log/_sidecars/gone.parquet', '_delta_log/_sidecars/used.parquet'];
  for (const path of old) await writeText(store, path, 'x');
  const refer = (file: string): string => `${JSON.stringify({ sidecar: { path: file, sizeInBytes: 1, modificationTime: 1 } })}\n`; // prettier-ignore
  lab.clock.advance(40 * DAY);
  const table = lab.table(store, { checkpointInterval: 1 });
  await lab.written(table, 'SELECT 7::BIGINT AS id');
  await lab.written(table, 'SELECT 8::BIGINT AS id');
  const uuid = '80a083e8-7026-4e79-81be-64bd76c43a11';
  await writeText(store, `_delta_log/${name(7)}.checkpoint.${uuid}.json`, refer('used.parquet'));
  lab.clock.advance(31 * DAY);
  await writeText(store, '_delta_log/_sidecars/new.parquet', 'x');
  await cleaned(store);
  expect(await paths(store, '_delta_log/_sidecars/')).toEqual([
    '_delta_log/_sidecars/new.parquet',
    '_delta_log/_sidecars/used.parquet',
  ]);
  expect(await paths(store, '_delta_log/')).not.toContain(commit(0));
});

test('an entry goes before its checkpoint, and a checkpoint before what follows it; version 0 goes first', () => {
  const log = [checkpoint(2), commit(0), commit(1), commit(2), commit(3), checkpoint(4), commit(4), commit(5), checkpoint(6), commit(6)]; // prettier-ignore
  expect(expiredFiles(log, 6n)).toEqual([
    [commit(0)],
    [commit(1), commit(2)],
    [checkpoint(2)],
    [commit(3), commit(4)],
    [checkpoint(4)],
    [commit(5)],
  ]);
  expect(expiredFiles(log, 0n)).toEqual([]);
  expect(expiredFiles([commit(0), `_delta_log/${name(0)}.json.tmp`, 'part-0.parquet'], 9n)).toEqual([[commit(0)]]);
});

test('guarded versions go all at once, when they go', async () => {
  const guarded = {
    'delta.feature.checkpointProtection': 'supported',
    'delta.requireCheckpointProtectionBeforeVersion': '12',
    ...SHORT,
  };
  const store = new DyingStore('memory://t', lab.clock);
  const all = await aged(store, 17, guarded);
  for (let i = 0; i < 2100; i++)
    await writeText(store, `_delta_log/${name(i % 8)}.${name(100 + i)}.compacted.json`, '');
  await cleaned(store);
  expect(store.deleted).toEqual([]);
  for (let i = 17; i < 20; i++) {
    lab.clock.advance(DAY);
    await cleaned(store, { again: String(i) });
  }
  expect(store.deleted).toHaveLength(2100 + 15 + 2);
  expect(await checkVersions(store, all)).toBe(15n);
  await store.close();
});
