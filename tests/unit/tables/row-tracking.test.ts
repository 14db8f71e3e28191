/** Ids of rows: never the same twice, whatever is done to the table and by how many at once; and what is kept with a table for others. */
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { AddFile } from '../../../tables/log/actions.ts';
import { MemoryStore } from '../../../tables/store/memory.ts';
import type { ObjectStore } from '../../../tables/store/object-store.ts';
import type { DeltaTable } from '../../../tables/table.ts';
import { BusyStore, Lab, paths, readText, writeText } from './tables.ts';

const ON = { 'delta.enableRowTracking': 'true' };
const commit = (version: number): string => `_delta_log/${String(version).padStart(20, '0')}.json`;
const rows = (from: number, to: number): string =>
  `SELECT range AS id, 'n' || range AS name FROM range(${String(from)}, ${String(to)})`;

let lab: Lab;
beforeAll(async () => {
  lab = await Lab.open();
});
afterAll(() => lab.close());

interface Entry {
  readonly commitInfo?: { readonly tags?: Record<string, string> };
  readonly add?: {
    readonly path: string;
    readonly dataChange: boolean;
    readonly baseRowId?: number;
    readonly defaultRowCommitVersion?: number;
  };
  readonly remove?: { readonly path: string; readonly baseRowId?: number; readonly defaultRowCommitVersion?: number };
  readonly domainMetadata?: { readonly domain: string; readonly configuration: string; readonly removed: boolean };
}

async function entry(store: ObjectStore, version: number | bigint): Promise<Entry[]> {
  const text = await readText(store, commit(Number(version)));
  return text.split('\n').filter(Boolean).map((line) => JSON.parse(line) as Entry); // prettier-ignore
}

/** First and last id of each file, in order. */
function ranges(files: readonly AddFile[]): [bigint, bigint][] {
  const found = files.map(({ baseRowId = -1n, rows: alive = 0n, deletionVector }): [bigint, bigint] => {
    const last = baseRowId + alive + (deletionVector?.cardinality ?? 0n) - 1n;
    return [baseRowId, last];
  });
  return found.sort(([a], [b]) => (a < b ? -1 : 1));
}

async function highest(store: ObjectStore): Promise<bigint> {
  let mark = -1n;
  for (const path of await paths(store, '_delta_log/')) {
    if (!/\d{20}\.json$/.test(path)) continue;
    for (const { domainMetadata } of await entry(store, BigInt(/\d{20}/.exec(path)?.[0] ?? 0))) {
      if (domainMetadata?.domain !== 'delta.rowTracking') continue;
      mark = BigInt((JSON.parse(domainMetadata.configuration) as { rowIdHighWaterMark: number }).rowIdHighWaterMark);
    }
  }
  return mark;
}

async function expectSound(store: ObjectStore, table: DeltaTable): Promise<void> {
  const { files } = await table.snapshot();
  const all = ranges(files);
  for (const [first, last] of all) expect(last).toBeGreaterThanOrEqual(first);
  for (const [i, [first]] of all.entries()) expect(first).toBeGreaterThan(all[i - 1]?.[1] ?? -1n);
  for (const { defaultRowCommitVersion } of files) expect(defaultRowCommitVersion).toBeGreaterThanOrEqual(0n);
  if (all.length > 0) expect(await highest(store)).toBeGreaterThanOrEqual(all.at(-1)?.[1] ?? 0n);
}

test('a table that begins so gives each row an id, and names for the columns that keep them', async () => {
  const store = lab.store();
  const table = lab.table(store);
  await lab.written(table, rows(0, 10), { properties: ON });
  await lab.written(table, rows(10, 15));
  const { files, protocol, properties } = await table.snapshot();
  expect(files.map(({ baseRowId, defaultRowCommitVersion }) => [baseRowId, defaultRowCommitVersion])).toEqual([
    [0n, 0n],
    [10n, 1n],
  ]);
  expect(await highest(store)).toBe(14n);
  expect(protocol).toEqual({ minReaderVersion: 1, minWriterVersion: 7, writerFeatures: ['appendOnly', 'invariants', 'rowTracking', 'domainMetadata'] });
  expect(properties['delta.rowTracking.materializedRowIdColumnName']).toMatch(/^_row-id-col-[0-9a-f-]{36}$/);
  expect(properties['delta.rowTracking.materializedRowCommitVersionColumnName']).toMatch(/^_row-commit-version-col-[0-9a-f-]{36}$/);
  const [first] = await entry(store, 1);
  expect(first?.commitInfo?.tags).toEqual({ 'delta.rowTracking.preserved': 'true' });
}); // prettier-ignore

