/** Tables with column mapping: what sluice writes to them is what Spark writes to a copy, and Spark reads it. delta-rs takes mapped columns for NULL. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseSchema } from '../../core/schema-text.ts';
import { BesideSpark } from './beside-spark.ts';

let beside: BesideSpark;
beforeAll(async () => {
  beside = await BesideSpark.open();
});
afterAll(() => beside.close());

const COLUMNS =
  'id BIGINT, part STRING, s STRUCT<a: INT, `b c`: ARRAY<STRUCT<x: INT, y: STRING>>>, m MAP<STRING, STRUCT<z: INT>>';

/** Rows of both engines. */
const rows = (from: number, to: number): { spark: string; duckdb: string } => ({
  spark: `SELECT id, concat('p ', id % 3) AS part, named_struct('a', CAST(id AS INT), 'b c', array(named_struct('x', 1, 'y', 'y'), NULL)) AS s, map('k', named_struct('z', 7)) AS m FROM range(${String(from)}, ${String(to)}, 1, 1)`,
  duckdb: `SELECT range AS id, 'p ' || range % 3 AS part, {a: range::INTEGER, 'b c': [{x: 1::INTEGER, y: 'y'}, NULL]} AS s, MAP {'k': {z: 7::INTEGER}} AS m FROM range(${String(from)}, ${String(to)})`,
});

/** Such a table with rows of Spark's, and a copy of it. */
const mapped = (name: string, mode: string): ReturnType<BesideSpark['twice']> =>
  beside.twice(name, [
    `CREATE TABLE TABLE_ (${COLUMNS}) USING delta PARTITIONED BY (part) TBLPROPERTIES ('delta.columnMapping.mode' = '${mode}', 'delta.enableDeletionVectors' = 'false')`,
    `INSERT INTO TABLE_ ${rows(0, 20).spark}`,
  ]);

async function expectSameRows(name: string, theirs: string): Promise<void> {
  const all = (path: string): Promise<unknown> => beside.spark.query(`SELECT to_json(struct(*)) AS row FROM delta.\`${path}\` ORDER BY id`); // prettier-ignore
  expect(await all(beside.bench.path(name))).toEqual(await all(beside.bench.path(theirs)));
}

test.each(['name', 'id'])('by %s: appends, updates, deletes and merges', async (mode) => {
  const { bench, spark } = beside;
  const { session } = bench;
  const name = `rows by ${mode}`;
  const { ours, theirs } = await mapped(name, mode);
  const wider = `SELECT CAST(30 AS BIGINT) AS id, 'p 0' AS part, named_struct('new', CAST(1 AS BIGINT), 'a', 5) AS s, 'x' AS \`odd, name\``;
  await spark.write(bench.path(theirs), wider, { mode: 'append', mergeSchema: 'true' });
  await ours.append(session, { source: `SELECT 30::BIGINT AS id, 'p 0' AS part, {new: 1::BIGINT, a: 5::INTEGER} AS s, 'x' AS "odd, name"`, mergeSchema: true });
  await beside.expectSame(name, theirs, false);

  await spark.sql(`UPDATE ${beside.sqlName(theirs)} SET part = 'p 1', s.a = 99 WHERE id < 5`);
  await ours.update(session, { set: { part: `'p 1'`, s: `CASE WHEN s IS NULL THEN NULL ELSE struct_update(s, a := 99) END` }, where: 'id < 5' });
  await spark.sql(`DELETE FROM ${beside.sqlName(theirs)} WHERE part = 'p 2' AND id > 10`);
  await ours.delete(session, { where: `part = 'p 2' AND id > 10` });
  await expectSameRows(name, theirs);

  await spark.sql('SET spark.databricks.delta.schema.autoMerge.enabled = true');
  await spark.sql(`MERGE INTO ${beside.sqlName(theirs)} AS target USING (SELECT id, concat('p ', id % 3) AS part, 'm' AS more FROM range(3, 35)) AS source ON target.id = source.id WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *`);
  await spark.sql('RESET spark.databricks.delta.schema.autoMerge.enabled');
  await ours.merge(session, { source: `SELECT range AS id, 'p ' || range % 3 AS part, 'm' AS more FROM range(3, 35)`, on: 'target.id = source.id', whenMatched: [{ set: '*' }], whenNotMatched: [{ values: '*' }], withSchemaEvolution: true });
  await expectSameRows(name, theirs);
  expect(await beside.schemaOf(name)).toEqual(await beside.schemaOf(theirs));
  expect((await ours.check(session)).problems).toEqual([]);
}, 600_000); // prettier-ignore

