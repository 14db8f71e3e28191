/** Columns that Spark reads other than they are stored: texts of a fixed length, and columns of no type. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { field, primitive, struct, type DataType, type Field } from '../../../core/schema.ts';
import { isPadded, padded } from '../../../tables/char-columns.ts';
import { prune } from '../../../tables/prune.ts';
import { Lab, paths, readText, writeText } from './tables.ts';

let lab: Lab;
beforeAll(async () => {
  lab = await Lab.open();
});
afterAll(() => lab.close());

const text = primitive('string');
const char = (declared: string, type: DataType = text): Field =>
  field('c', type, { __CHAR_VARCHAR_TYPE_STRING: declared });
const s = struct([field('a:b', text), field('n', primitive('integer')), field('v', text)]);

test.each<readonly [string, DataType, string, unknown]>([
  ['char(3)', text, `'é'`, 'é  '],
  ['char(3)', text, `'long'`, 'long'],
  ['char(3)', text, 'NULL::VARCHAR', null],
  ['varchar(3)', text, `'x'`, 'x'],
  ['char(', text, `'x'`, 'x'],
  ['array<char(2)>', { kind: 'array', element: text, containsNull: true }, `['a', NULL]`, ['a ', null]],
  ['struct<a:b:char(2),n:int,v:varchar(4)>', s, `{'a:b': 'x', 'n': 1, 'v': 'y'}`, { 'a:b': 'x ', n: 1, v: 'y' }],
  [
    'map<char(2),decimal(4,2)>',
    { kind: 'map', key: text, value: { kind: 'decimal', precision: 4, scale: 2 }, valueContainsNull: true },
    `MAP {'k': 1::DECIMAL(4,2)}`,
    [{ key: 'k ', value: '1.00' }],
  ],
])('%s, %j: %s', async (declared, type, value, expected) => {
  const [row] = await lab.session.rows(`SELECT ${padded('c', char(declared, type))} AS c FROM (SELECT ${value} AS c)`);
  expect(row?.['c']).toEqual(expected);
});

test('a file is not left out for bounds without the spaces that are read', () => {
  const column = char('char(5)');
  const stats = JSON.stringify({ numRecords: 1, minValues: { c: 'ab' }, maxValues: { c: 'ab' }, nullCount: { c: 0 } });
  const file = { path: 'a', partitionValues: {}, bytes: 1n, modificationMs: 0, dataChange: true, stats };
  const shape = { schema: struct([column]), partitionColumns: [], mapping: 'none' as const };
  expect(isPadded(column)).toBe(true);
  expect(prune([file], shape, [{ column: 'c', op: '=', value: 'ab   ' }])).toEqual([file]);
});

test('columns of no type are left out of what is read, and the table is not written', async () => {
  const store = lab.store();
  await lab.written(lab.table(store), `SELECT 1 AS id, {'a': 2} AS s`);
  const [entry = ''] = await paths(store, '_delta_log/');
  const nothing = String.raw`{\"name\":\"nothing\",\"type\":\"void\",\"nullable\":true,\"metadata\":{}}`;
  const written = await readText(store, entry);
  const odd = written.replaceAll(String.raw`\"fields\":[`, (start) => `${start}${nothing},`);
  expect(odd.split('void').length).toBe(3);
  await writeText(store, entry, odd);
  const table = lab.table(store);
  expect(await lab.rows(table)).toEqual([{ id: 1, s: { a: 2 } }]);
  await expect(lab.written(table, `SELECT 1 AS id, {'a': 2} AS s`)).rejects.toMatchObject({
    code: 'UNSUPPORTED_FEATURE',
    facts: { features: ['columns of type void'] },
  });
});
