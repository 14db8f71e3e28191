/**
 * What belongs to the log of a table, not to its rows: written by sluice, by Spark and by both in turn, and read by both and delta-rs.
 */
import { cp, readdir, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { field, primitive, struct } from '../../core/schema.ts';
import { BesideSpark } from './beside-spark.ts';
import type { Workbench } from './fixtures.ts';
import type { Peer } from './peer.ts';

const DAY = 86_400_000;
const SCHEMA = struct([field('id', primitive('long')), field('name', primitive('string'))]);

let beside: BesideSpark;
let bench: Workbench;
let spark: Peer;
let deltars: Peer;
beforeAll(async () => {
  beside = await BesideSpark.open();
  ({ bench, spark, deltars } = beside);
});
afterAll(() => beside.close());

const T = (name: string): string => beside.sqlName(name);
const logOf = (name: string): string => join(bench.path(name), '_delta_log');

async function append(name: string, id: number): Promise<void> {
  await bench.write(bench.table(name), `SELECT ${String(id)} AS id, 'sluice' AS name`, { schema: SCHEMA });
}

async function sparkAppends(name: string, id: number): Promise<void> {
  await spark.sql(`INSERT INTO ${T(name)} SELECT CAST(${String(id)} AS BIGINT), 'spark'`);
}

async function expectAllAgree(name: string): Promise<void> {
  const ours = await bench.digest(name);
  expect(await spark.read(bench.path(name))).toEqual(ours);
  expect(await deltars.read(bench.path(name))).toEqual(ours);
}

/** Versions and times as an engine tells them, newest first. */
async function sparkHistory(name: string): Promise<[number, number][]> {
  const rows = (await spark.query(`DESCRIBE HISTORY ${T(name)}`)) as unknown as {
    version: number;
    timestamp: number;
  }[];
  return rows.map(({ version, timestamp }) => [version, timestamp]);
}

async function ourHistory(name: string): Promise<[number, number][]> {
  return (await bench.table(name).history()).map(({ version, timestampMs }) => [Number(version), timestampMs]);
}

test('an expired log is cleaned up, nothing goes that Spark would keep, and all read what is left', async () => {
  const name = 'aged';
  for (let i = 0; i < 30; i++) await append(name, i);
  const now = Date.now();
  for (const file of await readdir(logOf(name))) {
    const version = Number(/^\d{20}/.exec(file)?.[0] ?? 29);
    const time = new Date(now - (50 - version) * DAY);
    await utimes(join(logOf(name), file), time, time);
  }
  await cp(bench.path(name), bench.path('aged of spark'), { recursive: true, preserveTimestamps: true });
  await append(name, 30);
  await sparkAppends('aged of spark', 30);
  const left = async (of: string): Promise<string[]> =>
    (await readdir(logOf(of))).filter((file) => /^\d{20}\.(json|checkpoint.*)$/.test(file)).sort();
  const ours = await left(name);
  expect(ours[0]).toBe('00000000000000000010.checkpoint.parquet');
  // The protocol's text keeps the checkpoint before the oldest version that is young; Spark begins with the one after it where there is one.
  const theirs = await left('aged of spark');
  expect(theirs.length).toBeGreaterThan(0);
  expect(ours).toEqual(expect.arrayContaining(theirs));
  await expectAllAgree(name);
  for (const version of [10, 15, 25]) {
    expect((await bench.digest(name, BigInt(version))).count).toBe(version + 1);
  }
  await expect(bench.digest(name, 9n)).rejects.toMatchObject({ code: 'VERSION_NOT_FOUND' });
  expect(await ourHistory(name)).toEqual(await sparkHistory(name));
});

test.each(['sluice', 'spark'])('times in the log: begun by %s, kept by both', async (who) => {
  const name = `times of ${who}`;
  const on = `'delta.enableInCommitTimestamps' = 'true'`;
  if (who === 'spark')
    await spark.sql(`CREATE TABLE ${T(name)} (id BIGINT, name STRING) USING delta TBLPROPERTIES (${on})`); // prettier-ignore
  else await bench.table(name).create({ schema: SCHEMA, properties: { 'delta.enableInCommitTimestamps': 'true' } });
  for (let i = 0; i < 6; i++) await (i % 2 === 0 ? append : sparkAppends)(name, i);
  // Its files were written at other times than it was committed.
  for (const file of await readdir(logOf(name))) await utimes(join(logOf(name), file), new Date(), new Date());
  await expectAllAgree(name);
  const ours = await ourHistory(name);
  expect(ours).toHaveLength(7);
  expect(await sparkHistory(name)).toEqual(ours);
  const times = ours.map(([, ms]) => ms).reverse();
  expect([...new Set(times)].sort((a, b) => a - b)).toEqual(times);
  for (const [version, ms] of ours) expect((await bench.table(name).snapshot(new Date(ms))).version).toBe(BigInt(version)); // prettier-ignore
});

test.each(['sluice', 'spark'])('times in the log: switched on by %s, and both travel across', async (who) => {
  const name = `times later of ${who}`;
  await append(name, 0);
  await sparkAppends(name, 1);
  if (who === 'spark') await spark.sql(`ALTER TABLE ${T(name)} SET TBLPROPERTIES ('delta.enableInCommitTimestamps' = 'true')`); // prettier-ignore
  else await bench.table(name).commit({ operation: 'SET TBLPROPERTIES', mode: 'append', add: [], properties: { 'delta.enableInCommitTimestamps': 'true' } }); // prettier-ignore
  await sparkAppends(name, 2);
  await append(name, 3);
  await expectAllAgree(name);
  const ours = await ourHistory(name);
  expect(await sparkHistory(name)).toEqual(ours);
  const { properties } = await bench.table(name).snapshot();
  expect(properties['delta.inCommitTimestampEnablementVersion']).toBe('2');
  expect(Number(properties['delta.inCommitTimestampEnablementTimestamp'])).toBe(ours.find(([v]) => v === 2)?.[1]);
  for (const [version, ms] of ours) {
    expect((await bench.table(name).snapshot(new Date(ms))).version).toBe(BigInt(version));
    const at = new Date(ms).toISOString().replace('T', ' ').replace('Z', '');
    const [row] = (await spark.query(`SELECT count(*) AS n FROM ${T(name)} TIMESTAMP AS OF '${at}'`)) as unknown as { n: number }[]; // prettier-ignore
    expect(row?.n).toBe(Number((await bench.table(name).snapshot(BigInt(version))).rows));
  }
});
