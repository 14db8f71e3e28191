/**
 * Tables that track rows: sluice and Spark write them in turn. Spark finds an id for every row, no two the same, and the ids of rows that
 * nobody has written anew stay.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { field, primitive, struct } from '../../core/schema.ts';
import { BesideSpark } from './beside-spark.ts';

let beside: BesideSpark;
beforeAll(async () => {
  beside = await BesideSpark.open();
});
afterAll(() => beside.close());

const SCHEMA = struct([field('id', primitive('long')), field('name', primitive('string'))]);
const ON = { 'delta.enableRowTracking': 'true' };

async function append(name: string, from: number, to: number): Promise<void> {
  const { bench } = beside;
  await bench.table(name).append(bench.session, { source: `SELECT range AS id, 'n' || range AS name FROM range(${String(from)}, ${String(to)})` }); // prettier-ignore
}

async function sparkAppends(name: string, from: number, to: number): Promise<void> {
  await beside.spark.sql(`INSERT INTO ${beside.sqlName(name)} SELECT id, concat('n', id) FROM range(${String(from)}, ${String(to)}, 1, 1)`); // prettier-ignore
}

/** The id and the version that Spark finds for each row. */
async function idsOf(name: string): Promise<Map<number, readonly [id: number, version: number]>> {
  const rows = (await beside.spark.query(
    `SELECT id, _metadata.row_id AS row, _metadata.row_commit_version AS version FROM ${beside.sqlName(name)}`,
  )) as unknown as { id: number; row: number; version: number }[];
  expect(new Set(rows.map(({ row }) => row)).size).toBe(rows.length);
  return new Map(rows.map(({ id, row, version }) => [id, [row, version]]));
}

async function expectAgreed(name: string): Promise<void> {
  const { bench, spark } = beside;
  expect(await spark.read(bench.path(name))).toEqual(await bench.digest(name));
}

test.each(['sluice', 'spark'])('begun by %s, written by both in turn', async (who) => {
  const { bench, spark } = beside;
  const name = `tracked by ${who}`;
  const table = bench.table(name);
  const on = `'delta.enableRowTracking' = 'true', 'delta.enableDeletionVectors' = 'true', 'delta.checkpointInterval' = '4'`;
  if (who === 'spark')
    await spark.sql(`CREATE TABLE ${beside.sqlName(name)} (id BIGINT, name STRING) USING delta TBLPROPERTIES (${on})`);
  else
    await table.create({
      schema: SCHEMA,
      properties: { ...ON, 'delta.enableDeletionVectors': 'true', 'delta.checkpointInterval': '4' },
    });
  for (let i = 0; i < 4; i++) await (i % 2 === 0 ? append : sparkAppends)(name, i * 10, i * 10 + 10);
  const before = await idsOf(name);
  expect(before.size).toBe(40);
  await table.delete(bench.session, { where: 'id IN (3, 13)' });
  await spark.sql(`DELETE FROM ${beside.sqlName(name)} WHERE id IN (4, 24)`);
  const left = await idsOf(name);
  expect(left).toEqual(new Map([...before].filter(([id]) => ![3, 13, 4, 24].includes(id))));
  await table.update(bench.session, { where: 'id = 5', set: { name: `'by sluice'` } });
  await spark.sql(`UPDATE ${beside.sqlName(name)} SET name = 'by spark' WHERE id = 15`);
  const updated = await idsOf(name);
  for (const [id, one] of updated) if (id !== 5 && id !== 15) expect(one).toEqual(left.get(id));
  expect(updated.get(15)?.[0]).toBe(left.get(15)?.[0]);
  await table.optimize(bench.session);
  await spark.sql(`INSERT INTO ${beside.sqlName(name)} VALUES (100, 'last')`);
  expect((await idsOf(name)).size).toBe(37);
  await expectAgreed(name);
  expect((await table.check(bench.session)).problems).toEqual([]);
});

test.each(['sluice', 'spark'])('switched on by %s, for rows that are there', async (who) => {
  const { bench, spark } = beside;
  const name = `tracked later by ${who}`;
  await append(name, 0, 10);
  await sparkAppends(name, 10, 20);
  if (who === 'spark') await spark.sql(`ALTER TABLE ${beside.sqlName(name)} SET TBLPROPERTIES ('delta.enableRowTracking' = 'true')`);
  else await bench.table(name).commit({ operation: 'SET TBLPROPERTIES', mode: 'append', add: [], properties: ON });
  const before = await idsOf(name);
  expect(before.size).toBe(20);
  await append(name, 20, 30);
  await sparkAppends(name, 30, 40);
  const after = await idsOf(name);
  expect(after.size).toBe(40);
  for (const [id, one] of before) expect(after.get(id)).toEqual(one);
  await expectAgreed(name);
}); // prettier-ignore
