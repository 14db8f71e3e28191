/** CLONE: a table becomes what another is, with its files or with copies, and neither can do harm to the other. */
import { mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemClock } from '../../../core/clock.ts';
import { SluiceError } from '../../../core/errors.ts';
import { systemRandom } from '../../../core/random.ts';
import { DeltaTable } from '../../../tables/index.ts';
import { LocalStore } from '../../../tables/store/local.ts';
import type { ObjectStore } from '../../../tables/store/object-store.ts';
import { BusyStore, Lab, paths, readText, writeText } from './tables.ts';

let lab: Lab;
let root: string;
beforeAll(async () => {
  lab = await Lab.open();
  root = await mkdtemp(join(tmpdir(), 'sluice-clone-'));
});
afterAll(async () => {
  await lab.close();
  await rm(root, { recursive: true, force: true });
});

let folders = 0;
const at = (store: string | ObjectStore): DeltaTable =>
  DeltaTable.at(store, { engine: lab.engine, clock: systemClock, random: systemRandom });
const fresh = (name: string): DeltaTable => at(join(root, `${name} ü% ${String(folders++)}`));
async function shop(): Promise<DeltaTable> {
  const table = fresh('source');
  for (let i = 0; i < 3; i++)
    await table.append(lab.session, {
      source: `SELECT range + ${String(i * 10)} AS id, 'p ' || range % 2 AS part, TIMESTAMP '2026-01-01' AS ntz FROM range(10)`,
      partitionColumns: ['part'],
    });
  await table.commit({ operation: 'SET TBLPROPERTIES', mode: 'append', add: [], properties: { team: 'shop' }, comment: 'of the source' });
  return table;
} // prettier-ignore
const dataFiles = async (table: DeltaTable): Promise<string[]> =>
  (await readdir(table.location, { recursive: true })).filter(
    (file) => file.endsWith('.parquet') && !file.startsWith('_'),
  );

test.each([true, false])('a clone has the rows, columns, properties and protocol of the version that was asked for; shallow: %s', async (shallow) => {
  const source = await shop();
  const clone = fresh('clone');
  const result = await source.clone(clone, { shallow, at: 1n });
  expect(result).toMatchObject({ version: 0n, sourceVersion: 1n, filesAdded: 4, filesRemoved: 0, filesCopied: shallow ? 0 : 4 });
  expect(await dataFiles(clone)).toHaveLength(shallow ? 0 : 4);
  expect(await lab.rows(at(clone.location))).toEqual(await lab.rows(source, 1n));
  const newest = fresh('clone');
  await source.clone(newest, { shallow });
  const [theirs, ours] = [await source.snapshot(), await newest.snapshot()];
  expect(ours.schema).toEqual(theirs.schema);
  expect([ours.partitionColumns, ours.properties, ours.protocol]).toEqual([['part'], { team: 'shop' }, theirs.protocol]);
  expect([ours.tableId === theirs.tableId, ours.comment]).toEqual([false, undefined]);
  expect(await lab.rows(newest)).toEqual(await lab.rows(source));
  expect((await newest.history())[0]).toMatchObject({ operation: 'CLONE', operationParameters: { sourceVersion: '3' }, metrics: { sourceNumOfFiles: '6', numCopiedFiles: shallow ? '0' : '6' } });
  expect((await newest.check(lab.session)).problems).toEqual([]);
}); // prettier-ignore

