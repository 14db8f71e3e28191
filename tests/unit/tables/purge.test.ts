/** A purge takes deleted rows out of files, and leaves files alone that have none. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { DeltaTable } from '../../../tables/index.ts';
import type { ObjectStore } from '../../../tables/store/object-store.ts';
import { BusyStore, Lab, paths, START_MS, writeText } from './tables.ts';

let lab: Lab;
beforeAll(async () => {
  lab = await Lab.open();
});
afterAll(() => lab.close());

/** The rows 3, 4, 7, 11, 18 and 29: the example of the protocol. */
const VECTOR = { storageType: 'i', pathOrInlineDv: '^Bg9^0rr910000000000iXQKl0rr91000f55c8Xg0@@D72lkbi5=-{L', sizeInBytes: 44, cardinality: 6 }; // prettier-ignore
const DELETED = new Set([3, 4, 7, 11, 18, 29]);
const FEATURES = ['deletionVectors'];
const protocol = { minReaderVersion: 3, minWriterVersion: 7, readerFeatures: FEATURES, writerFeatures: FEATURES };
const ids = (from: number, to: number): string =>
  `SELECT range AS id, 'a' AS p FROM range(${String(from)}, ${String(to)})`;
const idsIn = async (table: DeltaTable): Promise<number[]> => (await lab.rows(table)).map(({ id }) => Number(id));
const numbers = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);

/** Three files of a partition, of which the first has deleted rows, as other engines leave it. */
async function withVector(store: ObjectStore, partitionColumns: string[] = ['p']): Promise<DeltaTable> {
  const table = lab.table(store);
  await lab.written(table, ids(0, 40), { partitionColumns });
  const [file] = (await table.snapshot()).files;
  const { path = '', partitionValues, bytes = 0n } = file ?? {};
  const remove = { path, dataChange: true, deletionTimestamp: START_MS };
  const add = { path, partitionValues, size: Number(bytes), modificationTime: 0, dataChange: true, stats: '{"numRecords":40,"tightBounds":false}', deletionVector: VECTOR }; // prettier-ignore
  const lines = [{ protocol }, { remove }, { add }].map((action) => `${JSON.stringify(action)}\n`);
  await writeText(store, '_delta_log/00000000000000000001.json', lines.join(''));
  await lab.written(table, ids(40, 42), { partitionColumns });
  await lab.written(table, ids(42, 44), { partitionColumns });
  return table;
}

const LEFT = numbers(0, 44).filter((id) => !DELETED.has(id));

test.each([[['p']], [[]]])('only the file with deleted rows is written anew, partitioned by %j', async (by) => {
  const store = lab.store();
  const table = await withVector(store, by);
  const { files: before, version } = await table.snapshot();
  expect(await idsIn(table)).toEqual(LEFT);
  expect(await table.optimize(lab.session, { purge: true })).toMatchObject({ filesRemoved: 1, filesAdded: 1 });
  const { files, rows } = await lab.table(store).snapshot();
  expect([files.length, rows]).toEqual([3, 38n]);
  expect(files.filter(({ deletionVector }) => deletionVector !== undefined)).toEqual([]);
  const whole = before.filter(({ deletionVector }) => deletionVector === undefined).map(({ path }) => path);
  expect(files.map(({ path }) => path)).toEqual(expect.arrayContaining(whole));
  expect(await idsIn(lab.table(store))).toEqual(LEFT);
  const [newest] = await table.history();
  expect(newest).toMatchObject({ operation: 'REORG', operationParameters: { applyPurge: 'true', predicate: '[]' } });
  const [commit] = await table.changes(version + 1n, version + 1n);
  expect([...(commit?.adds ?? []), ...(commit?.removes ?? [])].map(({ dataChange }) => dataChange)).toEqual([
    false,
    false,
  ]);
  expect((await table.optimize(lab.session, { purge: true })).version).toBeUndefined();
});

test('a purge stays within its condition, and puts nothing in order', async () => {
  const table = await withVector(lab.store());
  expect((await table.optimize(lab.session, { purge: true, where: `p = 'b'` })).version).toBeUndefined();
  const refused = table.optimize(lab.session, { purge: true, zOrderBy: ['id'] });
  await expect(refused).rejects.toMatchObject({ code: 'USAGE' });
  expect((await table.optimize(lab.session, { purge: true, where: `p = 'a'` })).filesRemoved).toBe(1);
});

test('a purge that races with appends and deletes loses no row, brings none back, and leaves no file behind', async () => {
  const store = new BusyStore();
  const table = await withVector(store);
  const other = lab.table(store);
  store.before.push(
    () => lab.written(other, ids(44, 45), { partitionColumns: ['p'] }),
    () => other.delete(lab.session, { where: 'id = 5' }),
  );
  await table.optimize(lab.session, { purge: true });
  expect(await idsIn(lab.table(store))).toEqual([...LEFT.filter((id) => id !== 5), 44]);
  const { files, removed } = await lab.table(store).snapshot();
  const known = new Set([...files, ...removed].map(({ path }) => path));
  const data = (await paths(store)).filter((path) => path.endsWith('.parquet') && !path.startsWith('_delta_log'));
  expect(data.filter((path) => !known.has(path))).toEqual([]);
  await store.close();
});
