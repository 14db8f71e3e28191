/** Columns are read by the names and ids that the log gives them, and a file that does not have them so is refused. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { JsonObject } from '../../../core/json.ts';
import { field, primitive, struct, type Field, type StructType } from '../../../core/schema.ts';
import { relationOf, type RelationFile } from '../../../tables/relation.ts';
import type { MappingMode } from '../../../tables/column-mapping.ts';
import type { DeltaTable } from '../../../tables/table.ts';
import { Lab, writeText } from './tables.ts';

let lab: Lab;
beforeAll(async () => {
  lab = await Lab.open();
});
afterAll(() => lab.close());

const mapped = (name: string, id: number, type: Field['type'] = primitive('long')): Field =>
  field(name, type, { 'delta.columnMapping.id': id, 'delta.columnMapping.physicalName': `col-${String(id)}` });
const SCHEMA = struct([mapped('a', 1), mapped('s', 2, struct([mapped('x', 3), mapped('y', 4)]))]);

async function file(query: string, ids = ''): Promise<RelationFile> {
  const store = lab.store();
  const localPath = await store.putFile('file.parquet', async (path) => {
    await lab.session.run(`COPY (${query}) TO '${path}' (FORMAT parquet${ids === '' ? '' : `, FIELD_IDS ${ids}`})`);
    return path;
  });
  const nothing = { path: 'file.parquet', partitionValues: {}, bytes: 1n, modificationMs: 0, dataChange: true };
  return { file: nothing, localPath };
}

const read = (files: readonly RelationFile[], mapping: MappingMode, schema: StructType = SCHEMA): Promise<unknown> =>
  lab.session.rows(`SELECT * FROM ${relationOf({ schema, partitionColumns: [], mapping }, files)} ORDER BY ALL`);

const ROW = `SELECT 1::BIGINT AS "col-1", {'col-3': 2::BIGINT, 'col-4': 3::BIGINT} AS "col-2"`;
const IDS = `{'col-1': 1, 'col-2': {__duckdb_field_id: 2, 'col-3': 3, 'col-4': 4}}`;

test('by name and by id, nested columns and ones that a file lacks too', async () => {
  const whole = await file(ROW, IDS);
  const part = await file(`SELECT {'col-4': 7::BIGINT} AS "col-2"`, `{'col-2': {__duckdb_field_id: 2, 'col-4': 4}}`);
  const none = await file(
    'SELECT NULL::STRUCT("col-3" BIGINT) AS "col-2"',
    `{'col-2': {__duckdb_field_id: 2, 'col-3': 3}}`,
  );
  const rows = [
    { a: 1n, s: { x: 2n, y: 3n } },
    { a: null, s: { x: null, y: 7n } },
    { a: null, s: null },
  ];
  expect(await read([whole, part, none], 'name')).toEqual(rows);
  expect(await read([whole, part, none], 'id')).toEqual(rows);
});

test.each([
  ['no ids at all', ROW, ''],
  ['the ids of other columns', ROW, `{'col-1': 3, 'col-2': {__duckdb_field_id: 2, 'col-3': 1, 'col-4': 4}}`],
  ['other names', `SELECT 1::BIGINT AS old_a, 5 AS other`, `{old_a: 1, other: 9}`],
])('by id, a file with %s is refused and not read as NULL', async (_, query, ids) => {
  const good = await file(ROW, IDS);
  const bad = await file(query, ids);
  await expect(read([good, bad], 'id')).rejects.toThrow(/columnMapping by id: .*file\.parquet/);
});

test('a mode that nobody knows is refused; one that the protocol does not have is none', async () => {
  const store = lab.store();
  const entry = (reader: number, mode: string): string =>
    [
      { protocol: { minReaderVersion: reader, minWriterVersion: 5 } },
      { metaData: { id: 'x', format: { provider: 'parquet' }, schemaString: '{"type":"struct","fields":[{"name":"a","type":"long"}]}', partitionColumns: [], configuration: { 'delta.columnMapping.mode': mode } } },
    ].map((action) => `${JSON.stringify(action)}\n`).join(''); // prettier-ignore
  await writeText(store, '_delta_log/00000000000000000000.json', entry(2, 'colour'));
  await expect(lab.table(store).snapshot()).rejects.toMatchObject({ code: 'UNSUPPORTED_FEATURE', facts: { features: ['columnMapping'] } });
  await writeText(store, '_delta_log/00000000000000000000.json', entry(1, 'name'));
  expect((await lab.table(store).snapshot()).schema.fields).toHaveLength(1);
}); // prettier-ignore

const NAME = { 'delta.columnMapping.mode': 'name' };
const set = (table: DeltaTable, properties: Record<string, string>): Promise<unknown> =>
  table.commit({ operation: 'SET TBLPROPERTIES', mode: 'append', add: [], properties });
const idsOf = (schema: StructType): unknown =>
  schema.fields.map(({ name, metadata, type }) => [name, metadata['delta.columnMapping.id'], ...(type.kind === 'struct' ? [idsOf(type)] : [])]); // prettier-ignore

test('new columns get the next ids, and names of their own in data files, statistics and partition values', async () => {
  const store = lab.store();
  const table = lab.table(store);
  await table.create({ schema: struct([field('a b', primitive('long')), field('p', primitive('string'))]), partitionColumns: ['p'], properties: NAME });
  await table.append(lab.session, { source: `SELECT 1::BIGINT AS "a b", 'x' AS p` });
  await table.append(lab.session, { source: `SELECT 2::BIGINT AS "a b", 'x' AS p, {n: 1, m: [{o: 2}]} AS s, 5 AS z`, mergeSchema: true });
  const { schema, properties, files } = await table.snapshot();
  expect(idsOf(schema)).toEqual([['a b', 1], ['p', 2], ['s', 3, [['n', 4], ['m', 5]]], ['z', 7]]);
  expect(properties['delta.columnMapping.maxColumnId']).toBe('7');
  const [, part] = schema.fields.map(({ metadata }) => nameOf(metadata));
  expect(part).toMatch(/^col-[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/);
  for (const file of files) {
    expect(file.partitionValues).toEqual({ [part ?? '']: 'x' });
    expect(file.stats).not.toMatch(/a b|"s"/);
  }
  expect(await lab.rows(table)).toEqual([
    { 'a b': 1n, p: 'x', s: null, z: null },
    { 'a b': 2n, p: 'x', s: { n: 1, m: [{ o: 2 }] }, z: 5 },
  ]);
  expect((await table.check(lab.session)).problems).toEqual([]);
  expect((await table.snapshot()).canMatch(files[0] ?? fail(), [{ column: 'p', op: '=', value: 'y' }])).toBe(false);
}); // prettier-ignore

function nameOf(metadata: JsonObject): string {
  const name = metadata['delta.columnMapping.physicalName'];
  return typeof name === 'string' ? name : '';
}

function fail(): never {
  throw new Error('no file');
}

test('rows that are written by name come to lie under the names of the table, whatever their order', async () => {
  const table = lab.table();
  await lab.written(table, `SELECT 1 AS a, {x: 1, y: 2} AS s`, { properties: NAME });
  await lab.written(table, `SELECT 'new' AS n, {z: 3, x: 4} AS s, 2 AS a`);
  expect(await lab.rows(table)).toEqual([
    { a: 1, s: { x: 1, y: 2, z: null }, n: null },
    { a: 2, s: { x: 4, y: null, z: 3 }, n: 'new' },
  ]);
  // The first files lay there before there was a mapping.
  const { schema } = await table.snapshot();
  expect(schema.fields.map(({ metadata }) => nameOf(metadata).slice(0, 4))).toEqual(['a', 's', 'col-']); // prettier-ignore
});

test('files that were staged before somebody mapped the columns, or added one, do not get in', async () => {
  const store = lab.store();
  const [table, other] = [lab.table(store), lab.table(store)];
  await lab.written(table, 'SELECT 1 AS a');
  const early = await lab.stage(table, 'SELECT 2 AS a');
  await set(other, NAME);
  expect(await table.commit({ operation: 'WRITE', mode: 'append', add: early })).toMatchObject({ kind: 'conflict', reason: { kind: 'metadata' } }); // prettier-ignore
  const [mine, theirs] = [await lab.stage(table, 'SELECT 3 AS a, 4 AS mine'), await lab.stage(other, 'SELECT 5 AS a, 6 AS theirs')]; // prettier-ignore
  const schema = (name: string): StructType => struct([field('a', primitive('integer')), field(name, primitive('integer'))]); // prettier-ignore
  expect(await other.commit({ operation: 'WRITE', mode: 'append', add: theirs, schema: schema('theirs') })).toMatchObject({ kind: 'committed' }); // prettier-ignore
  expect(await table.commit({ operation: 'WRITE', mode: 'append', add: mine, schema: schema('mine') })).toMatchObject({ kind: 'conflict', reason: { kind: 'metadata' } }); // prettier-ignore
  expect(await lab.rows(table)).toEqual([{ a: 1, theirs: null }, { a: 5, theirs: 6 }]); // prettier-ignore
});

test('an overwrite that changes columns keeps the ids of those that stay, and gives no id twice', async () => {
  const table = lab.table();
  await table.create({
    schema: struct([field('a', primitive('long')), field('b', primitive('long'))]),
    properties: NAME,
  });
  await table.overwrite(lab.session, { source: `SELECT 'text' AS b, 1::BIGINT AS a`, overwriteSchema: true });
  const { schema, properties } = await table.snapshot();
  expect(idsOf(schema)).toEqual([['b', 3], ['a', 1]]); // prettier-ignore
  expect(properties['delta.columnMapping.maxColumnId']).toBe('3');
  expect(await lab.rows(table)).toEqual([{ b: 'text', a: 1n }]);
});

test.each([
  ['none', 'id', {}, 'UNSUPPORTED_FEATURE'],
  ['name', 'id', NAME, 'UNSUPPORTED_FEATURE'],
  ['name', 'none', NAME, 'UNSUPPORTED_FEATURE'],
  ['none', 'colour', {}, 'CONFIG_INVALID'],
])('the mode is not changed from %s to %s', async (_, mode, properties, code) => {
  const table = lab.table();
  await table.create({ schema: struct([field('a', primitive('long'))]), properties });
  await expect(set(table, { 'delta.columnMapping.mode': mode })).rejects.toMatchObject({ code });
});

test('nobody but a writer sets the highest id, or takes it or the mode away; a restore does not either', async () => {
  const table = lab.table();
  await table.create({ schema: struct([field('a', primitive('long'))]) });
  await set(table, NAME);
  await expect(set(table, { 'delta.columnMapping.maxColumnId': '9' })).rejects.toMatchObject({ code: 'UNSUPPORTED_FEATURE' }); // prettier-ignore
  for (const key of ['delta.columnMapping.maxColumnId', 'delta.columnMapping.mode']) {
    const unset = { operation: 'UNSET TBLPROPERTIES', mode: 'append', add: [], unset: [key] } as const;
    await expect(table.commit(unset)).rejects.toMatchObject({ code: 'UNSUPPORTED_FEATURE' });
  }
  await expect(table.restore(0n)).rejects.toMatchObject({ code: 'UNSUPPORTED_FEATURE' });
  expect((await table.snapshot()).properties).toEqual({ ...NAME, 'delta.columnMapping.maxColumnId': '1' });
});

test('a table by id is not made of files that have no ids', async () => {
  const table = lab.table();
  await expect(lab.written(table, 'SELECT 1 AS a', { properties: { 'delta.columnMapping.mode': 'id' } })).rejects.toMatchObject({ code: 'UNSUPPORTED_FEATURE' }); // prettier-ignore
  expect(await table.exists()).toBe(false);
});
