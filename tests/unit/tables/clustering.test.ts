/** Clustered tables: columns that stay with the table, whatever is renamed or restored; OPTIMIZE puts what is new in order, and nothing else. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { MemoryStore } from '../../../tables/store/memory.ts';
import type { DeltaTable } from '../../../tables/table.ts';
import { BusyStore, Lab, paths, readText, writeText } from './tables.ts';

let lab: Lab;
beforeAll(async () => {
  lab = await Lab.open();
});
afterAll(() => lab.close());

const rows = (from: number, to: number): string =>
  `SELECT range AS id, (hash(range) % 1000)::INTEGER AS a, ('k' || lpad((hash(range * 7) % 1000)::VARCHAR, 4, '0')) AS b, repeat('x', 20) || hash(range)::VARCHAR AS filler, {'x': range % 7, 'ok': range % 2 = 0} AS s, [range] AS l FROM range(${String(from)}, ${String(to)})`;

async function clustered(by: readonly string[], store = lab.store(), properties: Record<string, string> = {}): Promise<DeltaTable> {
  const table = lab.table(store);
  await table.create({ schema: await lab.schemaOf(rows(0, 1)), clusterBy: by, properties });
  return table;
} // prettier-ignore

async function columns(table: DeltaTable): Promise<string[]> {
  return (await table.snapshot()).clusteringColumns.map((path) => path.join('.'));
}

async function lastDomain(store: MemoryStore, version: number): Promise<unknown> {
  const text = await readText(store, `_delta_log/${String(version).padStart(20, '0')}.json`);
  const line = text.split('\n').find((one) => one.includes('"delta.clustering"'));
  return line === undefined ? undefined : (JSON.parse(line) as { domainMetadata: unknown }).domainMetadata;
}

test('the protocol and the domain are those of the protocol text', async () => {
  const store = lab.store();
  const table = await clustered(['A', 's.x'], store);
  expect((await table.snapshot()).protocol).toEqual({ minReaderVersion: 1, minWriterVersion: 7, writerFeatures: ['appendOnly', 'invariants', 'clustering', 'domainMetadata'] });
  expect(await lastDomain(store, 0)).toEqual({ domain: 'delta.clustering', configuration: '{"clusteringColumns":[["a"],["s","x"]],"domainName":"delta.clustering"}', removed: false });
  expect(await columns(table)).toEqual(['a', 's.x']);
}); // prettier-ignore

test('OPTIMIZE puts the rows in order, says so, and has nothing to do then', async () => {
  const table = await clustered(['a', 'b']);
  for (let i = 0; i < 4; i++) await lab.written(table, rows(i * 500, i * 500 + 500));
  const before = await lab.rows(table);
  const targetBytes = Math.ceil(Number((await table.snapshot()).bytes) / 16);
  const done = await table.optimize(lab.session, { targetBytes });
  expect(done.filesRemoved).toBe(4);
  expect(done.filesAdded).toBeGreaterThan(8);
  const { files } = await table.snapshot();
  expect(files.every(({ clusteringProvider }) => clusteringProvider === 'sluice')).toBe(true);
  expect(await lab.rows(table)).toEqual(before);
  const [entry] = await table.history(1);
  expect(entry?.operationParameters).toMatchObject({ clusterBy: '["a","b"]', zOrderBy: '[]' });
  expect(await table.optimize(lab.session, { targetBytes })).toMatchObject({ version: undefined });
});

test('what is large and in order stays; what came since is put in order by itself', async () => {
  const table = await clustered(['a']);
  await lab.written(table, rows(0, 4000));
  const targetBytes = Math.ceil(Number((await table.snapshot()).bytes) / 80);
  await table.optimize(lab.session, { targetBytes });
  const first = new Set((await table.snapshot()).files.map(({ path }) => path));
  expect(first.size).toBeGreaterThan(64);
  await lab.written(table, rows(4000, 4100));
  await lab.written(table, rows(4100, 4200));
  const again = await table.optimize(lab.session, { targetBytes });
  expect(again.filesRemoved).toBe(2);
  const { files } = await table.snapshot();
  expect(files.filter(({ path }) => first.has(path))).toHaveLength(first.size);
});

test('files that another implementation has put in order are left alone', async () => {
  const table = await clustered(['a']);
  const add = (await lab.stage(table, rows(0, 50))).map((file) => ({ ...file, clusteringProvider: 'liquid' }));
  await table.commit({ operation: 'WRITE', mode: 'append', add });
  for (let i = 1; i < 4; i++) await lab.written(table, rows(i * 50, i * 50 + 50));
  const done = await table.optimize(lab.session);
  expect(done.filesRemoved).toBe(3);
  const providers = (await table.snapshot()).files.map(({ clusteringProvider }) => clusteringProvider).sort();
  expect(providers).toEqual(['liquid', 'sluice']);
});

test('the columns have statistics in every file, wherever they stand', async () => {
  const many = `SELECT ${Array.from({ length: 40 }, (_, i) => `range + ${String(i)} AS c${String(i)}`).join(', ')} FROM range(5)`;
  const table = lab.table();
  const schema = await lab.schemaOf(many);
  const refused = table.create({ schema, clusterBy: ['c38'] });
  await expect(refused).rejects.toMatchObject({ code: 'SCHEMA_INCOMPATIBLE', message: expect.stringContaining('c38: the column has no statistics') as string });
  expect(await table.exists()).toBe(false);
  await table.create({ schema, clusterBy: ['c38'], properties: { 'delta.dataSkippingStatsColumns': 'c1, `c38`' } });
  await lab.written(table, many);
  const stats = JSON.parse((await table.snapshot()).files[0]?.stats ?? '{}') as { minValues: Record<string, number> };
  expect(stats.minValues).toEqual({ c1: 1, c38: 38 });
  await table.commit({ operation: 'SET TBLPROPERTIES', mode: 'append', add: [], unset: ['delta.dataSkippingStatsColumns'] }).then(
    () => expect.unreachable('a clustered table would lose statistics'),
    (error: unknown) => { expect(error).toMatchObject({ code: 'SCHEMA_INCOMPATIBLE' }); },
  );
}); // prettier-ignore

test.each([
  [{ 'delta.dataSkippingNumIndexedCols': '2' }, ['id', 'a']],
  [{ 'delta.dataSkippingNumIndexedCols': '0' }, []],
  [{ 'delta.dataSkippingNumIndexedCols': '-1' }, ['id', 'a', 'b', 'filler', 's']],
  [{ 'delta.dataSkippingStatsColumns': 's.x,B' }, ['b', 's']],
  [{ 'delta.dataSkippingStatsColumns': '' }, []],
])('statistics as the table asks for them: %j', async (properties, expected) => {
  const table = lab.table();
  await table.create({ schema: await lab.schemaOf(rows(0, 1)), properties });
  await lab.written(table, rows(0, 5));
  const stats = JSON.parse((await table.snapshot()).files[0]?.stats ?? '{}') as Record<'nullCount' | 'minValues', Record<string, unknown>> & { numRecords: number };
  expect(Object.keys(stats.nullCount).sort()).toEqual([...expected].sort());
  expect(stats.numRecords).toBe(5);
  if (expected.includes('s') && expected.length === 2) expect(stats.nullCount['s']).toEqual({ x: 0 });
}); // prettier-ignore

test.each([
  [{ 'delta.dataSkippingNumIndexedCols': 'many' }, 'a number of columns'],
  [{ 'delta.dataSkippingStatsColumns': 'a,nothing' }, 'there is no column nothing'],
])('what means nothing is refused: %j', async (properties, message) => {
  const table = lab.table();
  const refused = lab.written(table, rows(0, 5), { properties });
  await expect(refused).rejects.toMatchObject({ code: 'CONFIG_INVALID', message: expect.stringContaining(message) as string }); // prettier-ignore
  expect(await table.exists()).toBe(false);
});

test.each([
  [['nothing'], 'UNKNOWN_COLUMN', 'nothing'],
  [['l'], 'SCHEMA_INCOMPATIBLE', 'no order'],
  [['s.ok'], 'SCHEMA_INCOMPATIBLE', 'no order'],
  [['a', 'A'], 'SCHEMA_INCOMPATIBLE', 'twice'],
  [['id', 'a', 'b', 'filler', 's.x'], 'SCHEMA_INCOMPATIBLE', '5 columns'],
])('no table is clustered by %j', async (by, code, message) => {
  const table = lab.table();
  await expect(table.create({ schema: await lab.schemaOf(rows(0, 1)), clusterBy: by })).rejects.toMatchObject({ code, message: expect.stringContaining(message) as string }); // prettier-ignore
  expect(await table.exists()).toBe(false);
});

test('a partitioned table is not clustered, and a clustered one not put in another order', async () => {
  const partitioned = lab.table();
  await lab.written(partitioned, rows(0, 5), { partitionColumns: ['a'] });
  await expect(partitioned.alter(lab.session, { clusterBy: ['b'] })).rejects.toMatchObject({ code: 'SCHEMA_INCOMPATIBLE', message: expect.stringContaining('partitioned by a') as string });
  const table = await clustered(['a']);
  await lab.written(table, rows(0, 5));
  await expect(table.optimize(lab.session, { zOrderBy: ['b'] })).rejects.toMatchObject({ code: 'USAGE', message: expect.stringContaining('clustered by a') as string });
}); // prettier-ignore

test('the columns are altered, outlive a rename, and cannot be dropped', async () => {
  const store = lab.store();
  const table = await clustered(['a'], store, { 'delta.columnMapping.mode': 'name', 'delta.checkpointInterval': '3' });
  await lab.written(table, rows(0, 5));
  await table.alter(lab.session, { clusterBy: ['b', 's.x'] });
  const [entry] = await table.history(1);
  expect(entry).toMatchObject({ operation: 'CLUSTER BY', operationParameters: { oldClusteringColumns: 'a', newClusteringColumns: 'b,s.x' } });
  await table.alter(lab.session, { renameColumn: { from: 'b', to: 'best' } });
  expect(await columns(lab.table(store))).toEqual(['best', 's.x']);
  await expect(table.alter(lab.session, { dropColumns: ['best'] })).rejects.toMatchObject({ code: 'SCHEMA_INCOMPATIBLE', message: expect.stringContaining('clustered by a column that would be gone') as string });
  await table.alter(lab.session, { dropColumns: ['a'] });
  await table.alter(lab.session, { clusterBy: [] });
  expect(await columns(table)).toEqual([]);
  await table.alter(lab.session, { dropColumns: ['best'] });
  await table.restore(2n);
  expect(await columns(table)).toEqual(['b', 's.x']);
  expect((await paths(store, '_delta_log/')).some((path) => path.includes('.checkpoint.'))).toBe(true);
}); // prettier-ignore

test('a clone is clustered as its source, and of two who cluster a table at once one is told', async () => {
  const source = await clustered(['a']);
  await lab.written(source, rows(0, 5));
  const copy = lab.table(new MemoryStore('memory://u', lab.clock));
  await source.clone(copy);
  expect(await columns(copy)).toEqual(['a']);
  const store = new BusyStore('memory://t', lab.clock);
  const table = await clustered(['a'], store);
  const other = lab.table(store);
  await other.snapshot();
  store.before.push(() => other.alter(lab.session, { clusterBy: ['b'] }));
  const { version } = await table.snapshot();
  const change = { operation: 'CLUSTER BY', mode: 'append' as const, add: [], clusterBy: ['id'], read: { version, files: [], wouldRead: () => false } };
  expect(await table.commit(change)).toMatchObject({ kind: 'conflict', reason: { kind: 'metadata' } });
  expect(await columns(table)).toEqual(['b']);
  await store.close();
}); // prettier-ignore

test('a race that is lost to a delete does not end OPTIMIZE: the rows are put in order all the same', async () => {
  const store = new BusyStore('memory://t', lab.clock);
  const table = await clustered(['a'], store);
  for (let i = 0; i < 3; i++) await lab.written(table, rows(i * 10, i * 10 + 10));
  const other = lab.table(store);
  store.before.push(() => other.delete(lab.session, { where: 'id = 5' }));
  expect(await table.optimize(lab.session)).toMatchObject({ filesRemoved: 3, filesAdded: 1 });
  expect((await table.snapshot()).rows).toBe(29n);
  await store.close();
});

test('a purge takes deleted rows out of the files of every implementation', async () => {
  const table = await clustered(['a'], lab.store(), { 'delta.enableDeletionVectors': 'true' });
  const add = (await lab.stage(table, rows(0, 50))).map((file) => ({ ...file, clusteringProvider: 'liquid' }));
  await table.commit({ operation: 'WRITE', mode: 'append', add });
  await table.delete(lab.session, { where: 'id = 5' });
  expect((await table.snapshot()).files[0]?.deletionVector).toBeDefined();
  expect(await table.optimize(lab.session, { purge: true })).toMatchObject({ filesRemoved: 1, filesAdded: 1 });
  const { files } = await table.snapshot();
  expect(files.map(({ rows: count, deletionVector, clusteringProvider }) => [count, deletionVector, clusteringProvider])).toEqual([[49n, undefined, undefined]]);
}); // prettier-ignore

test('rows are taken by a table of which another writer has clustered a column without statistics, and what is altered is held to them', async () => {
  const store = lab.store();
  await clustered(['a'], store);
  const path = '_delta_log/00000000000000000000.json';
  const text = await readText(store, path);
  await writeText(store, path, text.replace('"configuration":{}', '"configuration":{"delta.dataSkippingNumIndexedCols":"0"}'));
  const table = lab.table(store);
  expect((await table.snapshot()).properties).toEqual({ 'delta.dataSkippingNumIndexedCols': '0' });
  await lab.written(table, rows(0, 5));
  await table.delete(lab.session, { where: 'id = 1' });
  await table.optimize(lab.session);
  const stats = JSON.parse((await table.snapshot()).files[0]?.stats ?? '{}') as { minValues: Record<string, number> };
  expect(Object.keys(stats.minValues)).toEqual(['a']);
  await expect(table.alter(lab.session, { comment: 'more' })).rejects.toMatchObject({ code: 'SCHEMA_INCOMPATIBLE', message: expect.stringContaining('has no statistics') as string });
  await table.alter(lab.session, { clusterBy: [] });
  await table.alter(lab.session, { comment: 'more' });
}); // prettier-ignore

test('small files of another implementation are put together once the table is no longer clustered', async () => {
  const table = await clustered(['a']);
  for (let i = 0; i < 3; i++) {
    const add = (await lab.stage(table, rows(i * 10, i * 10 + 10))).map((file) => ({ ...file, clusteringProvider: 'liquid' }));
    await table.commit({ operation: 'WRITE', mode: 'append', add });
  }
  expect(await table.optimize(lab.session)).toMatchObject({ version: undefined });
  await table.alter(lab.session, { clusterBy: [] });
  expect(await table.optimize(lab.session)).toMatchObject({ filesRemoved: 3, filesAdded: 1 });
}); // prettier-ignore

test('a clustered table is not made a partitioned one behind its back, and is told how it can be', async () => {
  const table = await clustered(['a']);
  await lab.written(table, rows(0, 5));
  const anew = { source: rows(0, 5), overwriteSchema: true, partitionColumns: ['a'] };
  await expect(table.overwrite(lab.session, anew)).rejects.toMatchObject({ code: 'SCHEMA_INCOMPATIBLE', advice: expect.stringContaining('--cluster-by none') as string });
  await table.alter(lab.session, { clusterBy: [] });
  await table.overwrite(lab.session, anew);
  expect((await table.snapshot()).partitionColumns).toEqual(['a']);
}); // prettier-ignore
