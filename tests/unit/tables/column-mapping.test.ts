/** Columns are read by the names and ids that the log gives them, and a file that does not have them so is refused. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { field, primitive, struct, type Field, type StructType } from '../../../core/schema.ts';
import { relationOf, type RelationFile } from '../../../tables/relation.ts';
import type { MappingMode } from '../../../tables/column-mapping.ts';
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
