/** CONVERT: Parquet files of a folder become a table where they lie. */
import { cp, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemClock } from '../../../core/clock.ts';
import { systemRandom } from '../../../core/random.ts';
import { field, primitive, typeName, type Field } from '../../../core/schema.ts';
import { quoteString } from '../../../engine/quoting.ts';
import { DeltaTable, type ConvertOptions } from '../../../tables/index.ts';
import { Lab } from './tables.ts';

let lab: Lab;
let root: string;
beforeAll(async () => {
  lab = await Lab.open();
  root = await mkdtemp(join(tmpdir(), 'sluice-convert-'));
});
afterAll(async () => {
  await lab.close();
  await rm(root, { recursive: true, force: true });
});

let folders = 0;
async function folder(files: Readonly<Record<string, string>>): Promise<DeltaTable> {
  const path = join(root, `t ${String(folders++)}%`);
  for (const [file, query] of Object.entries(files)) {
    await mkdir(dirname(join(path, file)), { recursive: true });
    if (query.startsWith('SELECT')) await lab.session.run(`COPY (${query}) TO ${quoteString(join(path, file))} (FORMAT parquet)`);
    else await writeFile(join(path, file), query);
  }
  return DeltaTable.at(path, { engine: lab.engine, clock: systemClock, random: systemRandom });
} // prettier-ignore

const convert = (table: DeltaTable, options: ConvertOptions = {}) => table.convert(lab.session, options);
const DAY: Field = field('day', primitive('date'));

test('files with different columns, in folders, with odd names: all rows, with statistics', async () => {
  const table = await folder({
    'a.parquet': `SELECT range AS id, 'n' || range AS name, {x: range::INTEGER, "at": TIMESTAMPTZ '2026-01-01 00:00:00.123456+00'} AS s FROM range(10)`,
    'sub folder/b ü%20.parquet': `SELECT range + 10 AS id, 1.50::DECIMAL(9,2) AS more, {x: 1, y: [1, 2]} AS s FROM range(5)`,
    '_hidden/c.parquet': 'SELECT 1 AS other',
    '.d.parquet.crc': 'no parquet',
    '_SUCCESS': '',
  });
  const seen: number[] = [];
  const result = await convert(table, { onProgress: (done, all) => seen.push(done / all) });
  expect(result).toMatchObject({ version: 0n, files: 2, rows: 15n });
  expect([seen.at(-1), seen]).toEqual([1, [...seen].sort()]);
  const { schema, files } = await table.snapshot();
  expect(schema.fields.map(({ name, type }) => `${name} ${typeName(type)}`)).toEqual(['id bigint', 'name string', 's struct<x:int,at:timestamp,y:array<int>>', 'more decimal(9,2)']);
  const rows = await lab.rows(table);
  expect(rows).toHaveLength(15);
  expect(rows[0]).toEqual({ id: 0n, name: 'n0', s: { x: 0, at: '2026-01-01 00:00:00.123456+00', y: null }, more: null });
  expect(rows[14]).toEqual({ id: 14n, name: null, s: { x: 1, at: null, y: [1, 2] }, more: '1.50' });
  const stats = JSON.parse(files.find(({ path }) => path === 'a.parquet')?.stats ?? '') as unknown;
  expect(stats).toEqual({ numRecords: 10, minValues: { id: 0, name: 'n0', s: { x: 0, at: '2026-01-01T00:00:00.123Z' } }, maxValues: { id: 9, name: 'n9', s: { x: 9, at: '2026-01-01T00:00:00.124Z' } }, nullCount: { id: 0, name: 0, s: { x: 0, at: 0 } } });
  expect((await table.check(lab.session)).problems).toEqual([]);
  expect(await convert(table)).toMatchObject({ version: undefined, files: 0 });
  expect((await table.history())[0]).toMatchObject({ operation: 'CONVERT', operationParameters: { numFiles: '2', partitionedBy: '[]', collectStats: 'true' } });
  await table.append(lab.session, { source: 'SELECT 99 AS id' });
  expect(await table.delete(lab.session, { where: 'id < 12' })).toMatchObject({ rows: 12n });
}); // prettier-ignore

test('partition values come from the folders, decoded and of their types', async () => {
  const country = field('country', primitive('string'));
  const table = await folder({
    'day=2026-01-01/country=a%2Fb%20%C3%BC/x.parquet': 'SELECT 1 AS id',
    'day=2026-1-2/country=__HIVE_DEFAULT_PARTITION__/x.parquet': `SELECT 2 AS id, 'in the file' AS country`,
    'day=__HIVE_DEFAULT_PARTITION__/country=%25/x.parquet': 'SELECT 3 AS id',
  });
  await convert(table, { partitionColumns: [DAY, country], properties: { team: 'shop' } });
  expect(await lab.rows(table)).toEqual([
    { id: 1, day: '2026-01-01', country: 'a/b ü' },
    { id: 2, day: '2026-01-02', country: null },
    { id: 3, day: null, country: '%' },
  ]);
  const { partitionColumns, properties, files } = await table.snapshot();
  expect([partitionColumns, properties]).toEqual([['day', 'country'], { team: 'shop' }]);
  expect(files.map(({ partitionValues }) => partitionValues['day']).sort()).toEqual(['2026-01-01', '2026-01-02', null]);
  expect(await table.overwrite(lab.session, { source: `SELECT 9 AS id, DATE '2026-01-01' AS day, 'a/b ü' AS country`, partitionOverwriteMode: 'dynamic' })).toMatchObject({ filesRemoved: 1 });
  expect((await table.check(lab.session)).problems).toEqual([]);
}); // prettier-ignore

