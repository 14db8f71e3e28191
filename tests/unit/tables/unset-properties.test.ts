/** Table properties that are taken away: the others stay, and whoever changes the table at the same time is not undone. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { BusyStore, Lab } from './tables.ts';

let lab: Lab;
beforeAll(async () => {
  lab = await Lab.open();
});
afterAll(() => lab.close());

const UNSET = { operation: 'UNSET TBLPROPERTIES', mode: 'append', add: [] } as const;

test('properties that are unset are gone, the others, the columns and the rows stay', async () => {
  const store = lab.store();
  const table = lab.table(store);
  await lab.written(table, 'SELECT 1::BIGINT AS id', { properties: { a: '1', b: '2', 'delta.appendOnly': 'true' } });
  await table.commit({ ...UNSET, unset: ['a', 'delta.appendOnly', 'constructor'] });
  const reader = lab.table(store);
  expect((await reader.snapshot()).properties).toEqual({ b: '2' });
  expect((await reader.snapshot(0n)).properties).toEqual({ a: '1', b: '2', 'delta.appendOnly': 'true' });
  expect(await lab.rows(reader)).toEqual([{ id: 1n }]);
  await reader.delete(lab.session, { where: 'id = 1' });
  expect(await lab.rows(reader)).toEqual([]);
});

test('an unset that races with other properties is a conflict, and undoes nothing', async () => {
  const store = new BusyStore('memory://unset', lab.clock);
  const [ours, theirs] = [lab.table(store), lab.table(store)];
  await lab.written(ours, 'SELECT 1::BIGINT AS id', { properties: { a: '1' } });
  store.before.push(() => theirs.commit({ operation: 'SET TBLPROPERTIES', mode: 'append', add: [], properties: { c: '3' } }));
  expect(await ours.commit({ ...UNSET, unset: ['a'] })).toMatchObject({ kind: 'conflict' });
  expect((await lab.table(store).snapshot()).properties).toEqual({ a: '1', c: '3' });
  await store.close();
}); // prettier-ignore