test('what is done to a shallow clone never touches the source', async () => {
  const source = await shop();
  const rows = await lab.rows(source);
  const before = await dataFiles(source);
  const clone = fresh('clone');
  await source.clone(clone, { shallow: true });
  await clone.delete(lab.session, { where: 'id < 15' });
  await clone.append(lab.session, { source: `SELECT 99 AS id, 'p 0' AS part` });
  await clone.optimize(lab.session);
  for (const table of [clone, source]) {
    for (const file of await dataFiles(table)) await utimes(join(table.location, file), 0, 0);
  }
  expect((await clone.vacuum({ retainHours: 0, force: true, dryRun: true })).deleted.length).toBeGreaterThan(0);
  await clone.vacuum({ retainHours: 0, force: true });
  expect([await dataFiles(source), await lab.rows(source)]).toEqual([before, rows]);
  expect(await lab.rows(at(clone.location))).toHaveLength(16);
  // A clone of the clone has the files of both.
  const [shallow, deep] = [fresh('second'), fresh('third')];
  await clone.clone(shallow, { shallow: true });
  await clone.clone(deep);
  for (const second of [shallow, deep]) expect(await lab.rows(second)).toEqual(await lab.rows(clone));
  await source.overwrite(lab.session, { source: `SELECT 1 AS id, 'x' AS part` });
  await new Promise((resolve) => setTimeout(resolve, 5));
  await source.vacuum({ retainHours: 0, force: true });
  // The source's own vacuum takes files from shallow clones of old versions, and never from deep ones.
  expect(await lab.rows(at(deep.location))).toHaveLength(16);
  const third = fresh('clone');
  await expect(source.clone(third, { at: 1n })).rejects.toMatchObject({ code: 'FILE_MISSING' });
  expect(await third.exists()).toBe(false);
});

test('a deep clone that is made again copies what is new, and removes what is gone', async () => {
  const source = await shop();
  const clone = fresh('clone');
  expect(await source.clone(clone)).toMatchObject({ version: 0n, filesCopied: 6 });
  expect(await source.clone(clone)).toMatchObject({
    version: undefined,
    filesCopied: 0,
    filesAdded: 0,
    filesRemoved: 0,
  });
  await source.append(lab.session, { source: `SELECT 99 AS id, 'p 0' AS part, 5 AS more`, mergeSchema: true });
  await source.delete(lab.session, { where: 'id = 1' });
  expect(await source.clone(clone)).toMatchObject({ version: 1n, filesCopied: 2, filesAdded: 2, filesRemoved: 1 });
  expect(await lab.rows(clone)).toEqual(await lab.rows(source));
  expect(await lab.rows(clone, 0n)).toHaveLength(30);
  await clone.optimize(lab.session);
  expect(await source.clone(clone)).toMatchObject({ filesCopied: 0, version: 3n });
  expect(await lab.rows(clone)).toEqual(await lab.rows(source));
  expect((await clone.check(lab.session)).problems).toEqual([]);
});

test('a table that is no clone, or was changed since, is refused unless it is to be replaced', async () => {
  const source = await shop();
  const other = await shop();
  const clone = fresh('clone');
  await expect(source.clone(other)).rejects.toMatchObject({ code: 'TABLE_EXISTS', message: expect.stringContaining('SET TBLPROPERTIES') as string });
  await source.clone(clone);
  await expect(other.clone(clone)).rejects.toMatchObject({ code: 'TABLE_EXISTS', message: expect.stringContaining('a clone of another table') as string });
  await clone.append(lab.session, { source: `SELECT 7 AS id, 'x' AS part` });
  await expect(source.clone(clone)).rejects.toMatchObject({ code: 'TABLE_EXISTS', message: expect.stringContaining('WRITE') as string });
  const changed = await lab.rows(clone);
  expect(await source.clone(clone, { replace: true })).toMatchObject({ version: 2n, filesRemoved: 1, filesCopied: 0 });
  expect(await lab.rows(clone)).toEqual(await lab.rows(source));
  expect(await lab.rows(clone, 1n)).toEqual(changed);
  await expect(source.clone(source)).rejects.toMatchObject({ code: 'USAGE' });
  await expect(source.clone(at(join(source.location, 'in')))).rejects.toMatchObject({ code: 'USAGE' });
  await expect(source.clone(at(root))).rejects.toMatchObject({ code: 'USAGE' });
  await expect(source.clone(fresh('x'), { at: 99n })).rejects.toMatchObject({ code: 'VERSION_NOT_FOUND' });
}); // prettier-ignore

/** A store that is gone after some writes, as a process that is killed. */
class Mortal extends LocalStore {
  left = Infinity;
  writes = 0;

