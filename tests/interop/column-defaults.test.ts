/**
 * Columns that get values by themselves, in tables that Spark made: the same is written by Spark and by sluice to two copies, and then both
 * have the same rows, columns and protocol, and each writes on after the other.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { DeltaTable } from '../../tables/index.ts';
import { field, primitive, struct, type Field } from '../../core/schema.ts';
import type { Session } from '../../engine/session.ts';
import { BesideSpark } from './beside-spark.ts';

let beside: BesideSpark;
beforeAll(async () => {
  beside = await BesideSpark.open();
});
afterAll(() => beside.close());

/** Milliseconds: each statement of Spark takes seconds. */
const LONG = 600_000;

interface Step {
  /** A statement, in which `TABLE_` is the table, or what a DataFrame writes. */
  readonly spark: string | { readonly rows: string; readonly mode: 'append' | 'overwrite'; readonly options?: Readonly<Record<string, string>> };
  readonly ours: (table: DeltaTable) => Promise<unknown>;
} // prettier-ignore

/** Each step by both, and then both are the same; and again with Spark and sluice in turn on one table. @param make makes three tables alike */
async function expectEach(
  name: string,
  make: (name: string) => Promise<unknown>,
  steps: readonly Step[],
): Promise<void> {
  const { bench, spark } = beside;
  const [theirs, turns] = [`${name} of spark`, `${name} in turn`];
  for (const each of [name, theirs, turns]) await make(each);
  for (const [i, step] of steps.entries()) {
    await bySpark(theirs, step);
    await step.ours(bench.table(name));
    expect([i, await bench.digest(name)]).toEqual([i, await bench.digest(theirs)]);
    await (i % 2 === 0 ? bySpark(turns, step) : step.ours(bench.table(turns)));
  }
  expect(await beside.schemaOf(name)).toEqual(await beside.schemaOf(theirs));
  expect(await spark.read(bench.path(name))).toEqual(await bench.digest(theirs));
  expect(await spark.read(bench.path(turns))).toEqual(await bench.digest(theirs));
}

/** A table that Spark makes. */
const bySql = (...statements: readonly string[]) => async (name: string): Promise<void> => {
  for (const statement of statements) await beside.spark.sql(statement.replaceAll('TABLE_', beside.sqlName(name)));
}; // prettier-ignore

async function bySpark(name: string, { spark }: Step): Promise<void> {
  if (typeof spark === 'string') return beside.spark.sql(spark.replaceAll('TABLE_', beside.sqlName(name)));
  const { rows, mode, options = {} } = spark;
  return beside.spark.write(beside.bench.path(name), rows, { mode, ...options });
}

const session = (): Session => beside.bench.session;

test('defaults', async () => {
  await expectEach(
    'defaults',
    bySql(
      `CREATE TABLE TABLE_ (id BIGINT, name STRING DEFAULT 'it''s', n INT NOT NULL DEFAULT -7, d DOUBLE DEFAULT 1.5, m DECIMAL(9, 2) DEFAULT 1.25, day DATE DEFAULT DATE '2026-01-31', ok BOOLEAN DEFAULT true, nothing STRING DEFAULT NULL, kind STRING DEFAULT 'k') USING delta PARTITIONED BY (kind) TBLPROPERTIES ('delta.feature.allowColumnDefaults' = 'supported')`,
      `INSERT INTO TABLE_ (id) VALUES (0)`,
    ),
    [
      {
        spark: `INSERT INTO TABLE_ (id, name, n) VALUES (1, NULL, 5)`,
        ours: (table) => table.append(session(), { source: 'SELECT 1::BIGINT AS id, NULL AS name, 5 AS n' }),
      },
      {
        spark: { rows: `SELECT 2L AS id, 'k2' AS kind`, mode: 'append' },
        ours: (table) => table.append(session(), { source: `SELECT 2::BIGINT AS id, 'k2' AS kind` }),
      },
      {
        spark: { rows: `SELECT 1L AS id, 'new' AS name`, mode: 'overwrite', options: { replaceWhere: 'id = 1' } },
        ours: (table) => table.overwrite(session(), { source: `SELECT 1::BIGINT AS id, 'new' AS name`, replaceWhere: 'id = 1' }),
      },
      {
        spark: `MERGE INTO TABLE_ AS target USING (SELECT id, 'm' AS name FROM range(1, 5)) AS source ON target.id = source.id
          WHEN MATCHED THEN UPDATE SET name = source.name WHEN NOT MATCHED AND source.id = 3 THEN INSERT (id) VALUES (source.id) WHEN NOT MATCHED THEN INSERT (id, name, d) VALUES (source.id, source.name, NULL)`,
        ours: (table) =>
          table.merge(session(), {
            source: `SELECT range AS id, 'm' AS name FROM range(1, 5)`,
            on: 'target.id = source.id',
            whenMatched: [{ set: { name: 'source.name' } }],
            whenNotMatched: [
              { condition: 'source.id = 3', values: { id: 'source.id' } },
              { values: { id: 'source.id', name: 'source.name', d: 'NULL' } },
            ],
          }),
      },
      {
        spark: { rows: `SELECT 9L AS id, 'k2' AS kind`, mode: 'overwrite', options: { partitionOverwriteMode: 'dynamic' } },
        ours: (table) => table.overwrite(session(), { source: `SELECT 9::BIGINT AS id, 'k2' AS kind`, partitionOverwriteMode: 'dynamic' }),
      },
      {
        spark: `UPDATE TABLE_ SET n = n + 1 WHERE id < 4`,
        ours: (table) => table.update(session(), { set: { n: 'n + 1' }, where: 'id < 4' }),
      },
    ],
  );
}, LONG); // prettier-ignore

