/** Checkpoints with statistics as columns: the same statistics as the log has, whatever the types; a bound that would be rounded is left out. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { commitPath } from '../../../tables/log/paths.ts';
import { statsColumns } from '../../../tables/log/parsed-stats.ts';
import type { LogState } from '../../../tables/log/replay.ts';
import type { DeltaTable } from '../../../tables/table.ts';
import { field, primitive, struct } from '../../../core/schema.ts';
import { Lab } from './tables.ts';

const AS_STRUCT = { 'delta.checkpoint.writeStatsAsStruct': 'true', 'delta.checkpointInterval': '2' };
const AS_JSON_OFF = { 'delta.checkpoint.writeStatsAsJson': 'false' };
const ROW = `SELECT range AS id, range::INTEGER AS i, range::SMALLINT AS sh, range::TINYINT AS b, range / 3 AS d, (range / 7)::FLOAT AS f, 'té"xt ' || range AS t, range % 2 = 0 AS ok,
  DATE '2026-01-01' + range::INTEGER AS day, TIMESTAMPTZ '2026-01-01 00:00:00.123456+00' + INTERVAL 1 HOUR * range AS at, TIMESTAMP '2026-01-01 00:00:00' + INTERVAL 1 MINUTE * range AS local,
  (range * 1.25)::DECIMAL(12,2) AS small, (range + 0.5)::DECIMAL(38,18) AS big, {'x': range, 'y': {'z': 'z' || range}} AS s, [range] AS l, MAP {'k': range} AS m, NULL::BIGINT AS nothing, ''::BLOB AS bytes`;
const rows = (from: number, to: number): string => `${ROW} FROM range(${String(from)}, ${String(to)})`;

let lab: Lab;
beforeAll(async () => {
  lab = await Lab.open();
});
afterAll(() => lab.close());

async function statsOf(table: DeltaTable): Promise<unknown[]> {
  const { files } = await table.snapshot();
  return files.map(({ stats, partitionValues }) => [JSON.parse(stats ?? 'null') as unknown, partitionValues]);
}

/** As columns have them: times in one spelling, numbers as the shorter of the floating types has them. */
function comparable(stats: unknown): unknown {
  return JSON.parse(JSON.stringify(stats), (key, value: unknown) => {
    if (key === 'tightBounds' || value === null) return undefined;
    if (typeof value === 'number') return Math.fround(value);
    const [, day, time, fraction = ''] = typeof value === 'string' ? (/^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(\.\d+)?(Z|\+00)?$/.exec(value) ?? []) : [];
    return day === undefined || time === undefined ? value : `${day} ${time}${fraction.replace(/\.?0+$/, '')}`;
  });
} // prettier-ignore

test.each([[{}], [AS_JSON_OFF], [{ ...AS_JSON_OFF, 'delta.columnMapping.mode': 'name' }], [{ ...AS_JSON_OFF, 'delta.enableDeletionVectors': 'true' }]])(
  'read back from the checkpoint alone: %j',
  async (more) => {
    const store = lab.store();
    const table = lab.table(store);
    await table.create({ schema: await lab.schemaOf(rows(0, 1)), partitionColumns: ['i', 'day', 'at', 't'], properties: { ...AS_STRUCT, ...more } });
    await table.append(lab.session, { source: rows(0, 3) });
    await table.append(lab.session, { source: rows(5, 6) });
    const path = '_delta_log/00000000000000000002.checkpoint.parquet';
    expect(await store.head(path)).toBeDefined();
    const before = [await statsOf(table), await lab.rows(table)];
    for (let version = 0n; version <= 2n; version++) await store.delete(commitPath(version));
    const fresh = lab.table(store);
    expect(await lab.rows(fresh)).toEqual(before[1]);
    expect(comparable(await statsOf(fresh))).toEqual(comparable(before[0]));
    const columns = await lab.session.describe(`SELECT add.* FROM read_parquet('${await store.localFile(path)}')`);
    const names = columns.map(({ name }) => name);
    expect(names).toContain('stats_parsed');
    expect(names).toContain('partitionValues_parsed');
    expect(names.includes('stats')).toBe(!('delta.checkpoint.writeStatsAsJson' in more));
  },
); // prettier-ignore

