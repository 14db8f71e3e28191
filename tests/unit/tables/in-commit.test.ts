/** Times that commits give themselves: each later than the one before, whatever clocks and files say. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ManualClock } from '../../../core/clock.ts';
import { MemoryStore } from '../../../tables/store/memory.ts';
import type { DeltaTable } from '../../../tables/table.ts';
import type { ObjectStore } from '../../../tables/store/object-store.ts';
import { BusyStore, Lab, paths, readText, START_MS, writeText } from './tables.ts';

const DAY = 86_400_000;
const ON = { 'delta.enableInCommitTimestamps': 'true' };
const SINCE = ['delta.inCommitTimestampEnablementVersion', 'delta.inCommitTimestampEnablementTimestamp'] as const;
const commit = (version: number): string => `_delta_log/${String(version).padStart(20, '0')}.json`;
const row = (id: number): string => `SELECT ${String(id)}::BIGINT AS id`;

let lab: Lab;
beforeAll(async () => {
  lab = await Lab.open();
});
afterAll(() => lab.close());

/** The times in the entries, which must be their first action. */
async function times(store: ObjectStore): Promise<(number | undefined)[]> {
  const found: (number | undefined)[] = [];
  for (const path of await paths(store, '_delta_log/')) {
    if (!/\d{20}\.json$/.test(path)) continue;
    const [first = ''] = (await readText(store, path)).split('\n');
    const { commitInfo } = JSON.parse(first) as { commitInfo: { inCommitTimestamp?: number } };
    found.push(commitInfo.inCommitTimestamp);
  }
  return found;
}

async function since(table: DeltaTable): Promise<readonly (string | undefined)[]> {
  const { properties } = await table.snapshot();
  return SINCE.map((key) => properties[key]);
}

test('a table that begins so has a time in each entry, and no property that says since when', async () => {
  const store = lab.store();
  const table = lab.table(store);
  const start = lab.clock.nowMs();
  await lab.written(table, row(1), { properties: ON });
  lab.clock.advance(500);
  await lab.written(table, row(2));
  expect(await times(store)).toEqual([start, start + 500]);
  expect(await since(table)).toEqual([undefined, undefined]);
  expect((await table.snapshot()).protocol).toEqual({
    minReaderVersion: 1,
    minWriterVersion: 7,
    writerFeatures: ['appendOnly', 'invariants', 'inCommitTimestamp'],
  });
});

test('a clock that stands still or goes back makes no two times the same', async () => {
  const store = lab.store();
  const slow = new ManualClock(START_MS - 5 * DAY);
  await lab.written(lab.table(store, { clock: new ManualClock(START_MS) }), row(1), { properties: ON });
  const table = lab.table(store, { clock: slow });
  await lab.written(table, row(2));
  await lab.written(table, row(3));
  // One that knows the table from its checkpoint alone.
  await lab.written(lab.table(store, { clock: slow, checkpointInterval: 3 }), row(4));
  const late = lab.table(store, { clock: slow });
  expect((await late.snapshot()).timestampMs).toBe(START_MS + 3);
  await lab.written(late, row(5));
  expect(await times(store)).toEqual([0, 1, 2, 3, 4].map((ms) => START_MS + ms));
  expect((await table.snapshot(new Date(START_MS + 2))).version).toBe(2n);
  expect((await late.history(2)).map(({ timestampMs }) => timestampMs)).toEqual([START_MS + 4, START_MS + 3]);
});

test('who lost a race comes after the time of the winner', async () => {
  const store = new BusyStore('memory://t', lab.clock);
  const table = lab.table(store, { clock: new ManualClock(START_MS) });
  await lab.written(table, row(1), { properties: ON });
  const fast = lab.table(store, { clock: new ManualClock(START_MS + DAY) });
  store.before.push(() => lab.written(fast, row(2)));
  expect(await lab.written(table, row(3))).toBe(2n);
  expect(await times(store)).toEqual([START_MS, START_MS + DAY, START_MS + DAY + 1]);
  await store.close();
});