test('switched on later: files that are there get ids in the same commit, and change no row', async () => {
  const store = lab.store();
  const table = lab.table(store);
  for (let i = 0; i < 3; i++) await lab.written(table, rows(i * 10, i * 10 + 10));
  const before = await lab.rows(table);
  const result = await table.commit({ operation: 'SET TBLPROPERTIES', mode: 'append', add: [], properties: ON });
  expect(result).toMatchObject({ kind: 'committed', version: 3n });
  await expectSound(store, table);
  expect(await highest(store)).toBe(29n);
  const adds = (await entry(store, 3)).flatMap(({ add }) => add ?? []);
  expect(adds).toHaveLength(3);
  expect(adds.every(({ dataChange, defaultRowCommitVersion }) => !dataChange && defaultRowCommitVersion === 3)).toBe(true);
  expect(await lab.rows(table)).toEqual(before);
  await lab.written(table, rows(30, 31));
  expect(ranges((await table.snapshot()).files).at(-1)).toEqual([30n, 30n]);
}); // prettier-ignore

test('a file with another deletion vector, and one that a restore brings back, keep their ids', async () => {
  const store = lab.store();
  const table = lab.table(store);
  await lab.written(table, rows(0, 10), { properties: { ...ON, 'delta.enableDeletionVectors': 'true' } });
  await lab.written(table, rows(10, 20));
  await table.delete(lab.session, { where: 'id = 3' });
  expect(ranges((await table.snapshot()).files)).toEqual([
    [0n, 9n],
    [10n, 19n],
  ]);
  const [told] = await entry(store, 2);
  expect(told?.commitInfo?.tags).toEqual({ 'delta.rowTracking.preserved': 'true' });
  const removed = (await entry(store, 2)).flatMap(({ remove }) => remove ?? []);
  expect(removed).toEqual([expect.objectContaining({ baseRowId: 0, defaultRowCommitVersion: 0 })]);
  await table.delete(lab.session, { where: 'id < 10' });
  await table.restore(1n);
  expect(ranges((await table.snapshot()).files)).toEqual([
    [0n, 9n],
    [10n, 19n],
  ]);
  expect((await table.snapshot()).files.map(({ defaultRowCommitVersion }) => defaultRowCommitVersion).sort()).toEqual([0n, 1n]);
  expect(await highest(store)).toBe(19n);
}); // prettier-ignore

test('rows that are written anew get new ids, and the commit says that they do', async () => {
  const store = lab.store();
  const table = lab.table(store);
  await lab.written(table, rows(0, 10), { properties: ON });
  const { version } = await table.update(lab.session, { where: 'id = 3', set: { name: `'x'` } });
  expect(ranges((await table.snapshot()).files)).toEqual([[10n, 19n]]);
  const [told] = await entry(store, version ?? 0n);
  expect(told?.commitInfo?.tags).toEqual({ 'delta.rowTracking.preserved': 'false' });
  await table.overwrite(lab.session, { source: rows(0, 4) });
  await expectSound(store, table);
});

test('of two who append at once neither takes the ids of the other', async () => {
  const store = new BusyStore('memory://t', lab.clock);
  const [one, other] = [lab.table(store), lab.table(store)];
  await lab.written(one, rows(0, 10), { properties: ON });
  store.before.push(() => lab.written(other, rows(10, 17)));
  await lab.written(one, rows(17, 20));
  expect(ranges((await one.snapshot()).files)).toEqual([
    [0n, 9n],
    [10n, 16n],
    [17n, 19n],
  ]);
  await store.close();
});

test('suspended: no row gets an id; and not while tracking is on', async () => {
  const table = lab.table();
  await lab.written(table, rows(0, 10), { properties: { 'delta.feature.rowTracking': 'supported', 'delta.rowTrackingSuspended': 'true' } });
  const [file] = (await table.snapshot()).files;
  expect([file?.baseRowId, file?.defaultRowCommitVersion]).toEqual([undefined, undefined]);
  const both = lab.table();
  await expect(lab.written(both, rows(0, 1), { properties: { ...ON, 'delta.rowTrackingSuspended': 'true' } })).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  expect(await both.exists()).toBe(false);
}); // prettier-ignore

test('names of the columns that keep ids are not for users, and no column may have them', async () => {
  const table = lab.table();
  const key = 'delta.rowTracking.materializedRowIdColumnName';
  await expect(lab.written(table, rows(0, 1), { properties: { [key]: 'x' } })).rejects.toMatchObject({ code: 'UNSUPPORTED_FEATURE', message: expect.stringContaining(key) as string });
  await lab.written(table, rows(0, 1), { properties: ON });
  const name = (await table.snapshot()).properties[key] ?? '';
  const taken = lab.written(table, `SELECT 1::BIGINT AS id, 'x' AS name, 1 AS "${name}"`);
  await expect(taken).rejects.toMatchObject({ code: 'SCHEMA_INCOMPATIBLE', message: expect.stringContaining(name) as string });
}); // prettier-ignore