test('a bound with more digits than a number of JSON has is left out', async () => {
  const store = lab.store();
  const table = lab.table(store);
  const source = `SELECT 1.25::DECIMAL(12,2) AS small, 0.123456789012345678::DECIMAL(38,18) AS big`;
  await table.create({ schema: await lab.schemaOf(source), properties: { ...AS_STRUCT, ...AS_JSON_OFF } });
  const add = (await lab.stage(table, source)).map((file) => ({ ...file, stats: '{"numRecords":1,"minValues":{"small":1.25,"big":0.123456789012345678},"maxValues":{"small":1.25,"big":0.123456789012345678},"nullCount":{"small":0,"big":0}}' }));
  await table.commit({ operation: 'WRITE', mode: 'append', add });
  await table.commit({ operation: 'WRITE', mode: 'append', add: [] });
  for (let version = 0n; version <= 2n; version++) await store.delete(commitPath(version));
  const [[stats]] = (await statsOf(lab.table(store))) as [[{ minValues: unknown }]];
  expect(comparable(stats.minValues)).toEqual({ small: 1.25 });
}); // prettier-ignore

test('a table of which no column has statistics has checkpoints all the same', async () => {
  const store = lab.store();
  const table = lab.table(store);
  await table.create({ schema: await lab.schemaOf('SELECT [1] AS l'), properties: { ...AS_STRUCT, ...AS_JSON_OFF } });
  for (let i = 0; i < 2; i++) await table.append(lab.session, { source: 'SELECT [1] AS l' });
  for (let version = 0n; version <= 2n; version++) await store.delete(commitPath(version));
  expect((await lab.table(store).snapshot()).rows).toBe(2n);
});

/** The statistics of a file of one row as they come back from a checkpoint that has them as columns alone. */
async function throughCheckpoint(source: string, properties: Record<string, string>, stats?: string): Promise<{ stats: unknown; rows: bigint | undefined; found: unknown[] }> {
  const store = lab.store();
  const table = lab.table(store);
  await table.create({ schema: await lab.schemaOf(source), properties: { ...properties, 'delta.checkpointInterval': '1' } });
  const add = (await lab.stage(table, source)).map((file) => ({ ...file, ...(stats === undefined ? {} : { stats }) }));
  const committed = await table.commit({ operation: 'WRITE', mode: 'append', add });
  expect(committed).toEqual({ kind: 'committed', version: 1n });
  for (let version = 0n; version <= 1n; version++) await store.delete(commitPath(version));
  const fresh = lab.table(store);
  const [file] = (await fresh.snapshot()).files;
  return { stats: JSON.parse(file?.stats ?? 'null') as unknown, rows: file?.rows, found: await lab.rows(fresh) };
} // prettier-ignore

test('bounds that are no numbers, as Spark writes them, are left out, and the checkpoint can be read', async () => {
  const stats = '{"numRecords":1,"minValues":{"d":1.5,"f":"-Infinity"},"maxValues":{"d":"NaN","f":"Infinity"},"nullCount":{"d":0,"f":0}}';
  const through = await throughCheckpoint('SELECT 1.5::DOUBLE AS d, 2::FLOAT AS f', { ...AS_STRUCT, ...AS_JSON_OFF }, stats);
  expect(through.stats).toEqual({ numRecords: 1, minValues: { d: 1.5, f: null }, maxValues: { d: null, f: null }, nullCount: { d: 0, f: 0 } });
  expect(through.found).toEqual([{ d: 1.5, f: 2 }]);
}); // prettier-ignore

