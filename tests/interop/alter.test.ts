/** ALTER TABLE by sluice beside the same statement of Spark: the same columns, the same protocol, the same words in the history. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseSchema } from '../../core/schema-text.ts';
import { primitive, type DataType, type Field } from '../../core/schema.ts';
import type { Alteration, DeltaTable } from '../../tables/index.ts';
import { BesideSpark } from './beside-spark.ts';

let beside: BesideSpark;
beforeAll(async () => {
  beside = await BesideSpark.open();
});
afterAll(() => beside.close());

const column = (text: string): Field => parseSchema(text).fields[0] ?? { name: '', type: primitive('string'), nullable: true, metadata: {} }; // prettier-ignore
const type = (text: string): DataType => column(`c ${text}`).type;

/** Each statement by both, and then both are the same. */
async function expectEach(
  { ours, theirs }: { ours: DeltaTable; theirs: string },
  name: string,
  steps: readonly (readonly [statement: string, alteration: Alteration])[],
): Promise<void> {
  for (const [statement, alteration] of steps) {
    await beside.spark.sql(`ALTER TABLE ${beside.sqlName(theirs)} ${statement}`);
    await ours.alter(beside.bench.session, alteration);
    expect([statement, await beside.schemaOf(name)]).toEqual([statement, await beside.schemaOf(theirs)]);
    expect([statement, await beside.saidOf(name)]).toEqual([statement, await beside.saidOf(theirs)]);
  }
}

/** Milliseconds: each statement of Spark takes seconds. */
const LONG = 600_000;

const TABLE = [
  `CREATE TABLE TABLE_ (id BIGINT NOT NULL, part STRING, s STRUCT<a: INT, b: STRING>, l ARRAY<STRUCT<x: INT>>) USING delta PARTITIONED BY (part) TBLPROPERTIES ('delta.columnMapping.mode' = 'name', 'delta.enableDeletionVectors' = 'false')`,
  `INSERT INTO TABLE_ SELECT id, 'p', named_struct('a', 1, 'b', 'b'), array(named_struct('x', 2)) FROM range(5)`,
];

test('columns are added and dropped', async () => {
  const twice = await beside.twice('columns', TABLE);
  await expectEach(twice, 'columns', [
    [`ADD COLUMNS (n INT COMMENT 'new' FIRST, s.c DOUBLE AFTER a, l.element.y STRING, t STRUCT<u: INT>)`, {
      addColumns: [
        { column: column(`n INT COMMENT 'new'`), position: 'first' },
        { column: column('c DOUBLE'), parent: 's', position: { after: 'a' } },
        { column: column('y STRING'), parent: 'l.element' },
        { column: column('t STRUCT<u: INT>') },
      ],
    }],
    ['DROP COLUMNS (n, s.c)', { dropColumns: ['n', 's.c'] }],
  ]);
  await beside.expectSame('columns', twice.theirs, false);
}, LONG); // prettier-ignore

test('columns are renamed, described and moved', async () => {
  const { spark, bench } = beside;
  const twice = await beside.twice('names', TABLE);
  await expectEach(twice, 'names', [
    ['RENAME COLUMN s.a TO first', { renameColumn: { from: 's.a', to: 'first' } }],
    ['RENAME COLUMN part TO `the.part`', { renameColumn: { from: 'part', to: 'the.part' } }],
    [`ALTER COLUMN id COMMENT 'the key'`, { alterColumn: { column: 'id', comment: 'the key' } }],
    ['ALTER COLUMN id DROP NOT NULL', { alterColumn: { column: 'id', nullable: true } }],
    ['ALTER COLUMN id AFTER s', { alterColumn: { column: 'id', position: { after: 's' } } }],
    ['ALTER COLUMN s.b FIRST', { alterColumn: { column: 's.b', position: 'first' } }],
  ]);
  const row = `SELECT CAST(9 AS BIGINT) AS id, 'q' AS \`the.part\``;
  await spark.write(bench.path(twice.theirs), row, { mode: 'append' });
  await twice.ours.append(bench.session, { source: row.replaceAll('`', '"') });
  await beside.expectSame('names', twice.theirs, false);
}, LONG); // prettier-ignore

test('columns are widened, and so they are by rows where the schema evolves', async () => {
  const { spark, bench } = beside;
  const twice = await beside.twice('widened', [
    `CREATE TABLE TABLE_ (b BYTE, i INT, d DECIMAL(6,2), f FLOAT, day DATE, l ARRAY<SHORT>, m MAP<INT, STRUCT<x: INT>>) USING delta TBLPROPERTIES ('delta.enableTypeWidening' = 'true', 'delta.feature.timestampNtz' = 'supported', 'delta.enableDeletionVectors' = 'false')`,
    `INSERT INTO TABLE_ VALUES (1, 2, 3.25, 0.5, DATE '2026-01-01', array(4), map(5, named_struct('x', 6)))`,
  ]);
  const widen = (path: string, to: string): [string, Alteration] => [`ALTER COLUMN ${path} TYPE ${to}`, { alterColumn: { column: path, type: type(to) } }];
  await expectEach(twice, 'widened', [
    widen('b', 'SMALLINT'), widen('b', 'DOUBLE'), widen('d', 'DECIMAL(12,4)'), widen('day', 'TIMESTAMP_NTZ'),
    widen('l.element', 'INT'), widen('m.key', 'BIGINT'), widen('m.value.x', 'DECIMAL(12,1)'),
  ]);
  const source = `SELECT CAST(7 AS DOUBLE) AS b, CAST(5000000000 AS BIGINT) AS i, CAST(1.5 AS DOUBLE) AS f`;
  await spark.write(bench.path(twice.theirs), source, { mode: 'append', mergeSchema: 'true' });
  await twice.ours.append(bench.session, { source, mergeSchema: true });
  await beside.expectSame('widened', twice.theirs, false);
}, LONG); // prettier-ignore

test('constraints come and go, and the comment of the table', async () => {
  const twice = await beside.twice('ruled', [
    `CREATE TABLE TABLE_ (id BIGINT, s STRUCT<a: INT>) USING delta TBLPROPERTIES ('delta.enableDeletionVectors' = 'false')`,
    `INSERT INTO TABLE_ SELECT id, named_struct('a', 1) FROM range(5)`,
  ]);
  await expectEach(twice, 'ruled', [
    ['ADD CONSTRAINT Positive CHECK (id >= 0 AND id < 100)', { addConstraint: { name: 'Positive', expression: 'id >= 0 AND id < 100' } }],
    ['DROP CONSTRAINT positive', { dropConstraint: 'positive' }],
    [`SET TBLPROPERTIES ('comment' = 'all rows')`, { comment: 'all rows' }],
  ]);
  await expect(beside.spark.sql(`ALTER TABLE ${beside.sqlName('ruled')} ADD CONSTRAINT c CHECK (id > 0)`)).rejects.toThrow(/violate/);
  await expect(twice.ours.alter(beside.bench.session, { addConstraint: { name: 'c', expression: 'id > 0' } })).rejects.toMatchObject({ code: 'CONSTRAINT_VIOLATED' });
}); // prettier-ignore