test('a table that is switched over says since when, and time travel knows both sides', async () => {
  const store = lab.store();
  const table = lab.table(store);
  const start = lab.clock.nowMs();
  for (const id of [0, 1]) {
    await lab.written(table, row(id));
    lab.clock.advance(1000);
  }
  // Its clock is behind: the time still comes after the file of the version before.
  const behind = lab.table(store, { clock: new ManualClock(start - DAY) });
  await behind.commit({ operation: 'SET TBLPROPERTIES', mode: 'append', add: [], properties: ON });
  expect(await since(behind)).toEqual(['2', String(start + 1001)]);
  lab.clock.advance(1000);
  await lab.written(table, row(3));
  // The files were copied since: their own times say nothing any more.
  lab.clock.advance(30 * DAY);
  for (const version of [2, 3]) await writeText(store, commit(version), await readText(store, commit(version)));
  const copy = lab.table(store);
  expect(await times(store)).toEqual([undefined, undefined, start + 1001, start + 3000]);
  const at = async (ms: number): Promise<bigint> => (await copy.snapshot(new Date(ms))).version;
  expect(await Promise.all([0, 999, 1000, 1001, 2999, 3000].map((ms) => at(start + ms)))).toEqual([0n, 0n, 1n, 2n, 2n, 3n]); // prettier-ignore
  await expect(at(start - 1)).rejects.toMatchObject({ code: 'VERSION_NOT_FOUND' });
  await expect(at(start + 3001)).rejects.toMatchObject({
    code: 'VERSION_NOT_FOUND',
    message: expect.stringContaining('(version 0) to ') as string,
  });
  expect((await copy.snapshot(2n)).timestampMs).toBe(start + 1001);
});

test('since when is kept by whatever sets the metadata, and new once it was switched off and on again', async () => {
  const store = lab.store();
  const table = lab.table(store);
  await lab.written(table, row(0));
  const set = { operation: 'SET TBLPROPERTIES', mode: 'append' as const, add: [] };
  await table.commit({ ...set, properties: ON });
  const first = await since(table);
  expect(first[0]).toBe('1');
  await table.commit({ ...set, properties: { [SINCE[0]]: '7', [SINCE[1]]: '7' } });
  expect(await since(table)).toEqual(first);
  await lab.written(table, `SELECT 'x' AS other`, { mode: 'overwrite' });
  expect(await since(table)).toEqual(first);
  await table.restore(2n);
  expect(await since(table)).toEqual(first);
  // Version 0 kept no times.
  await table.restore(0n);
  await lab.written(table, row(1));
  expect((await times(store)).slice(-2)).toEqual([undefined, undefined]);
  await table.restore(2n);
  expect((await since(table))[0]).toBe(String((await table.snapshot()).version));
  expect((await times(store)).at(-1)).toBe(Number((await since(table))[1]));
});

test('a clone begins its own times', async () => {
  const table = lab.table();
  await lab.written(table, row(0));
  await table.commit({ operation: 'SET TBLPROPERTIES', mode: 'append', add: [], properties: ON });
  const store = new MemoryStore('memory://other', lab.clock);
  const target = lab.table(store);
  await table.clone(target);
  expect(await since(target)).toEqual([undefined, undefined]);
  expect(await times(store)).toEqual([lab.clock.nowMs()]);
  await store.close();
});

test('the log is cleaned up by these times, not by those of its files', async () => {
  const store = lab.store();
  const table = lab.table(store, { checkpointInterval: 5 });
  for (let i = 0; i < 140; i++) {
    if (i > 0) lab.clock.advance(DAY);
    const keep = { 'delta.enableExpiredLogCleanup': 'false' };
    await lab.written(table, row(i), i === 0 ? { properties: keep } : i === 3 ? { properties: ON } : {});
  }
  for (const path of await paths(store, '_delta_log/')) {
    if (/\d{20}\.json$/.test(path)) await writeText(store, path, await readText(store, path));
  }
  const cleaning = lab.table(store, { checkpointInterval: 1 });
  await cleaning.commit({ operation: 'SET TBLPROPERTIES', mode: 'append', add: [], properties: { 'delta.enableExpiredLogCleanup': 'true' } }); // prettier-ignore
  const left = (await paths(store, '_delta_log/')).filter((path) => path.endsWith('.json'));
  expect(left[0]).toBe(commit(105));
  expect(await lab.rows(lab.table(store), 105n)).toHaveLength(106);
});