test('types that Delta has not become larger ones where no value is lost', async () => {
  const table = await folder({
    'a.parquet': `SELECT 255::UTINYINT AS u8, 65535::USMALLINT AS u16, 4294967295::UINTEGER AS u32, 18446744073709551615::UBIGINT AS u64, 1::TINYINT AS i8, TIMESTAMP '2026-01-01' AS ntz, 'x'::BLOB AS b, MAP {'k': [1.5::FLOAT, 'nan'::FLOAT]} AS m, 'nan'::DOUBLE AS nan, repeat('ü', 50) AS long, 'a'::ENUM('a') AS e`,
    'b.parquet': 'SELECT 1000::SMALLINT AS i8',
  });
  await convert(table);
  const { schema, files } = await table.snapshot();
  expect(schema.fields.map(({ name, type }) => `${name} ${typeName(type)}`)).toEqual(['u8 smallint', 'u16 int', 'u32 bigint', 'u64 decimal(20,0)', 'i8 smallint', 'ntz timestamp_ntz', 'b binary', 'm map<string,array<float>>', 'nan double', 'long string', 'e string']);
  const [row] = await lab.session.rows(`SELECT * FROM ${await (await table.snapshot()).relation()} WHERE i8 = 1`);
  expect(row).toMatchObject({ u8: 255, u16: 65535, u32: 4294967295n, u64: '18446744073709551615' });
  const text = files.find(({ path }) => path === 'a.parquet')?.stats ?? '';
  expect(JSON.parse(text)).toMatchObject({ maxValues: { u8: 255, u32: 4294967295 }, nullCount: { long: 0, b: 0 } });
  expect((await table.check(lab.session)).problems).toEqual([]);
}); // prettier-ignore

test.each<[string, Readonly<Record<string, string>>, ConvertOptions, string, RegExp]>([
  ['a file that is none', { 'a.parquet': 'SELECT 1 AS id', 'b.parquet': 'nothing' }, {}, 'SCHEMA_INCOMPATIBLE', /b\.parquet/],
  ['another kind of file', { 'a.parquet': 'SELECT 1 AS id', 'b.csv': 'id' }, {}, 'SCHEMA_INCOMPATIBLE', /b\.csv is no Parquet file/],
  ['no file', { '_x': '' }, {}, 'TABLE_NOT_FOUND', /no Parquet file/],
  ['types that differ', { 'a.parquet': 'SELECT 1 AS id', 'b.parquet': `SELECT 'x' AS id` }, {}, 'SCHEMA_INCOMPATIBLE', /b\.parquet .*id is string, and int/],
  ['a type that there is not', { 'a.parquet': `SELECT TIME '12:00' AS t` }, {}, 'TYPE_UNSUPPORTED', /column t is of the Parquet type TIME/],
  ['nanoseconds', { 'a.parquet': `SELECT {n: TIMESTAMP_NS '2026-01-01'} AS t` }, {}, 'TYPE_UNSUPPORTED', /column t\.n is a time in nanoseconds/],
  ['an interval', { 'a.parquet': `SELECT [INTERVAL 1 DAY] AS t` }, {}, 'TYPE_UNSUPPORTED', /t\.element is of the Parquet type INTERVAL/],
  ['partitions that were not named', { 'day=1/a.parquet': 'SELECT 1 AS id' }, {}, 'SCHEMA_INCOMPATIBLE', /day=1\/a\.parquet .*day, and none/],
  ['partitions that are not there', { 'a.parquet': 'SELECT 1 AS id' }, { partitionColumns: [DAY] }, 'SCHEMA_INCOMPATIBLE', /none, and day/],
  ['values of another type', { 'day=x/a.parquet': 'SELECT 1 AS id' }, { partitionColumns: [DAY] }, 'SCHEMA_INCOMPATIBLE', /day=x is no date/],
  ['a name with a space', { 'a.parquet': 'SELECT 1 AS "my id"' }, {}, 'SCHEMA_INCOMPATIBLE', /my id/],
  ['nothing but partitions', { 'day=2026-01-01/a.parquet': 'SELECT 1 AS day' }, { partitionColumns: [DAY] }, 'SCHEMA_INCOMPATIBLE', /column/],
])('%s: refused, and nothing is written', async (_, files, options, code, message) => {
  const table = await folder(files);
  const before = await readdir(table.location, { recursive: true });
  await expect(convert(table, options)).rejects.toMatchObject({ code, message: expect.stringMatching(message) as string });
  expect(await readdir(table.location, { recursive: true })).toEqual(before);
}); // prettier-ignore

test('of two who convert a folder at once one does, and a stop leaves the folder as it is', async () => {
  const table = await folder({ 'a.parquet': 'SELECT 1 AS id' });
  const stop = new AbortController();
  stop.abort();
  await expect(convert(table, { signal: stop.signal })).rejects.toMatchObject({ code: 'INTERRUPTED' });
  const other = DeltaTable.at(table.location, { engine: lab.engine, clock: systemClock, random: systemRandom });
  const session = await lab.engine.session();
  const results = await Promise.all([convert(table), other.convert(session)]);
  session.close();
  expect(results.map(({ version }) => version).sort()).toEqual([0n, undefined]);
  await cp(table.location, `${table.location} copy`, { recursive: true });
  expect(await lab.rows(table)).toEqual([{ id: 1 }]);
});