test('a checkpoint in which another writer has such bounds can be read', async () => {
  const store = lab.store();
  const table = lab.table(store);
  const source = `SELECT 1.5::DOUBLE AS d, 2::DOUBLE AS f, 'NaN' AS "NaN"`;
  await table.create({ schema: await lab.schemaOf(source), properties: { ...AS_STRUCT, ...AS_JSON_OFF, 'delta.checkpointInterval': '1' } });
  await lab.written(table, source);
  const path = '_delta_log/00000000000000000001.checkpoint.parquet';
  const parsed = `{numRecords: 1::BIGINT, minValues: {d: 1.5::DOUBLE, f: '-Infinity'::DOUBLE, "NaN": 'NaN'}, maxValues: {d: 'NaN'::DOUBLE, f: 'Infinity'::DOUBLE, "NaN": 'NaN'}}`;
  const query = `SELECT * REPLACE (CASE WHEN add IS NOT NULL THEN {path: add.path, partitionValues: add.partitionValues, size: add.size, modificationTime: add.modificationTime, dataChange: false, stats_parsed: ${parsed}} END AS add) FROM read_parquet('${await store.localFile(path)}')`;
  await store.putFile('other.parquet', (local) => lab.session.run(`COPY (${query}) TO '${local}' (FORMAT parquet)`));
  await store.put(path, await store.get('other.parquet'), 'replace');
  for (let version = 0n; version <= 1n; version++) await store.delete(commitPath(version));
  const [[stats]] = (await statsOf(lab.table(store))) as [[unknown]];
  expect(stats).toEqual({ numRecords: 1, minValues: { d: 1.5, f: null, NaN: 'NaN' }, maxValues: { d: null, f: null, NaN: 'NaN' } });
}); // prettier-ignore

test('columns may be named as what every object has, and be all NULL', async () => {
  const source = `SELECT NULL::BIGINT AS constructor, NULL::DOUBLE AS "toString", 3 AS "__proto__", {'constructor': NULL::BIGINT, 'x': 1} AS "valueOf", 1 AS "a.b", 2 AS "a""b"`;
  const { stats, rows: count } = await throughCheckpoint(source, { ...AS_STRUCT, ...AS_JSON_OFF });
  expect(count).toBe(1n);
  const bounds = JSON.parse('{"constructor":null,"toString":null,"__proto__":3,"valueOf":{"constructor":null,"x":1},"a.b":1,"a\\"b":2}') as unknown;
  expect(stats).toMatchObject({ numRecords: 1, minValues: bounds, maxValues: bounds });
}); // prettier-ignore

test.each(['', '{"numRecords":', '7'])('statistics that are none (%j) keep no checkpoint from being written', async (stats) => {
  const through = await throughCheckpoint('SELECT 1 AS a', { ...AS_STRUCT, ...AS_JSON_OFF }, stats);
  expect(through).toEqual({ stats: null, rows: undefined, found: [{ a: 1 }] });
}); // prettier-ignore

test('statistics are not lost when JSON alone is switched off; they are when columns are too', async () => {
  expect((await throughCheckpoint('SELECT 1 AS a', AS_JSON_OFF)).rows).toBe(1n);
  const none = { ...AS_JSON_OFF, 'delta.checkpoint.writeStatsAsStruct': 'false' };
  expect((await throughCheckpoint('SELECT 1 AS a', none)).rows).toBeUndefined();
});

test('partition values as columns: the empty text is NULL, and a BLOB has the bytes of its text', async () => {
  const schema = struct([field('a', primitive('long')), field('t', primitive('string')), field('b', primitive('binary'))]);
  const metadata = { id: 'x', schema, partitionColumns: ['t', 'b'], configuration: AS_STRUCT };
  const state = { protocol: { minReaderVersion: 1, minWriterVersion: 2 }, metadata, domains: new Map() } as unknown as LogState;
  const columns = statsColumns(state, 'memory://t');
  const file = { path: 'p', partitionValues: { t: '', b: 'é\\x41\u0001' }, bytes: 1n, modificationMs: 0, dataChange: true };
  const parsed = columns?.of(file)['partitionValues_parsed'];
  const [row] = await lab.session.rows(`SELECT v.t AS t, hex(v.b) AS b FROM (SELECT from_json('${JSON.stringify(parsed)}', '${JSON.stringify(columns?.columns['partitionValues_parsed'])}') AS v)`);
  expect(row).toEqual({ t: null, b: 'C3A95C78343101' });
}); // prettier-ignore
