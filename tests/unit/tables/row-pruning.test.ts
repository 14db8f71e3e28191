/** Changes of rows read only files that can have such rows, and fight only with those who touch them: files that may not be read are not there. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { DeltaTable, MergeOptions } from '../../../tables/index.ts';
import { BusyStore, Lab } from './tables.ts';
import type { MemoryStore } from '../../../tables/store/memory.ts';

let lab: Lab;
beforeAll(async () => {
  lab = await Lab.open();
});
afterAll(() => lab.close());

/** Four files: ids 0 to 9, 10 to 19 … with a text and a day that grow with them. */
async function fourFiles(store: MemoryStore): Promise<DeltaTable> {
  const table = lab.table(store);
  for (let i = 0; i < 4; i++) {
    await lab.written(
      table,
      `SELECT ${String(i * 10)} + range AS id, 'k' || ${String(i)} || range AS k, DATE '2026-01-01' + ${String(i)}::INTEGER AS day, 0::BIGINT AS v FROM range(10)`,
    );
  }
  return table;
}

/** Takes away the data files but the one with a certain id. */
async function leaveOnly(table: DeltaTable, store: MemoryStore, id: number): Promise<void> {
  const { files } = await table.snapshot();
  for (const { path, stats = '' } of files) {
    const { minValues, maxValues } = JSON.parse(stats) as Record<'minValues' | 'maxValues', { id: number }>;
    if (id < minValues.id || id > maxValues.id) await store.delete(path);
  }
}

test.each([
  'id = 13',
  "k = 'k13'",
  'id BETWEEN 12 AND 14 AND k IS NOT NULL',
  "day = DATE '2026-01-02' AND id = 13",
  'id IN (13, 14)',
])('DELETE and UPDATE WHERE %s open one file of four', async (where) => {
  const store = lab.store();
  const table = await fourFiles(store);
  await leaveOnly(table, store, 13);
  expect((await table.update(lab.session, { set: { v: 'v + 1' }, where })).rows).toBeGreaterThan(0n);
  expect((await table.delete(lab.session, { where })).rows).toBeGreaterThan(0n);
});

const MERGES: readonly [string, string, string][] = [
  ['an integer', 'target.id = source.id', 'SELECT 13::BIGINT AS id, 9::BIGINT AS v'],
  ['the other way round, among more', 'source.id = target.id AND target.v < 5', 'SELECT 13::BIGINT AS id, 9::BIGINT AS v'],
  ['a text', 'target.k = source.k', "SELECT 'k13' AS k, 9::BIGINT AS v"],
  ['a day', 'target.day = source.day AND target.id = source.id', "SELECT DATE '2026-01-02' AS day, 13 AS id, 9::BIGINT AS v"],
  ['a constant', "target.id = source.id AND target.day = '2026-01-02'", 'SELECT 13 AS id, 9::BIGINT AS v'],
]; // prettier-ignore

test.each(MERGES)('MERGE ON %s opens one file of four', async (_, on, source) => {
  const store = lab.store();
  const table = await fourFiles(store);
  await leaveOnly(table, store, 13);
  const options: MergeOptions = { source, on, whenMatched: [{ set: { v: 'source.v' } }] };
  expect(await table.merge(lab.session, options)).toMatchObject({ updated: 1n, filesRemoved: 1 });
});

test('a MERGE reads all files where rows of the table without a source count, or where types differ', async () => {
  for (const change of [
    { on: 'target.id = source.id', whenNotMatchedBySource: [{ set: { v: '7' } }] },
    { on: 'target.id = source.odd OR target.v = 1' },
    { on: 'target.id = source.odd' },
  ]) {
    const table = await fourFiles(lab.store());
    const source = "SELECT 13::BIGINT AS id, '13' AS odd, 9::BIGINT AS v UNION ALL SELECT 31, '31', 9";
    const { updated } = await table.merge(lab.session, {
      source,
      whenMatched: [{ set: { v: 'source.v' } }],
      ...change,
    });
    expect(updated).toBe('whenNotMatchedBySource' in change ? 40n : 2n);
  }
});

test('a source without rows, or with NULL alone, matches nothing and is no reason to fail', async () => {
  for (const source of ['SELECT 1::BIGINT AS id WHERE false', 'SELECT NULL::BIGINT AS id']) {
    const table = await fourFiles(lab.store());
    const done = await table.merge(lab.session, {
      source,
      on: 'target.id = source.id',
      whenMatched: [{ delete: true }],
    });
    expect(done).toMatchObject({ deleted: 0n, version: undefined });
  }
});

test('rows that others add do no harm where the condition cannot take them, even where the table is Serializable', async () => {
  for (const [added, conflicts] of [
    [45, 0],
    [13, 1],
  ] as const) {
    // prettier-ignore
    const store = new BusyStore('memory://t', lab.clock);
    const table = await fourFiles(store);
    await table.commit({
      operation: 'SET TBLPROPERTIES',
      mode: 'append',
      add: [],
      properties: { 'delta.isolationLevel': 'Serializable' },
    });
    const other = lab.table(store);
    await other.snapshot();
    const startMs = lab.clock.nowMs();
    store.before.push(() =>
      lab.written(other, `SELECT ${String(added)}::BIGINT AS id, 'x' AS k, DATE '2026-02-01' AS day, 0::BIGINT AS v`),
    );
    const { rows } = await table.delete(lab.session, { where: 'id = 13' });
    // A commit that only takes the next number waits 10 ms at most, one that is made anew up to a second.
    const isMadeAnew = lab.clock.nowMs() - startMs > 10;
    expect([rows, isMadeAnew]).toEqual([BigInt(1 + conflicts), conflicts === 1]);
    await store.close();
  }
});
