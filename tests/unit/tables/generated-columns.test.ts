/** Generated columns: no row has another value in one than its expression gives, whichever way it comes and whoever changes it. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { field, primitive, struct, type Field, type PrimitiveName } from '../../../core/schema.ts';
import type { DeltaTable } from '../../../tables/index.ts';
import { Lab } from './tables.ts';

let lab: Lab;
beforeAll(async () => {
  lab = await Lab.open();
});
afterAll(() => lab.close());

const generated = (name: string, type: PrimitiveName, expression: string): Field =>
  field(name, primitive(type), { 'delta.generationExpression': expression });
const FIELDS = [
  field('id', primitive('long')),
  field('at', primitive('timestamp')),
  generated('day', 'date', 'CAST(at AS DATE)'),
  field('name', primitive('string'), { CURRENT_DEFAULT: "'n'" }),
  generated('label', 'string', "concat(name, '-', CAST(id AS STRING))"),
];

async function made(
  properties: Readonly<Record<string, string>> = {},
  partitionColumns: readonly string[] = ['day'],
): Promise<DeltaTable> {
  const table = lab.table();
  await table.create({ schema: struct(FIELDS), partitionColumns, properties });
  return table;
}

const AT = (day: number): string => `TIMESTAMPTZ '2026-01-0${String(day)} 23:30:00+00'`;
const ROW = (id: number, day = 1): string => `SELECT ${String(id)}::BIGINT AS id, ${AT(day)} AS "at"`;
const shown = async (table: DeltaTable): Promise<unknown[]> =>
  (
    await lab.session.rows(
      `SELECT id, day::VARCHAR AS day, label FROM ${await (await table.snapshot()).relation()} ORDER BY id`,
    )
  ).map(({ id, day, label }) => [id, day, label]);

test.each([{}, { 'delta.enableDeletionVectors': 'true', 'delta.enableChangeDataFeed': 'true' }])(
  'every way to bring and change rows computes them: %o',
  async (properties) => {
    const table = await made(properties);
    const { session } = lab;
    await table.append(session, { source: ROW(1) });
    await table.append(session, { source: `${ROW(2, 2)}, DATE '2026-01-02' AS day, 'x' AS name` });
    await table.append(session, { source: 'SELECT 4::BIGINT AS id' });
    await table.update(session, { set: { at: AT(5), id: 'id + 10' }, where: 'id = 2' });
    await table.update(session, { set: { name: `'u'`, label: `'u-' || id` }, where: 'id = 1' });
    await table.merge(session, {
      source: `SELECT unnest([12, 20, 21])::BIGINT AS id, 'm' AS name`,
      on: 'target.id = source.id',
      whenMatched: [{ set: { name: 'source.name' } }],
      whenNotMatched: [
        { condition: 'source.id = 20', values: { id: 'source.id', at: AT(7) } },
        { values: { id: 'source.id', name: 'source.name', label: `'m-21'` } },
      ],
      whenNotMatchedBySource: [{ condition: 'target.id = 4', delete: true }],
    });
    await table.overwrite(session, { source: ROW(1, 9), replaceWhere: 'id = 1' });
    expect(await shown(table)).toEqual([
      [1n, '2026-01-09', 'n-1'],
      [12n, '2026-01-05', 'm-12'],
      [20n, '2026-01-07', 'n-20'],
      [21n, null, 'm-21'],
    ]);
    if (properties['delta.enableChangeDataFeed'] === undefined) return;
    const version = (await table.snapshot()).version;
    const changes = await lab.session.rows(
      `SELECT id, day::VARCHAR AS day, label, _change_type AS type FROM ${(await table.changeFeed(version - 1n, version - 1n)).relation} ORDER BY ALL`,
    );
    expect(changes).toContainEqual({ id: 12n, day: '2026-01-05', label: 'm-12', type: 'update_postimage' });
    expect(changes).toContainEqual({ id: 20n, day: '2026-01-07', label: 'n-20', type: 'insert' });
  },
);

test('rows that bring another value are refused, and nothing of them stays', async () => {
  const table = await made();
  const { session } = lab;
  await table.append(session, { source: ROW(1) });
  const wrong = `DATE '2026-01-02'`;
  const refused: (() => Promise<unknown>)[] = [
    () => table.append(session, { source: `${ROW(2)}, ${wrong} AS DAY` }),
    () => table.append(session, { source: `${ROW(2)}, NULL::DATE AS day` }),
    () => table.overwrite(session, { source: `${ROW(2)}, ${wrong} AS day` }),
    () => table.update(session, { set: { day: wrong } }),
    () => table.update(session, { set: { label: 'name' } }),
    () => table.merge(session, { source: `${ROW(1)}, ${wrong} AS day`, on: 'target.id = source.id', whenMatched: [{ set: { day: 'source.day' } }] }),
    () => table.merge(session, { source: ROW(2), on: 'target.id = source.id', whenNotMatched: [{ values: { id: 'source.id', at: 'source.at', day: wrong } }] }),
  ]; // prettier-ignore
  const { version } = await table.snapshot();
  for (const write of refused) {
    await expect(write()).rejects.toMatchObject({ code: 'CONSTRAINT_VIOLATED', facts: { constraint: expect.stringMatching(/^generated column (day|label)$/) as string } }); // prettier-ignore
  }
  expect((await table.snapshot()).version).toBe(version);
  await expect(refused[0]?.()).rejects.toThrow(/a row breaks generated column day \(day <=> CAST\(at AS DATE\)\)/);
});

test('a flow brings rows without them, and without columns that they are computed from', async () => {
  const table = await made({}, []);
  await lab.written(table, ROW(1));
  await lab.written(table, "SELECT 2::BIGINT AS id, 'f' AS name");
  expect(await shown(table)).toEqual([
    [1n, '2026-01-01', 'n-1'],
    [2n, null, 'f-2'],
  ]);
});

test('columns that they are computed from stay as they are called, and are not widened', async () => {
  const table = await made({ 'delta.columnMapping.mode': 'name', 'delta.enableTypeWidening': 'true' });
  const needed = { code: 'SCHEMA_INCOMPATIBLE', facts: { dependents: ['the generated column day'] } };
  await expect(table.alter(lab.session, { renameColumn: { from: 'at', to: 'ts' } })).rejects.toMatchObject(needed);
  await expect(table.alter(lab.session, { dropColumns: ['at'] })).rejects.toMatchObject(needed);
  await table.alter(lab.session, { dropColumns: ['label'] });
  await table.alter(lab.session, { renameColumn: { from: 'name', to: 'called' } });
  await table.append(lab.session, { source: `${ROW(1)}, 'c' AS called` });
  expect((await table.snapshot()).rows).toBe(1n);
});

test('the protocol says so, and an overwrite with other columns leaves none', async () => {
  const table = await made({}, []);
  expect((await table.snapshot()).protocol.writerFeatures).toContain('generatedColumns');
  await table.overwrite(lab.session, { source: `${ROW(1)}, DATE '1999-01-01' AS day`, overwriteSchema: true });
  expect((await lab.rows(table)).map(({ id }) => id)).toEqual([1n]);
});

describe('refused at creation', () => {
  test.each([
    ['integer', 'id'],
    ['long', 'year(at)'],
    ['date', 'at'],
    ['string', 'uuid()'],
    ['string', 'g'],
    ['date', 'day'],
    ['string', 'nobody'],
    ['long', '1'],
    ['string', 'NULL'],
  ] as const)('%s GENERATED ALWAYS AS (%s)', async (type, expression) => {
    const schema = struct([...FIELDS, generated('g', type, expression)]);
    await expect(lab.table().create({ schema })).rejects.toMatchObject({ code: 'UNSUPPORTED_FEATURE' });
  });

  test.each([
    ['long', 'id % 16'],
    ['integer', 'year(at) * 100 + month(at)'],
    ['string', "date_format(at, 'yyyy-MM')"],
    ['boolean', 'id > 3'],
    ['timestamp', "date_trunc('DAY', at)"],
    ['string', 'CASE WHEN id > 1 THEN name ELSE NULL END'],
    ['long', 'coalesce(id, CAST(0 AS BIGINT))'],
  ] as const)('not %s GENERATED ALWAYS AS (%s)', async (type, expression) => {
    const table = lab.table();
    await table.create({ schema: struct([...FIELDS, generated('g', type, expression)]) });
    await table.append(lab.session, { source: ROW(17) });
    const [row] = await lab.rows(table);
    await table.overwrite(lab.session, { source: `SELECT * FROM ${await (await table.snapshot()).relation()}` });
    expect(await lab.rows(table)).toEqual([row]);
  });
});