  override async putFile<T>(path: string, write: (localPath: string) => Promise<T>): Promise<T> {
    if (this.left-- <= 0) throw new SluiceError('STORAGE_FAILED', 'killed');
    this.writes++;
    return super.putFile(path, write);
  }
}

test.each([0, 1, 2, 5, 6])('a deep clone that is killed after %i files is no table, and the next one completes it', async (after) => {
  const source = await shop();
  const store = new Mortal(join(root, `killed ${String(after)}`));
  store.left = after;
  if (after < 6) {
    await expect(source.clone(at(store))).rejects.toMatchObject({ message: 'killed' });
    expect(await at(store.location).exists()).toBe(false);
  }
  // What a killed process had begun to write.
  await writeFile(join(root, 'begun.tmp'), 'x');
  const copied = store.writes;
  store.left = Infinity;
  expect(await source.clone(at(store))).toMatchObject({ version: 0n, filesCopied: 6 - copied });
  expect(store.writes).toBe(6);
  expect(await lab.rows(at(store.location))).toEqual(await lab.rows(source));
  const stop = new AbortController();
  stop.abort();
  await expect(source.clone(fresh('stopped'), { signal: stop.signal })).rejects.toMatchObject({ code: 'INTERRUPTED' });
}); // prettier-ignore

test('a clone that races with a writer of its target begins anew or is refused', async () => {
  const source = lab.table();
  await lab.written(source, 'SELECT 1::BIGINT AS id');
  const store = new BusyStore('memory://clone', lab.clock);
  const [ours, theirs] = [lab.table(store), lab.table(store)];
  await source.clone(ours);
  await lab.written(source, 'SELECT 2::BIGINT AS id');
  store.before.push(() => lab.written(theirs, 'SELECT 7::BIGINT AS id'));
  await expect(source.clone(ours)).rejects.toMatchObject({ code: 'TABLE_EXISTS' });
  store.before.push(() => lab.written(theirs, 'SELECT 8::BIGINT AS id'));
  await source.clone(ours, { replace: true });
  expect((await lab.rows(lab.table(store))).map(({ id }) => id)).toEqual([1n, 2n]);
  await store.close();
});

test('deletion vectors come along: shared in a shallow clone, copied by a deep one', async () => {
  // What Spark writes, with a set of rows of our own making: see the interop tests for tables of Spark.
  const source = await shop();
  const log = new LocalStore(source.location);
  const entry = '_delta_log/00000000000000000000.json';
  const vector = { storageType: 'u', pathOrInlineDv: 'ab^-aqEH.-t@S}K{vb[*k^', offset: 1, sizeInBytes: 36, cardinality: 1 };
  const text = await readText(log, entry);
  await writeText(log, entry, text.replace('"dataChange":true,', `"dataChange":true,"deletionVector":${JSON.stringify(vector)},`));
  await log.put('ab/deletion_vector_d2c639aa-8816-431a-aaf6-d3fe2512ff61.bin', new Uint8Array([1, 2, 3]), 'create');
  const [deep, shallow] = [fresh('deep'), fresh('shallow')];
  await at(source.location).clone(deep);
  await at(source.location).clone(shallow, { shallow: true });
  expect(await paths(new LocalStore(deep.location))).toContain('ab/deletion_vector_d2c639aa-8816-431a-aaf6-d3fe2512ff61.bin');
  const vectorOf = async (table: DeltaTable) => (await table.snapshot()).files.find(({ deletionVector }) => deletionVector !== undefined)?.deletionVector;
  expect(await vectorOf(deep)).toMatchObject({ ...vector, cardinality: 1n });
  const absolute = await vectorOf(shallow);
  expect(absolute).toMatchObject({ storageType: 'p', offset: 1, cardinality: 1n });
  expect(absolute?.pathOrInlineDv).toMatch(/^file:\/.*source%20%C3%BC%25.*\/ab\/deletion_vector_d2c639aa-8816-431a-aaf6-d3fe2512ff61\.bin$/);
}); // prettier-ignore
