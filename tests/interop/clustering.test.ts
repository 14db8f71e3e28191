/** Clustered tables, begun by either engine: both know the columns, both put rows in order, and each leaves alone what the other has put in order. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { field, primitive, struct } from '../../core/schema.ts';
import { BesideSpark } from './beside-spark.ts';

let beside: BesideSpark;
beforeAll(async () => {
  beside = await BesideSpark.open();
});
afterAll(() => beside.close());

const SCHEMA = struct([field('id', primitive('long')), field('a', primitive('integer')), field('name', primitive('string'))]); // prettier-ignore

async function append(name: string, from: number, to: number): Promise<void> {
  const { bench } = beside;
  await bench.table(name).append(bench.session, { source: `SELECT range AS id, (range % 7)::INTEGER AS a, 'n' || range AS name FROM range(${String(from)}, ${String(to)})` }); // prettier-ignore
}

async function sparkAppends(name: string, from: number, to: number): Promise<void> {
  await beside.spark.sql(`INSERT INTO ${beside.sqlName(name)} SELECT id, CAST(id % 7 AS INT), concat('n', id) FROM range(${String(from)}, ${String(to)}, 1, 1)`); // prettier-ignore
}

async function sparkKnows(name: string): Promise<unknown> {
  const [row] = (await beside.spark.query(`DESCRIBE DETAIL ${beside.sqlName(name)}`)) as unknown as { clusteringColumns: unknown }[]; // prettier-ignore
  return row?.clusteringColumns;
}

async function providers(name: string): Promise<(string | undefined)[]> {
  return (await beside.bench.table(name).snapshot()).files.map(({ clusteringProvider }) => clusteringProvider).sort();
}

test.each(['sluice', 'spark'])('begun by %s', async (who) => {
  const { bench, spark } = beside;
  const name = `clustered by ${who}`;
  const table = bench.table(name);
  if (who === 'spark') await spark.sql(`CREATE TABLE ${beside.sqlName(name)} (id BIGINT, a INT, name STRING) USING delta CLUSTER BY (a, id)`);
  else await table.create({ schema: SCHEMA, clusterBy: ['a', 'id'] });
  expect((await table.snapshot()).clusteringColumns).toEqual([['a'], ['id']]);
  expect(await sparkKnows(name)).toEqual(['a', 'id']);
  for (let i = 0; i < 4; i++) await (i % 2 === 0 ? append : sparkAppends)(name, i * 50, i * 50 + 50);
  await table.optimize(bench.session);
  expect(await providers(name)).toEqual(['sluice']);
  await append(name, 200, 250);
  await sparkAppends(name, 250, 300);
  await spark.sql(`OPTIMIZE ${beside.sqlName(name)}`);
  expect(await providers(name)).toEqual(['liquid', 'sluice']);
  await append(name, 300, 350);
  await table.optimize(bench.session);
  expect(await providers(name)).toEqual(['liquid', 'sluice']);
  await spark.sql(`ALTER TABLE ${beside.sqlName(name)} CLUSTER BY (name)`);
  expect((await table.snapshot()).clusteringColumns).toEqual([['name']]);
  await table.alter(bench.session, { clusterBy: ['id'] });
  expect(await sparkKnows(name)).toEqual(['id']);
  await table.alter(bench.session, { clusterBy: [] });
  expect(await sparkKnows(name)).toEqual([]);
  const ours = await bench.digest(name);
  expect(ours.count).toBe(350);
  expect(await spark.read(bench.path(name))).toEqual(ours);
  expect((await table.check(bench.session)).problems).toEqual([]);
}); // prettier-ignore

test('the same protocol, and what is said of the change, as Spark has them', async () => {
  await append('altered', 0, 5);
  await beside.bench.table('altered').alter(beside.bench.session, { clusterBy: ['a'] });
  expect(await sparkKnows('altered')).toEqual(['a']);
  const clustered = await beside.twice('altered later', ['CREATE TABLE TABLE_ (id BIGINT, a INT, name STRING) USING delta CLUSTER BY (id)', `INSERT INTO TABLE_ VALUES (1, 2, 'x')`]);
  await clustered.ours.alter(beside.bench.session, { clusterBy: ['name', 'a'] });
  await beside.spark.sql(`ALTER TABLE ${beside.sqlName(clustered.theirs)} CLUSTER BY (name, a)`);
  expect(await beside.saidOf('altered later')).toEqual(await beside.saidOf(clustered.theirs));
  expect(await beside.schemaOf('altered later')).toEqual(await beside.schemaOf(clustered.theirs));
}); // prettier-ignore
