/**
 * What sluice does to a table beside what Spark does to a copy of it: the same rows and columns, and the same words in the history.
 * delta-rs reads the results, too.
 */
import { cp } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseSchema } from '../../core/schema-text.ts';
import { BesideSpark } from './beside-spark.ts';

let beside: BesideSpark;
beforeAll(async () => {
  beside = await BesideSpark.open();
});
afterAll(() => beside.close());

const PARTITIONED = [
  `CREATE TABLE TABLE_ (id BIGINT, part STRING, v DOUBLE) USING delta PARTITIONED BY (part) TBLPROPERTIES ('delta.enableDeletionVectors' = 'false')`,
  `INSERT INTO TABLE_ SELECT id, CASE WHEN id % 4 > 0 THEN concat('p ', id % 4) END, id / 2 FROM range(0, 40, 1, 1)`,
  `INSERT INTO TABLE_ SELECT id, 'p 1', NULL FROM range(40, 50, 1, 1)`,
];

test.each([
  [`part = 'p 1'`, `SELECT CAST(7 AS BIGINT) AS id, 'p 1' AS part, CAST(0.5 AS DOUBLE) AS v`],
  ['id >= 10 AND id < 20', `SELECT CAST(15 AS BIGINT) AS id, 'new' AS part, CAST(NULL AS DOUBLE) AS v`],
  [`part IS NULL OR v < 3`, `SELECT CAST(1000 AS BIGINT) AS id, CAST(NULL AS STRING) AS part, CAST(NULL AS DOUBLE) AS v`],
])('replaceWhere %s', async (where, source) => {
  const { bench, spark } = beside;
  const name = `replaced ${where.replaceAll(/\W/g, '')}`;
  const { ours, theirs } = await beside.twice(name, PARTITIONED);
  await spark.write(bench.path(theirs), source, { mode: 'overwrite', replaceWhere: where });
  await ours.overwrite(bench.session, { source, replaceWhere: where });
  await beside.expectSame(name, theirs);
}); // prettier-ignore

test('a dynamic partition overwrite, and one with new columns', async () => {
  const { bench, spark } = beside;
  const source = `SELECT CAST(7 AS BIGINT) AS id, 'p 1' AS part, CAST(0.5 AS DOUBLE) AS v UNION ALL SELECT CAST(8 AS BIGINT), CAST(NULL AS STRING), CAST(1 AS DOUBLE)`;
  const { ours, theirs } = await beside.twice('dynamic', PARTITIONED);
  await spark.write(bench.path(theirs), source, { mode: 'overwrite', partitionOverwriteMode: 'dynamic' });
  await ours.overwrite(bench.session, { source, partitionOverwriteMode: 'dynamic' });
  await beside.expectSame('dynamic', theirs);
  const wider = `SELECT CAST(9 AS BIGINT) AS id, 'p 1' AS part, CAST(0.5 AS DOUBLE) AS v, named_struct('a', 1) AS s`;
  await spark.write(bench.path(theirs), wider, { mode: 'append', mergeSchema: 'true' });
  await ours.append(bench.session, { source: wider.replace(`named_struct('a', 1)`, '{a: 1::INTEGER}'), mergeSchema: true });
  await beside.expectSame('dynamic', theirs);
  const other = `SELECT 'x' AS id, CAST(0.5 AS DOUBLE) AS w`;
  await spark.write(bench.path(theirs), other, { mode: 'overwrite', overwriteSchema: 'true' }, ['id']);
  await ours.overwrite(bench.session, { source: other, overwriteSchema: true, partitionColumns: ['id'] });
  await beside.expectSame('dynamic', theirs);
}); // prettier-ignore

test('clones: shallow ones as Spark makes them, deep ones that everybody reads, with deletion vectors', async () => {
  const { bench, spark } = beside;
  const { ours } = await beside.twice('cloned', [
    `CREATE TABLE TABLE_ (id BIGINT, part STRING, at TIMESTAMP_NTZ) USING delta PARTITIONED BY (part) COMMENT 'mine'
     TBLPROPERTIES ('delta.enableDeletionVectors' = 'true', 'team' = 'shop')`,
    `INSERT INTO TABLE_ SELECT id, concat('p %', id % 2), TIMESTAMP_NTZ '2026-01-01 00:00:00' FROM range(0, 40, 1, 1)`,
    `DELETE FROM TABLE_ WHERE id % 5 = 0`,
  ]);
  const read = await bench.digest('cloned');
  expect(read.count).toBe(32);
  await spark.sql(
    `CREATE TABLE ${beside.sqlName('shallow of spark')} SHALLOW CLONE ${beside.sqlName('cloned')} VERSION AS OF 2`,
  );
  await ours.clone(bench.table('shallow'), { shallow: true, at: 2n });
  await beside.expectSame('shallow', 'shallow of spark', false);
  await ours.clone(bench.table('deep'));
  expect({ ...(await spark.read(bench.path('deep'))), version: 2 }).toEqual(read);
  await spark.sql(`INSERT INTO ${beside.sqlName('deep')} SELECT 1000, 'p %1', NULL`);
  await spark.sql(`DELETE FROM ${beside.sqlName('shallow')} WHERE id = 1`);
  expect((await bench.digest('deep')).count).toBe(33);
  expect((await bench.digest('shallow')).count).toBe(31);
  expect(await bench.digest('cloned')).toEqual(read);
});

