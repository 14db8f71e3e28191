/**
 * Deletes, updates, merges and replacements in tables with deletion vectors and a change data feed: beside what Spark does to a copy, the
 * same rows, the same protocol and the same changes; and Spark reads ours, rows and changes, as we read them.
 */
import { cp } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { DeltaTable } from '../../tables/index.ts';
import { BesideSpark } from './beside-spark.ts';
import type { Workbench } from './fixtures.ts';
import type { Peer } from './peer.ts';

let beside: BesideSpark;
let bench: Workbench;
let spark: Peer;
let deltars: Peer;
beforeAll(async () => {
  beside = await BesideSpark.open();
  ({ bench, spark, deltars } = beside);
});
afterAll(() => beside.close());

const T = (name: string): string => beside.sqlName(name);

interface Step {
  readonly spark: (table: string) => string;
  readonly ours: (table: DeltaTable) => Promise<unknown>;
}

const STEPS: readonly Step[] = [
  {
    spark: (table) => `DELETE FROM ${table} WHERE id % 10 = 3`,
    ours: (table) => table.delete(bench.session, { where: 'id % 10 = 3' }),
  },
  {
    spark: (table) => `UPDATE ${table} SET v = v + 100, name = concat(name, '!') WHERE id BETWEEN 20 AND 29`,
    ours: (table) => table.update(bench.session, { where: 'id BETWEEN 20 AND 29', set: { v: 'v + 100', name: `name || '!'` } }),
  },
  {
    spark: (table) =>
      `MERGE INTO ${table} AS target USING (SELECT id, concat('m', id) AS name, CAST(id AS DOUBLE) AS v FROM range(45, 65)) AS source ON target.id = source.id
       WHEN MATCHED AND source.id % 3 = 0 THEN DELETE WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *`,
    ours: (table) =>
      table.merge(bench.session, {
        source: `SELECT range AS id, 'm' || range AS name, range::DOUBLE AS v FROM range(45, 65)`,
        on: 'target.id = source.id',
        whenMatched: [{ condition: 'source.id % 3 = 0', delete: true }, { set: '*' }],
        whenNotMatched: [{ values: '*' }],
      }),
  },
  {
    spark: (table) => `DELETE FROM ${table} WHERE id < 20`,
    ours: (table) => table.delete(bench.session, { where: 'id < 20' }),
  },
  {
    spark: (table) => `UPDATE ${table} SET v = NULL WHERE id >= 60`,
    ours: (table) => table.update(bench.session, { where: 'id >= 60', set: { v: 'NULL' } }),
  },
]; // prettier-ignore

test.each([
  { vectors: true, feed: true },
  { vectors: false, feed: true },
  { vectors: true, feed: false },
])('deletion vectors $vectors, change data feed $feed', async ({ vectors, feed }) => {
  const name = `rows ${String(vectors)} ${String(feed)}`;
  const copy = `${name} of spark`;
  await spark.sql(
    `CREATE TABLE ${T(name)} (id BIGINT, name STRING, v DOUBLE) USING delta
     TBLPROPERTIES ('delta.enableDeletionVectors' = '${String(vectors)}', 'delta.enableChangeDataFeed' = '${String(feed)}')`,
  );
  await spark.sql(`INSERT INTO ${T(name)} SELECT id, concat('n', id), id / 4 FROM range(0, 50, 1, 3)`);
  await cp(bench.path(name), bench.path(copy), { recursive: true });
  for (const step of STEPS) {
    await spark.sql(step.spark(T(copy)));
    await step.ours(bench.table(name));
    expect(await bench.digest(copy)).toEqual(await bench.digest(name));
  }
  const ours = await bench.digest(name);
  expect(await spark.read(bench.path(name))).toEqual(ours);
  // delta-rs reads no table with deletion vectors.
  if (!vectors) expect(await deltars.read(bench.path(name))).toEqual(ours);
  const [{ protocol }, theirs] = [await bench.table(name).snapshot(), await bench.table(copy).snapshot()];
  expect(protocol).toEqual(theirs.protocol);
  if (!feed) return;
  const last = STEPS.length + 1;
  expect(await spark.changes(bench.path(name), 1, last)).toEqual(await bench.changes(name, 1n, BigInt(last)));
  const counted = (table: string): string =>
    `SELECT to_json(struct(_commit_version, _change_type, id, name, v)) AS row FROM table_changes_by_path('${bench.path(table)}', 1, ${String(last)}) ORDER BY ALL`;
  expect(await spark.query(counted(name))).toEqual(await spark.query(counted(copy)));
});

test('Spark goes on with what sluice began: a table of ours with both, changed by each in turn', async () => {
  const name = 'in turn';
  const table = bench.table(name);
  await table.append(bench.session, { source: `SELECT range AS id, 'n' || range AS name, range / 4 AS v FROM range(60)` });
  await table.commit({
    operation: 'SET TBLPROPERTIES',
    mode: 'append',
    add: [],
    properties: { 'delta.enableDeletionVectors': 'true', 'delta.enableChangeDataFeed': 'true' },
  });
  for (const [i, step] of STEPS.entries()) {
    if (i % 2 === 0) await step.ours(table);
    else await spark.sql(step.spark(T(name)));
    expect(await spark.read(bench.path(name))).toEqual(await bench.digest(name));
  }
  await table.optimize(bench.session, { purge: true });
  expect(await spark.read(bench.path(name))).toEqual(await bench.digest(name));
  const version = (await table.snapshot()).version;
  expect(await spark.changes(bench.path(name), 2, Number(version))).toEqual(await bench.changes(name, 2n, version));
  expect((await table.check(bench.session)).problems).toEqual([]);
}); // prettier-ignore
