/**
 * Checkpoints as tables ask for them, written by sluice and by Spark in turn: each reads the other's, when nothing else is left of the log, and
 * finds rows by their statistics.
 */
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { field, primitive, struct, type DataType } from '../../core/schema.ts';
import { BesideSpark } from './beside-spark.ts';

let beside: BesideSpark;
beforeAll(async () => {
  beside = await BesideSpark.open();
});
afterAll(() => beside.close());

const money: DataType = { kind: 'decimal', precision: 12, scale: 2 };
const COLUMNS: readonly (readonly [name: string, type: DataType, spark: string, ours: string, theirs: string])[] = [
  ['id', primitive('long'), 'BIGINT', 'range', 'id'],
  ['part', primitive('string'), 'STRING', `'p ' || range % 2`, `concat('p ', id % 2)`],
  ['day', primitive('date'), 'DATE', `DATE '2026-01-01' + range::INTEGER`, `date_add(DATE '2026-01-01', CAST(id AS INT))`],
  ['at', primitive('timestamp'), 'TIMESTAMP', `TIMESTAMPTZ '2026-01-01 00:00:00.123456+00' + INTERVAL 1 HOUR * range`, `TIMESTAMP '2026-01-01 00:00:00.123456' + make_interval(0, 0, 0, 0, CAST(id AS INT))`],
  ['amount', money, 'DECIMAL(12,2)', 'range * 1.25', 'CAST(id * 1.25 AS DECIMAL(12,2))'],
  ['rate', primitive('double'), 'DOUBLE', 'range / 3', 'id / 3'],
  ['who', struct([field('name', primitive('string')), field('n', primitive('integer'))]), 'STRUCT<name: STRING, n: INT>', `{'name': 'n' || range, 'n': range::INTEGER}`, `named_struct('name', concat('n', id), 'n', CAST(id AS INT))`],
  ['tags', { kind: 'array', element: primitive('string'), containsNull: true }, 'ARRAY<STRING>', `['t' || range]`, `array(concat('t', id))`],
]; // prettier-ignore

const select = (side: 3 | 4): string => COLUMNS.map((column) => `${column[side]} AS ${column[0]}`).join(', ');

const ASKED: readonly Readonly<Record<string, string>>[] = [
  { 'delta.checkpointPolicy': 'v2' },
  { 'delta.checkpoint.writeStatsAsStruct': 'true' },
  { 'delta.checkpoint.writeStatsAsStruct': 'true', 'delta.checkpoint.writeStatsAsJson': 'false', 'delta.enableDeletionVectors': 'true' },
  { 'delta.checkpoint.writeStatsAsStruct': 'true', 'delta.checkpoint.writeStatsAsJson': 'false', 'delta.columnMapping.mode': 'name', 'delta.checkpointPolicy': 'v2' },
]; // prettier-ignore

test.each(ASKED.flatMap((asked) => [['sluice', asked] as const, ['spark', asked] as const]))('begun by %s: %j', async (who, asked) => {
  const { bench, spark } = beside;
  const name = `${who} ${String(ASKED.indexOf(asked))}`;
  const table = bench.table(name);
  const properties = { ...asked, 'delta.checkpointInterval': '3' };
  if (who === 'spark') {
    const list = Object.entries(properties).map(([key, value]) => `'${key}' = '${value}'`).join(', ');
    const columns = COLUMNS.map(([column, , type]) => `${column} ${type}`).join(', ');
    await spark.sql(`CREATE TABLE ${beside.sqlName(name)} (${columns}) USING delta PARTITIONED BY (part) TBLPROPERTIES (${list})`);
  } else {
    await table.create({ schema: struct(COLUMNS.map(([column, type]) => field(column, type))), partitionColumns: ['part'], properties });
  }
  for (let i = 0; i < 7; i++) {
    const range = `range(${String(i * 4)}, ${String(i * 4 + 4)})`;
    // Both write one in three of the versions that a checkpoint is due at.
    if (i % 4 < 2) await table.append(bench.session, { source: `SELECT ${select(3)} FROM ${range}` });
    else await spark.sql(`INSERT INTO ${beside.sqlName(name)} SELECT ${select(4)} FROM ${range}`);
    if (i === 3 && 'delta.enableDeletionVectors' in asked) await table.delete(bench.session, { where: 'id IN (2, 9)' });
  }
  const log = join(bench.path(name), '_delta_log');
  const files = await readdir(log);
  const checkpoints = files.filter((file) => file.includes('.checkpoint.')).map((file) => file.slice(0, 20)).sort();
  expect(new Set(checkpoints).size).toBeGreaterThan(1);
  const last = checkpoints.at(-1) ?? '';
  for (const file of files.filter((one) => /^\d{20}\.(json|crc)$/.test(one) && one.slice(0, 20) <= last)) await rm(join(log, file));
  const ours = await bench.digest(name);
  expect(ours.count).toBe('delta.enableDeletionVectors' in asked ? 26 : 28);
  expect(await spark.read(bench.path(name))).toEqual(ours);
  for (const where of ['id = 13', `day = DATE '2026-01-14'`, 'amount = 16.25', `at = TIMESTAMP '2026-01-01 13:00:00.123456'`, `who.name = 'n13'`, `part = 'p 1' AND rate > 4.3 AND rate < 4.4`]) {
    expect(await spark.query(`SELECT id FROM ${beside.sqlName(name)} WHERE ${where}`), where).toEqual([{ id: 13 }]);
  }
  expect((await table.check(bench.session)).problems).toEqual([]);
}); // prettier-ignore