test.each(['name', 'id'])('by %s: overwrites, copies, a restore, and what Spark renames', async (mode) => {
  const { bench, spark } = beside;
  const { session } = bench;
  const name = `files by ${mode}`;
  const { ours, theirs } = await mapped(name, mode);
  const one = `SELECT CAST(7 AS BIGINT) AS id, 'p 1' AS part`;
  await spark.write(bench.path(theirs), one, { mode: 'overwrite', replaceWhere: `part = 'p 1'`, mergeSchema: 'true' });
  await ours.overwrite(session, { source: one, replaceWhere: `part = 'p 1'` });
  await expectSameRows(name, theirs);
  await spark.write(bench.path(theirs), one, { mode: 'overwrite', partitionOverwriteMode: 'dynamic' });
  await ours.overwrite(session, { source: one, partitionOverwriteMode: 'dynamic' });
  await beside.expectSame(name, theirs, false);
  await spark.sql(`RESTORE TABLE ${beside.sqlName(theirs)} TO VERSION AS OF 1`);
  await ours.restore(1n);
  await expectSameRows(name, theirs);

  await ours.append(session, { source: rows(20, 30).duckdb });
  expect((await ours.optimize(session, { zOrderBy: ['id'] })).filesAdded).toBeGreaterThan(0);
  await ours.clone(bench.table(`${name} deep`));
  await ours.clone(bench.table(`${name} shallow`), { shallow: true });
  for (const copy of ['deep', 'shallow']) {
    await spark.sql(`INSERT INTO ${beside.sqlName(`${name} ${copy}`)} (id, part) VALUES (1000, 'p 9')`);
    expect((await bench.digest(`${name} ${copy}`)).count).toBe(31);
  }
  await spark.sql(`ALTER TABLE ${beside.sqlName(name)} RENAME COLUMN id TO \`the id\``);
  await spark.sql(`INSERT INTO ${beside.sqlName(name)} (\`the id\`, part) VALUES (1001, 'p 9')`);
  await bench.table(name).append(session, { source: `SELECT 1002::BIGINT AS "the id", 'p 9' AS part` });
  expect(await spark.read(bench.path(name))).toEqual(await bench.digest(name));
  const without = await session.rows(`SELECT count(*) AS n FROM parquet_schema('${bench.path(name)}/**/part-*.zstd.parquet') WHERE field_id IS NULL AND name LIKE 'col-%'`);
  expect(without).toEqual([{ n: 0n }]);
}, 600_000); // prettier-ignore

test.each(['name', 'id'])('a table that is created by %s', async (mode) => {
  const { bench, spark } = beside;
  const name = `created ${mode}`;
  const properties = { 'delta.columnMapping.mode': mode };
  await spark.sql(`CREATE TABLE ${beside.sqlName(`${name} of spark`)} (${COLUMNS}) USING delta TBLPROPERTIES ('delta.columnMapping.mode' = '${mode}', 'delta.enableDeletionVectors' = 'false')`);
  const ours = bench.table(name);
  await ours.create({ schema: parseSchema(COLUMNS), properties: { ...properties, 'delta.enableDeletionVectors': 'false' } });
  expect(await beside.schemaOf(name)).toEqual(await beside.schemaOf(`${name} of spark`));
  await ours.append(bench.session, { source: rows(0, 9).duckdb });
  const digest = await bench.digest(name);
  expect(digest.count).toBe(9);
  expect(await spark.read(bench.path(name))).toEqual(digest);
  await spark.write(bench.path(name), rows(9, 12).spark, { mode: 'append' });
  expect(await spark.read(bench.path(name))).toEqual(await bench.digest(name));
  await spark.write(bench.path(`${name} of spark`), rows(0, 9).spark, { mode: 'append' });
  const other = `SELECT 'x' AS part, named_struct('a', 1, 'q', 2) AS s, 1 AS id`;
  await spark.write(bench.path(`${name} of spark`), other, { mode: 'overwrite', overwriteSchema: 'true' });
  await ours.overwrite(bench.session, { source: `SELECT 'x' AS part, {a: 1::INTEGER, q: 2::INTEGER} AS s, 1::INTEGER AS id`, overwriteSchema: true });
  expect(await spark.read(bench.path(name))).toEqual(await bench.digest(name));
  expect((await spark.read(bench.path(`${name} of spark`))).rows).toEqual((await bench.digest(name)).rows);
}); // prettier-ignore

test('column mapping is switched on for a table that has rows', async () => {
  const { bench, spark } = beside;
  const { ours, theirs } = await beside.twice('switched', [
    `CREATE TABLE TABLE_ (id BIGINT, part STRING, s STRUCT<a: INT, l: ARRAY<STRUCT<x: INT>>>) USING delta PARTITIONED BY (part) TBLPROPERTIES ('delta.enableDeletionVectors' = 'false')`,
    `INSERT INTO TABLE_ SELECT id, 'p', named_struct('a', 1, 'l', array(named_struct('x', 2))) FROM range(5)`,
  ]);
  const properties = { 'delta.columnMapping.mode': 'name' };
  await spark.sql(`ALTER TABLE ${beside.sqlName(theirs)} SET TBLPROPERTIES ('delta.columnMapping.mode' = 'name')`);
  await ours.commit({ operation: 'SET TBLPROPERTIES', mode: 'append', add: [], properties, operationParameters: { properties } });
  await beside.expectSame('switched', theirs);
  const more = `SELECT CAST(7 AS BIGINT) AS id, 'q' AS part`;
  await spark.write(bench.path(theirs), more, { mode: 'append', mergeSchema: 'true' });
  await ours.append(bench.session, { source: more, mergeSchema: true });
  expect(await spark.read(bench.path('switched'))).toEqual(await bench.digest('switched'));
  expect((await spark.read(bench.path(theirs))).rows).toEqual((await bench.digest('switched')).rows);
}); // prettier-ignore