test('folders of Parquet files become the tables that Spark makes of them', async () => {
  const { bench, spark } = beside;
  const folders: readonly [name: string, query: string, partitions: string][] = [
    ['plain', `SELECT id, concat('n', id) AS name, CAST(id AS TIMESTAMP) AS at, CAST(id AS DECIMAL(12,2)) AS amount, map('k', array(named_struct('x', id))) AS m, DATE '2026-01-01' AS d, CAST(id AS BYTE) AS b, CAST('x' AS BINARY) AS bin FROM range(0, 100, 1, 3)`, ''],
    ['parts', `SELECT id, date_add(DATE '2026-01-01', CAST(id % 3 AS INT)) AS day, CASE WHEN id % 4 > 0 THEN concat('a/b %=', id % 4) END AS country FROM range(0, 60, 1, 2)`, 'day DATE, country STRING'],
  ]; // prettier-ignore
  for (const [name, query, partitions] of folders) {
    const columns = partitions === '' ? [] : parseSchema(partitions).fields;
    await spark.writeParquet(bench.path(name), query, columns.map((column) => column.name)); // prettier-ignore
    const theirs = `${name} of spark`;
    await cp(bench.path(name), bench.path(theirs), { recursive: true });
    await spark.sql(`CONVERT TO DELTA parquet.\`${bench.path(theirs)}\`${partitions === '' ? '' : ` PARTITIONED BY (${partitions})`}`);
    expect(await bench.table(name).convert(bench.session, { partitionColumns: columns })).toMatchObject({ version: 0n });
    await beside.expectSame(name, theirs);
    expect((await bench.table(name).check(bench.session)).problems).toEqual([]);
    await spark.sql(`DELETE FROM ${beside.sqlName(name)} WHERE id < 10`);
    expect((await bench.digest(name)).count).toBe((await spark.read(bench.path(name))).count);
  }
  // Times of old, in 96 bits.
  await spark.sql('SET spark.sql.parquet.outputTimestampType = INT96');
  await spark.writeParquet(bench.path('int96'), `SELECT id, TIMESTAMP '1969-12-31 23:59:59.123456' AS at FROM range(3)`, []);
  await spark.sql('RESET spark.sql.parquet.outputTimestampType');
  await cp(bench.path('int96'), bench.path('int96 of spark'), { recursive: true });
  await spark.sql(`CONVERT TO DELTA parquet.\`${bench.path('int96 of spark')}\``);
  await bench.table('int96').convert(bench.session);
  await beside.expectSame('int96', 'int96 of spark', false);
}); // prettier-ignore

test('merges with schema evolution, inside structs too', async () => {
  const { bench, spark, deltars } = beside;
  const columns = `id BIGINT, s STRUCT<a: BIGINT, c: STRING, d: STRUCT<x: INT, y: INT>>, kept INT`;
  const { ours, theirs } = await beside.twice('evolved', [
    `CREATE TABLE TABLE_ (${columns}) USING delta TBLPROPERTIES ('delta.enableDeletionVectors' = 'false')`,
    `INSERT INTO TABLE_ SELECT id, named_struct('a', id, 'c', concat('kept', id), 'd', named_struct('x', CAST(id AS INT), 'y', 2)), 7 FROM range(0, 20, 1, 1)`,
    `INSERT INTO TABLE_ VALUES (20, NULL, 8), (21, named_struct('a', NULL, 'c', NULL, 'd', NULL), 9)`,
  ]);
  const source = `SELECT id, CASE WHEN id % 4 > 0 THEN named_struct('b', 'new', 'a', id * 10, 'd', CASE WHEN id % 3 > 0 THEN named_struct('z', 3, 'x', 4) END) END AS s, CAST(id AS DOUBLE) AS more FROM range(5, 26)`;
  const duckdb = `SELECT range AS id, CASE WHEN range % 4 > 0 THEN {b: 'new', a: range * 10, d: CASE WHEN range % 3 > 0 THEN {z: 3::INTEGER, x: 4::INTEGER} END} END AS s, range::DOUBLE AS more FROM range(5, 26)`;
  await spark.sql('SET spark.databricks.delta.schema.autoMerge.enabled = true');
  await spark.sql(
    `MERGE INTO ${beside.sqlName(theirs)} AS target USING (${source}) AS source ON target.id = source.id
     WHEN MATCHED AND source.id = 6 THEN DELETE WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *`,
  );
  await spark.sql('RESET spark.databricks.delta.schema.autoMerge.enabled');
  await ours.merge(bench.session, {
    source: duckdb,
    on: 'target.id = source.id',
    whenMatched: [{ condition: 'source.id = 6', delete: true }, { set: '*' }],
    whenNotMatched: [{ values: '*' }],
    withSchemaEvolution: true,
  });
  const read = async (path: string): Promise<unknown> => spark.query(`SELECT to_json(struct(*)) AS row FROM delta.\`${path}\` ORDER BY id`);
  expect(await read(bench.path('evolved'))).toEqual(await read(bench.path(theirs)));
  expect(await beside.schemaOf('evolved')).toEqual(await beside.schemaOf(theirs));
  const digest = await bench.digest('evolved');
  expect(await spark.read(bench.path('evolved'))).toEqual(digest);
  expect(await deltars.read(bench.path('evolved'))).toEqual(digest);
}); // prettier-ignore
