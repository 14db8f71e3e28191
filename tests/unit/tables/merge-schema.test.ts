/** MERGE with other columns in the source: what `*` takes over, what it leaves, and what becomes of the table's columns. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { typeName } from '../../../core/schema.ts';
import type { MergeOptions } from '../../../tables/index.ts';
import type { DeltaTable } from '../../../tables/table.ts';
import { BusyStore, Lab } from './tables.ts';

let lab: Lab;
beforeAll(async () => {
  lab = await Lab.open();
});
afterAll(() => lab.close());

const ON = 'target.id = source.id';
const STARS: Pick<MergeOptions, 'on' | 'whenMatched' | 'whenNotMatched'> = {
  on: ON,
  whenMatched: [{ set: '*' }],
  whenNotMatched: [{ values: '*' }],
};
const EVOLVE = { ...STARS, withSchemaEvolution: true };

async function made(source: string): Promise<DeltaTable> {
  const table = lab.table();
  await table.append(lab.session, { source });
  return table;
}
const rowsOf = async (table: DeltaTable): Promise<unknown> =>
  lab.session.rows(`SELECT * FROM ${await (await table.snapshot()).relation()} ORDER BY id`);
const columnsOf = async (table: DeltaTable): Promise<string> => {
  const { schema } = await table.snapshot();
  return schema.fields.map(({ name, type }) => `${name} ${typeName(type)}`).join(', ');
};

test('columns that the source has are added; those that it lacks stay, or are NULL in new rows', async () => {
  const table = await made(`SELECT range AS id, 'old' AS name, 7 AS kept FROM range(3)`);
  const source = `SELECT * FROM (VALUES (1::BIGINT, 1.5::DOUBLE, 'N1'), (9, 2.5, 'N9')) AS t(ID, more, Name)`;
  expect(await table.merge(lab.session, { source, ...EVOLVE })).toMatchObject({ updated: 1n, inserted: 1n });
  expect(await columnsOf(table)).toBe('id bigint, name string, kept int, more double');
  expect(await rowsOf(table)).toEqual([
    { id: 0n, name: 'old', kept: 7, more: null },
    { id: 1n, name: 'N1', kept: 7, more: 1.5 },
    { id: 2n, name: 'old', kept: 7, more: null },
    { id: 9n, name: 'N9', kept: null, more: 2.5 },
  ]);
  expect((await table.check(lab.session)).problems).toEqual([]);
});

test('without evolution: other columns of the source are passed over, missing ones refused', async () => {
  const table = await made(`SELECT 1::BIGINT AS id, {a: 1} AS s`);
  await table.merge(lab.session, { source: 'SELECT 1 AS id, {a: 2} AS s, 5 AS more', ...STARS });
  expect(await rowsOf(table)).toEqual([{ id: 1n, s: { a: 2 } }]);
  const wrong: [string, Partial<MergeOptions>, string, RegExp][] = [
    ['SELECT 1 AS id', STARS, 'UNKNOWN_COLUMN', /source has no column s/],
    ['SELECT 2 AS id', { whenNotMatched: [{ values: '*' }] }, 'UNKNOWN_COLUMN', /source has no column s/],
    ['SELECT 1 AS id, {a: 1, b: 2} AS s', STARS, 'SCHEMA_INCOMPATIBLE', /no column s\.b/],
    [`SELECT 1 AS id, 'x' AS s`, STARS, 'SCHEMA_INCOMPATIBLE', /s is struct<a:int> in the table and string/],
    ['SELECT 1 AS id, 5 AS more', { whenMatched: [{ set: { more: 'source.more' } }] }, 'UNKNOWN_COLUMN', /no column more/],
    [`SELECT 1 AS id, 'x' AS s`, EVOLVE, 'SCHEMA_INCOMPATIBLE', /s is struct/],
  ];
  for (const [source, options, code, message] of wrong) {
    const merging = table.merge(lab.session, { on: ON, source, ...options });
    await expect(merging).rejects.toMatchObject({ code, message: expect.stringMatching(message) as string });
  }
  expect((await table.snapshot()).version).toBe(1n);
}); // prettier-ignore

test('fields of structs are added, and those that the source lacks stay', async () => {
  const table = await made(`SELECT range AS id, {a: range, c: 'kept', d: {x: 1, y: 2}} AS s, [{a: 1}] AS list FROM range(3)`);
  const source = `SELECT * FROM (VALUES (1::BIGINT, {'b': 'new', 'a': 10::BIGINT, 'd': {'z': 3, 'x': 4}}, [{'b': 2, 'a': 3}]), (2, NULL, NULL), (9, {'b': 'n', 'a': 90, 'd': NULL}, [{'b': 1, 'a': NULL}])) AS t(id, s, list)`;
  await table.merge(lab.session, { source, ...EVOLVE });
  expect(await columnsOf(table)).toBe('id bigint, s struct<a:bigint,c:string,d:struct<x:int,y:int,z:int>,b:string>, list array<struct<a:int,b:int>>');
  expect(await rowsOf(table)).toEqual([
    { id: 0n, s: { a: 0n, c: 'kept', d: { x: 1, y: 2, z: null }, b: null }, list: [{ a: 1, b: null }] },
    { id: 1n, s: { a: 10n, c: 'kept', d: { x: 4, y: 2, z: 3 }, b: 'new' }, list: [{ a: 3, b: 2 }] },
    { id: 2n, s: { a: null, c: 'kept', d: { x: null, y: 2, z: null }, b: null }, list: null },
    { id: 9n, s: { a: 90n, c: null, d: null, b: 'n' }, list: [{ a: null, b: 1 }] },
  ]);
}); // prettier-ignore

test('a column that a clause names is added, too; one that nothing sets is not', async () => {
  const table = await made('SELECT range AS id FROM range(2)');
  const source = 'SELECT range AS id, range * 10 AS a, range * 100 AS b FROM range(3)';
  await table.merge(lab.session, { source, on: ON, withSchemaEvolution: true, whenMatched: [{ set: { A: 'source.a + 1' } }], whenNotMatched: [{ values: { id: 'source.id' } }] });
  expect(await rowsOf(table)).toEqual([{ id: 0n, a: 1n }, { id: 1n, a: 11n }, { id: 2n, a: null }]);
  await table.merge(lab.session, { source: 'SELECT 99 AS id, 1 AS c', on: ON, withSchemaEvolution: true, whenMatched: [{ set: '*' }] });
  expect(await columnsOf(table)).toBe('id bigint, a bigint, c int');
}); // prettier-ignore

test('NOT NULL columns that the source lacks: kept in updates, refused in inserts', async () => {
  const table = lab.table();
  const schema = await lab.schemaOf(`SELECT 1::BIGINT AS id, 'x' AS name`);
  await table.create({ schema: { ...schema, fields: schema.fields.map((field) => ({ ...field, nullable: false })) } });
  await table.append(lab.session, { source: `SELECT 1 AS id, 'x' AS name` });
  await table.merge(lab.session, { source: 'SELECT 1 AS id, 2 AS more', ...EVOLVE });
  expect(await rowsOf(table)).toEqual([{ id: 1n, name: 'x', more: 2 }]);
  await expect(table.merge(lab.session, { source: 'SELECT 5 AS id', ...EVOLVE })).rejects.toMatchObject({ code: 'VALUE_OUT_OF_RANGE' });
}); // prettier-ignore

test('a merge that adds a column and races with one that adds another: both stand', async () => {
  const store = new BusyStore('memory://busy', lab.clock);
  const [ours, theirs] = [lab.table(store), lab.table(store)];
  await ours.append(lab.session, { source: 'SELECT range AS id FROM range(2)' });
  const session = await lab.engine.session();
  store.before.push(() => theirs.merge(session, { source: 'SELECT 0 AS id, 1 AS a', ...EVOLVE }));
  await ours.merge(lab.session, { source: 'SELECT 1 AS id, 2 AS b', ...EVOLVE });
  session.close();
  expect(await rowsOf(lab.table(store))).toEqual([{ id: 0n, a: 1, b: null }, { id: 1n, a: null, b: 2 }]); // prettier-ignore
  await store.close();
});