test('a table with defaults that sluice made: Spark fills what its rows lack', async () => {
  const { bench, spark } = beside;
  const { ours, theirs } = await beside.twice('model', [
    `CREATE TABLE TABLE_ (id BIGINT, name STRING DEFAULT 'x', at TIMESTAMP DEFAULT current_timestamp()) USING delta TBLPROPERTIES ('delta.feature.allowColumnDefaults' = 'supported', 'delta.enableDeletionVectors' = 'false')`,
  ]);
  const { schema } = await ours.snapshot();
  const made = bench.table('made');
  await made.create({ schema, properties: { 'delta.enableDeletionVectors': 'false' } });
  expect(await beside.schemaOf('made')).toEqual(await beside.schemaOf(theirs));
  await made.append(bench.session, { source: 'SELECT 1::BIGINT AS id' });
  await spark.sql(`INSERT INTO ${beside.sqlName('made')} (id) VALUES (2)`);
  const rows = await bench.session.rows(`SELECT id, name, "at" IS NULL AS lost FROM ${await (await made.snapshot()).relation()} ORDER BY id`);
  expect(rows).toEqual([1n, 2n].map((id) => ({ id, name: 'x', lost: false })));
  expect(await spark.read(bench.path('made'))).toEqual(await bench.digest('made'));
}, LONG); // prettier-ignore

test('generated columns', async () => {
  const at = (time: string): string => `TIMESTAMP '2026-01-${time}'`;
  const ours = (time: string): string => `TIMESTAMPTZ '2026-01-${time}+00'`;
  const { bench, spark } = beside;
  const fields = [
    field('id', primitive('long')),
    field('at', primitive('timestamp')),
    field('name', primitive('string')),
    field('day', primitive('date'), { 'delta.generationExpression': 'CAST(at AS DATE)' }),
    field('month', primitive('string'), { 'delta.generationExpression': "date_format(at, 'yyyy-MM')" }),
    field('label', primitive('string'), { 'delta.generationExpression': "concat(name, '-', CAST(id % 4 AS STRING))" }),
  ];
  for (const name of ['generated', 'generated of spark']) {
    await bench.table(name).create({
      schema: struct(fields),
      partitionColumns: ['day'],
      properties: { 'delta.enableDeletionVectors': 'false', 'delta.enableChangeDataFeed': 'true' },
    });
  }
  const [mine, theirs] = [bench.table('generated'), 'generated of spark'];
  const steps: readonly Step[] = [
    {
      spark: { rows: `SELECT 1L AS id, ${at('01 23:59:59')} AS at, 'a' AS name`, mode: 'append' },
      ours: (table) => table.append(session(), { source: `SELECT 1::BIGINT AS id, ${ours('01 23:59:59')} AS "at", 'a' AS name` }),
    },
    {
      spark: `INSERT INTO TABLE_ (id, at, name, day) SELECT id, ${at('02 00:00:00')}, NULL, DATE '2026-01-02' FROM range(2, 9)`,
      ours: (table) => table.append(session(), { source: `SELECT range AS id, ${ours('02 00:00:00')} AS "at", NULL::VARCHAR AS name, DATE '2026-01-02' AS day FROM range(2, 9)` }),
    },
    {
      spark: `UPDATE TABLE_ SET name = 'u', at = ${at('05 12:00:00')} WHERE id = 2`,
      ours: (table) => table.update(session(), { set: { name: `'u'`, at: ours('05 12:00:00') }, where: 'id = 2' }),
    },
    {
      spark: `MERGE INTO TABLE_ AS target USING (SELECT id, 'm' AS name FROM range(7, 11)) AS source ON target.id = source.id
        WHEN MATCHED AND source.id = 7 THEN DELETE WHEN MATCHED THEN UPDATE SET name = source.name
        WHEN NOT MATCHED AND source.id = 9 THEN INSERT (id, at) VALUES (source.id, ${at('09 00:00:00')}) WHEN NOT MATCHED THEN INSERT (id, name, label) VALUES (source.id, source.name, 'm-2')`,
      ours: (table) =>
        table.merge(session(), {
          source: `SELECT range AS id, 'm' AS name FROM range(7, 11)`,
          on: 'target.id = source.id',
          whenMatched: [{ condition: 'source.id = 7', delete: true }, { set: { name: 'source.name' } }],
          whenNotMatched: [
            { condition: 'source.id = 9', values: { id: 'source.id', at: ours('09 00:00:00') } },
            { values: { id: 'source.id', name: 'source.name', label: `'m-2'` } },
          ],
        }),
    },
    {
      spark: { rows: `SELECT 3L AS id, ${at('03 01:00:00')} AS at, 'o' AS name`, mode: 'overwrite', options: { replaceWhere: 'id = 3' } },
      ours: (table) => table.overwrite(session(), { source: `SELECT 3::BIGINT AS id, ${ours('03 01:00:00')} AS "at", 'o' AS name`, replaceWhere: 'id = 3' }),
    },
  ];
  for (const [i, step] of steps.entries()) {
    await bySpark(theirs, step);
    await step.ours(mine);
    expect([i, await bench.digest('generated')]).toEqual([i, await bench.digest(theirs)]);
  }
  expect(await beside.schemaOf('generated')).toEqual(await beside.schemaOf(theirs));
  expect(await spark.read(bench.path('generated'))).toEqual(await bench.digest(theirs));
  const last = steps.length;
  const theirChanges = await spark.changes(bench.path(theirs), 1, last);
  expect(await bench.changes('generated', 1n, BigInt(last))).toMatchObject({ count: theirChanges.count });
  await expect(spark.sql(`INSERT INTO ${beside.sqlName('generated')} (id, at, day) VALUES (1, ${at('01 00:00:00')}, DATE '2026-01-02')`)).rejects.toThrow(/Generated Column/);
  await spark.sql(`INSERT INTO ${beside.sqlName('generated')} (id, at, name) VALUES (100, ${at('20 00:00:00')}, 's')`);
  await mine.update(session(), { set: { name: `'z'` }, where: 'id >= 100' });
  const rows = await bench.session.rows(`SELECT day::VARCHAR AS day, month, label FROM ${await (await mine.snapshot()).relation()} WHERE id = 100`);
  expect(rows).toEqual([{ day: '2026-01-20', month: '2026-01', label: 'z-0' }]);
}, LONG); // prettier-ignore

