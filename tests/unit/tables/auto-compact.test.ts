/** Small files are put together while a table is written: nobody waits for it, no row is lost, no stream reads twice. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { SluiceError } from '../../../core/errors.ts';
import type { AddFile } from '../../../tables/log/actions.ts';
import type { Compaction } from '../../../tables/maintain/auto-compact.ts';
import { tiersOf } from '../../../tables/maintain/bins.ts';
import { MemoryStore } from '../../../tables/store/memory.ts';
import type { PutMode, PutResult } from '../../../tables/store/object-store.ts';
import { BusyStore, Lab } from './tables.ts';

let lab: Lab;
beforeAll(async () => {
  lab = await Lab.open();
});
afterAll(() => lab.close());

const ON = { properties: { 'delta.autoOptimize.autoCompact': 'true' } };
const row = (id: number): string => `SELECT ${String(id)}::BIGINT AS id, ['a', 'b'][${String(id % 2)} + 1] AS p`;

test('fifty commits become one file in the background, and positions and rows stay', async () => {
  const told: Compaction[] = [];
  const table = lab.table(lab.store(), { onCompaction: (done) => told.push(done) });
  for (let id = 0; id < 60; id++) {
    await lab.written(table, row(id), { ...ON, txn: new Map([['sluice:t:0', BigInt(id)]]) });
    await table.settle();
  }
  const { files, rows, txn } = await table.snapshot();
  expect([files.length, rows, txn.get('sluice:t:0')]).toEqual([11, 60n, 59n]);
  expect(told).toMatchObject([{ filesRemoved: 50, filesAdded: 1 }]);
  const entry = (await table.history()).find(({ operation }) => operation === 'OPTIMIZE');
  expect(entry?.operationParameters['auto']).toBe('true');
  const changes = await table.changes(0n, (await table.snapshot()).version);
  const rewritten = changes.flatMap(({ adds, removes }) => (removes.length > 0 ? [...adds, ...removes] : []));
  expect(rewritten.map(({ dataChange }) => dataChange)).toEqual(rewritten.map(() => false));
});

test('each partition for itself, once it has enough of them', async () => {
  const table = lab.table(lab.store(), { autoCompact: true });
  for (let id = 0; id < 98; id++) await lab.written(table, row(id), { partitionColumns: ['p'] });
  await table.settle();
  expect((await table.snapshot()).files.length).toBe(98);
  await lab.written(table, row(98), { partitionColumns: ['p'] });
  await lab.written(table, row(100), { partitionColumns: ['p'] });
  await table.settle();
  expect((await table.snapshot()).files.length).toBeLessThanOrEqual(51);
});

test('a table that says no is left alone, and so is one that says nothing where nobody asked', async () => {
  for (const [parts, properties] of [
    [{ autoCompact: true }, { 'delta.autoOptimize.autoCompact': 'false' }],
    [{}, {}],
  ] as const) {
    const table = lab.table(lab.store(), parts);
    for (let id = 0; id < 52; id++) await lab.written(table, row(id), { properties });
    await table.settle();
    expect((await table.snapshot()).files.length).toBe(52);
  }
});

test('commits do not wait for it, and what they append or delete meanwhile holds', async () => {
  const store = new BusyStore('memory://t', lab.clock);
  const table = lab.table(store, { autoCompact: true });
  for (let id = 0; id < 49; id++) await lab.written(table, row(id));
  await table.settle();
  const other = lab.table(store);
  const session = await lab.engine.session();
  await lab.written(table, row(49));
  store.before.push(() => other.delete(session, { where: 'id < 10' }));
  store.before.push(() => lab.written(other, row(1000)));
  await Promise.all([lab.written(other, row(50)), table.settle()]);
  await table.settle();
  expect((await lab.rows(table)).map(({ id }) => Number(id))).toEqual([
    ...Array.from({ length: 41 }, (_, i) => 10 + i),
    1000,
  ]);
  session.close();
  await store.close();
});

class FullStore extends MemoryStore {
  isFull = false;

  override async put(path: string, bytes: Uint8Array, mode: PutMode): Promise<PutResult> {
    return super.put(path, bytes, mode);
  }

  override async putFile<T>(path: string, write: (localPath: string) => Promise<T>): Promise<T> {
    if (this.isFull) throw new SluiceError('STORAGE_FULL', 'no space left');
    return super.putFile(path, write);
  }
}

test('a failure is told, changes nothing, and the next commits try again', async () => {
  const store = new FullStore('memory://t', lab.clock);
  const told: Compaction[] = [];
  const table = lab.table(store, { autoCompact: true, onCompaction: (done) => told.push(done) });
  for (let id = 0; id < 49; id++) await lab.written(table, row(id));
  await table.settle();
  const add = await lab.stage(table, row(49));
  store.isFull = true;
  expect((await table.commit({ operation: 'WRITE', mode: 'append', add })).kind).toBe('committed');
  await table.settle();
  expect(told).toMatchObject([{ error: { code: 'STORAGE_FULL' } }]);
  expect((await table.snapshot()).files.length).toBe(50);
  store.isFull = false;
  await lab.written(table, row(50));
  await table.settle();
  expect((await table.snapshot()).files.length).toBe(1);
  await store.close();
});

test('once it was stopped nothing is begun any more', async () => {
  const table = lab.table(lab.store(), { autoCompact: true });
  await table.settle({ stop: true });
  for (let id = 0; id < 51; id++) await lab.written(table, row(id));
  await table.settle();
  expect((await table.snapshot()).files.length).toBe(51);
});

test('each byte is written anew a few times in all, however many commits there are', () => {
  const file = (bytes: number): AddFile => ({ path: '', partitionValues: {}, bytes: BigInt(bytes), modificationMs: 0, dataChange: true });
  let files: AddFile[] = [];
  let written = 0;
  for (let commit = 0; commit < 20_000; commit++) {
    files.push(file(1000));
    const due = tiersOf(files).filter((tier) => tier.length >= 50).flat();
    if (due.length === 0) continue;
    const bytes = due.reduce((sum, one) => sum + Number(one.bytes), 0);
    written += bytes;
    files = [...files.filter((one) => !due.includes(one)), file(bytes)];
  }
  expect(files.length).toBeLessThan(100);
  expect(written / (20_000 * 1000)).toBeLessThan(12);
}); // prettier-ignore