test('a clone has ids and names of its own', async () => {
  const [source, target] = [lab.table(), lab.table(new MemoryStore('memory://u', lab.clock))];
  await lab.written(source, rows(0, 10), { properties: ON });
  await lab.written(source, rows(10, 20));
  await source.delete(lab.session, { where: 'id < 10' });
  await source.clone(target);
  const [from, to] = [await source.snapshot(), await target.snapshot()];
  expect(ranges(from.files)).toEqual([[10n, 19n]]);
  expect(ranges(to.files)).toEqual([[0n, 9n]]);
  const key = 'delta.rowTracking.materializedRowIdColumnName';
  expect(to.properties[key]).toMatch(/^_row-id-col-/);
  expect(to.properties[key]).not.toBe(from.properties[key]);
});

test.each(['classic', 'v2'])('what others keep with the table stays, also in a checkpoint of policy %s', async (policy) => {
  const store = lab.store();
  const table = lab.table(store);
  await lab.written(table, rows(0, 10), { properties: { ...ON, 'delta.checkpointPolicy': policy, 'delta.checkpointInterval': '4' } });
  const text = await readText(store, commit(0));
  const mine = (domain: string, configuration: string, removed = false): string =>
    `${JSON.stringify({ domainMetadata: { domain, configuration, removed } })}\n`;
  await writeText(store, commit(0), `${text}${mine('my.domain', '{"a":1}')}${mine('gone', 'x')}`);
  await writeText(store, commit(1), `${JSON.stringify({ commitInfo: {} })}\n${mine('gone', 'x', true)}`);
  const fresh = lab.table(store);
  for (let i = 1; i <= 3; i++) await lab.written(fresh, rows(i * 10, i * 10 + 10));
  const files = await paths(store, '_delta_log/');
  expect(files).toContain('_delta_log/00000000000000000004.checkpoint.parquet');
  for (let version = 0; version <= 4; version++) await store.delete(commit(version));
  const from = lab.table(store);
  await lab.written(from, rows(40, 50));
  await expectSound(store, from);
  expect(ranges((await from.snapshot()).files)).toHaveLength(5);
  const local = await store.localFile('_delta_log/00000000000000000004.checkpoint.parquet');
  const columns = await lab.session.describe(`FROM read_parquet('${local}')`);
  expect(columns.some(({ name }) => name === 'checkpointMetadata')).toBe(policy === 'v2');
  const domains = await lab.session.rows(`SELECT domainMetadata.domain AS domain, domainMetadata.configuration AS said FROM read_parquet('${local}') WHERE domainMetadata IS NOT NULL ORDER BY ALL`);
  expect(domains).toEqual([
    { domain: 'delta.rowTracking', said: '{"rowIdHighWaterMark":39}' },
    { domain: 'my.domain', said: '{"a":1}' },
  ]);
  if (policy === 'v2') {
    const said = await lab.session.rows(`SELECT checkpointMetadata.version AS v FROM read_parquet('${local}') WHERE checkpointMetadata IS NOT NULL`);
    expect(said.map(({ v }) => Number(v))).toEqual([4]);
  }
}); // prettier-ignore

test('whatever is done: no id twice in any version', async () => {
  const step = fc.oneof(
    fc.record({ do: fc.constant('append' as const), n: fc.integer({ min: 1, max: 6 }) }),
    fc.record({ do: fc.constantFrom('delete' as const, 'update' as const), n: fc.integer({ min: 0, max: 5 }) }),
    fc.record({ do: fc.constantFrom('optimize' as const, 'restore' as const, 'on' as const, 'vectors' as const), n: fc.nat({ max: 4 }) }),
  );
  await fc.assert(
    fc.asyncProperty(fc.boolean(), fc.array(step, { minLength: 1, maxLength: 8 }), async (isOn, steps) => {
      const store = lab.store();
      const table = lab.table(store);
      await lab.written(table, rows(0, 6), { properties: isOn ? ON : {} });
      let tracked = isOn;
      for (const { do: what, n } of steps) {
        const where = `id % 6 = ${String(n)}`;
        if (what === 'append') await lab.written(table, rows(0, n));
        else if (what === 'delete') await table.delete(lab.session, { where });
        else if (what === 'update') await table.update(lab.session, { where, set: { name: `'x'` } });
        else if (what === 'optimize') await table.optimize(lab.session);
        else if (what === 'restore') {
          const { version } = await table.snapshot();
          await table.restore(version > BigInt(n) ? version - BigInt(n) : 0n);
          tracked = (await table.snapshot()).properties['delta.enableRowTracking'] === 'true';
        } else {
          const properties = what === 'on' ? ON : { 'delta.enableDeletionVectors': 'true' };
          await table.commit({ operation: 'SET TBLPROPERTIES', mode: 'append', add: [], properties });
          tracked ||= what === 'on';
        }
        if (tracked) await expectSound(store, table);
      }
      const read = await lab.rows(lab.table(store));
      expect(read).toEqual(await lab.rows(table));
    }),
    { numRuns: 25 },
  );
}, 120_000); // prettier-ignore