const identity = (name: string, start: number, step: number, allowExplicitInsert: boolean): Field =>
  field(name, primitive('long'), {
    'delta.identity.start': start,
    'delta.identity.step': step,
    'delta.identity.allowExplicitInsert': allowExplicitInsert,
  });

test('identity columns', async () => {
  const { bench, spark } = beside;
  await expectEach(
    'identity',
    async (name) => {
      const schema = struct([identity('id', 10, 5, false), identity('own', 1, 1, true), field('name', primitive('string'))]);
      await bench.table(name).create({ schema, properties: { 'delta.enableDeletionVectors': 'false' } });
      await spark.sql(`INSERT INTO ${beside.sqlName(name)} (name) VALUES ('a')`);
    },
    [
      {
        spark: `INSERT INTO TABLE_ (name, own) VALUES ('b', -7)`,
        ours: (table) => table.append(session(), { source: `SELECT 'b' AS name, -7::BIGINT AS own` }),
      },
      {
        spark: { rows: `SELECT 'c' AS name`, mode: 'append' },
        ours: (table) => table.append(session(), { source: `SELECT 'c' AS name` }),
      },
      {
        spark: `MERGE INTO TABLE_ AS target USING (SELECT 'd' AS name) AS source ON target.name = source.name WHEN NOT MATCHED THEN INSERT (name) VALUES (source.name)`,
        ours: (table) => table.merge(session(), { source: `SELECT 'd' AS name`, on: 'target.name = source.name', whenNotMatched: [{ values: { name: 'source.name' } }] }),
      },
      {
        spark: `UPDATE TABLE_ SET name = 'z' WHERE id = 10`,
        ours: (table) => table.update(session(), { set: { name: `'z'` }, where: 'id = 10' }),
      },
      {
        spark: { rows: `SELECT 'e' AS name`, mode: 'overwrite', options: { replaceWhere: `name = 'e'` } },
        ours: (table) => table.overwrite(session(), { source: `SELECT 'e' AS name`, replaceWhere: `name = 'e'` }),
      },
    ],
  );
  const name = 'identity';
  const table = bench.table(name);
  await table.append(session(), { source: `SELECT 'o' || range AS name FROM range(20)` });
  await spark.sql(`INSERT INTO ${beside.sqlName(name)} (name) SELECT concat('s', id) FROM range(20)`);
  await table.append(session(), { source: `SELECT 'p' || range AS name FROM range(20)` });
  const [counts] = await bench.session.rows(`SELECT count(*) AS n, count(DISTINCT id) AS ids, count(DISTINCT id % 5) AS apart FROM ${await (await table.snapshot()).relation()}`);
  expect(counts).toEqual({ n: 65n, ids: 65n, apart: 1n });
  await expect(spark.sql(`INSERT INTO ${beside.sqlName(name)} (id, name) VALUES (1, 'x')`)).rejects.toThrow(/GENERATED ALWAYS|IDENTITY/i);
  expect(await spark.read(bench.path(name))).toEqual(await bench.digest(name));
}, LONG); // prettier-ignore
