/** The steps of changes of rows are told in their order, and anew when the change is made anew. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Step } from '../../../tables/index.ts';
import { BusyStore, Lab } from './tables.ts';

let lab: Lab;
beforeAll(async () => {
  lab = await Lab.open();
});
afterAll(() => lab.close());

const ROWS = 'SELECT i AS id FROM range(10) t(i)';

async function stepsOf(work: (onStep: (step: Step) => void) => Promise<unknown>): Promise<string[]> {
  const told: string[] = [];
  await work(({ name, part, parts }) => told.push(`${name} ${String(part)}/${String(parts)}`));
  return told;
}

test('each operation tells what it is at', async () => {
  const table = lab.table();
  const { session } = lab;
  expect(await stepsOf((onStep) => table.append(session, { source: ROWS, onStep }))).toEqual(['writing rows 1/1']);
  expect(await stepsOf((onStep) => table.append(session, { source: ROWS, onStep }))).toEqual(['writing rows 1/1']);
  expect(await stepsOf((onStep) => table.overwrite(session, { source: ROWS, onStep }))).toEqual(['writing rows 1/1']);
  const replaceWhere = 'id < 5';
  const source = `${ROWS} WHERE ${replaceWhere}`;
  expect(await stepsOf((onStep) => table.overwrite(session, { source, replaceWhere, onStep }))).toEqual([
    'writing rows 1/1',
    'finding rows 1/1',
    'writing rows 1/1',
  ]);
  const found = ['finding rows 1/1', 'writing rows 1/1'];
  expect(await stepsOf((onStep) => table.delete(session, { where: 'id = 7', onStep }))).toEqual(found);
  expect(await stepsOf((onStep) => table.update(session, { set: { id: 'id + 1' }, where: 'id = 9', onStep }))).toEqual(
    found,
  );
  expect(await stepsOf((onStep) => table.delete(session, { where: 'id = 7', onStep }))).toEqual(found.slice(0, 1));
});

test('a merge tells its steps, and but for the source tells them anew when another was faster', async () => {
  const store = new BusyStore('memory://steps', lab.clock);
  const table = lab.table(store);
  await lab.written(table, ROWS);
  const other = await lab.engine.session();
  store.before.push(() => lab.table(store).delete(other, { where: 'id = 8' }));
  const told = await stepsOf((onStep) =>
    table.merge(lab.session, {
      source: 'SELECT i AS id FROM range(9, 12) t(i)',
      on: 'target.id = source.id',
      whenMatched: [{ set: '*' }],
      whenNotMatched: [{ values: '*' }],
      onStep,
    }),
  );
  other.close();
  const attempt = ['finding rows 1/1', 'writing rows 1/2', 'writing rows 2/2'];
  expect(told).toEqual(['reading the source 1/1', ...attempt, ...attempt]);
  expect(await lab.rows(lab.table(store))).toHaveLength(11);
  await store.close();
});
