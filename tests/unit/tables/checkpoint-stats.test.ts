/** Checkpoints with statistics as columns: the same statistics as the log has, whatever the types; a bound that would be rounded is left out. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { commitPath } from '../../../tables/log/paths.ts';
import type { DeltaTable } from '../../../tables/table.ts';
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
