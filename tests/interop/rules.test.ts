/** Constraints that Spark has set: what sluice writes under them, and that each expression it takes means the same to both. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { toCondition } from '../../tables/rules/expression.ts';
import { Workbench } from './fixtures.ts';
import { Peer } from './peer.ts';

let folder: string;
let bench: Workbench;
let peer: Peer;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-rules-'));
  bench = await Workbench.open(join(folder, 'tables'));
  peer = await Peer.start('spark');
});
afterAll(async () => {
  await peer.stop();
  bench.close();
  await rm(folder, { recursive: true, force: true });
});

test('rows that keep the constraints of a Spark table get in, others do not, and Spark writes on', async () => {
  const path = bench.path('orders');
  await peer.sql(`CREATE TABLE delta.\`${path}\` (id BIGINT, kind STRING, day DATE) USING delta PARTITIONED BY (day)`);
  await peer.sql(`ALTER TABLE delta.\`${path}\` ADD CONSTRAINT positive CHECK (id > 0 AND \`kind\` <=> kind)`);
  await peer.sql(`ALTER TABLE delta.\`${path}\` ADD CONSTRAINT young CHECK (day >= DATE '2026-01-01' OR kind IS NULL)`);
  await peer.sql(`INSERT INTO delta.\`${path}\` VALUES (1, 'a', DATE '2026-01-01')`);
  const table = bench.table('orders');
  const source = (id: number, day: string): string => `SELECT ${String(id)}::BIGINT AS id, 'b' AS kind, DATE '${day}' AS day`;
  await table.append(bench.session, { source: source(2, '2026-01-02') });
  await expect(table.append(bench.session, { source: source(-2, '2026-01-02') })).rejects.toMatchObject({ code: 'CONSTRAINT_VIOLATED', facts: { constraint: 'positive' } });
  await expect(table.append(bench.session, { source: source(3, '2025-12-31') })).rejects.toMatchObject({ code: 'CONSTRAINT_VIOLATED', facts: { constraint: 'young' } });
  await expect(table.update(bench.session, { set: { id: '-id' }, where: 'id = 1' })).rejects.toMatchObject({ code: 'CONSTRAINT_VIOLATED' });
  await table.update(bench.session, { set: { id: 'id + 10' }, where: 'id = 1' });
  await peer.sql(`INSERT INTO delta.\`${path}\` VALUES (5, 'c', DATE '2026-01-03')`);
  const seen = await peer.read(path);
  expect(seen.count).toBe(3);
  expect(await bench.digest('orders')).toEqual(seen);
}); // prettier-ignore

/** Together they have every form that is taken. */
const EXPRESSIONS = [
  'id > 0', 'id <=> 1', 'id <> d', 'id >= 1.5', 'd > 0.5', 'd = id', 'd <= 1e300', 'money = 1', 'money >= 1.25', 'money <=> d', 'tiny < id', 'id BETWEEN -1 AND 1', 'id NOT IN (1, 2)', 'id IN (1, NULL)',
  "text > 'a'", "text = ''", "text LIKE 'a_%'", "text NOT LIKE '%é%'", "text IN ('a', 'ab')", 'text BETWEEN \'A\' AND \'b\'', 'length(text) > 1', 'length(text) = 2', 'text <=> NULL', "day >= DATE '1970-01-01'", "day < '2026-01-01'", 'year(day) > 1970 AND month(day) < 6 OR day(day) = 31',
  'flag', 'NOT flag', 'flag = TRUE', 'flag <=> FALSE', 'at < at2', 'at <=> at2', 'id + 1 > d', 'id - 1 = 0', 'id * 2 < 3', '-id > 0', 'abs(id) = 1', 'abs(d) > 1', 'd * 2.0e0 > 1', 'd + d >= d',
  'CASE WHEN id > 0 THEN d > 0 WHEN flag THEN money IS NULL ELSE NULL END', 'coalesce(id, 7) = 7', "coalesce(text, 'z') = 'z'", "coalesce(day, '2026-01-01') = '2026-01-01'", 'id IN (1, 2.5)', 'flag AND (id > 0) OR NOT flag', 'coalesce(flag, id > 0)', 's.x > 0 AND `s`.`y z` IS NOT NULL', 'NOT (id > 0 AND flag OR text IS NULL)', 'id > 0 AND NULL', 'NULL OR flag', '1 < 2', '`odd name` = id', 'ID == Money',
  'id % 3 = 1', 'id % -2 + 1 > 0', "text || 'x' LIKE 'a%'", "concat(text, 'b', text) = 'aba'", "concat(text, NULL) IS NULL", "substring(text, 2) = 'b'", "substr(text, 1, 1) <> 'é'", "SUBSTRING(text FROM 2 FOR 3) = ''", 'year(at) > 1969 AND month(at) < 12', 'quarter(day) = 1 OR dayofyear(day) = 365', 'dayofyear(at) > 59', 'hour(at) = 12 OR minute(at) = 59', "CAST(at AS DATE) >= DATE '1969-12-31'", 'CAST(day AS DATE) = day', "date_format(at, 'yyyy-MM-dd HH:mm:ss') > '2024'", "date_format(day, 'yyyyMM') = '202601'", "date_trunc('HOUR', at) < at", "date_trunc('month', at2) = at2", 'CAST(id AS STRING) = text', "CAST(id AS STRING) LIKE '-%'", 'CAST(tiny AS INT) < 5', 'CAST(id AS DOUBLE) = d', 'year(day) * 100 + month(day) > 197001',
]; // prettier-ignore

test('each expression gives the same answer in both engines, for odd values too', async () => {
  const path = bench.path('values');
  await peer.sql(
    `CREATE TABLE delta.\`${path}\` (n BIGINT, id BIGINT, tiny TINYINT, d DOUBLE, money DECIMAL(9, 2), text STRING, flag BOOLEAN, day DATE, at TIMESTAMP, at2 TIMESTAMP, s STRUCT<x: BIGINT, \`y z\`: STRING>, \`odd name\` BIGINT) USING delta TBLPROPERTIES ('delta.columnMapping.mode' = 'name')`,
  );
  const rows = [
    `1, 1, CAST(1 AS TINYINT), 1.0D, 1.00, 'a', true, DATE '2026-01-31', TIMESTAMP '2026-01-01 00:00:00', TIMESTAMP '2026-01-01 00:00:00.000001', named_struct('x', 1L, 'y z', 'q'), 1`,
    `2, -1, CAST(-128 AS TINYINT), CAST('NaN' AS DOUBLE), -1.25, '', false, DATE '0001-01-01', NULL, NULL, named_struct('x', NULL, 'y z', NULL), 0`,
    `3, 0, CAST(0 AS TINYINT), -0.0D, 0.00, 'ab', NULL, DATE '1969-12-31', TIMESTAMP '1969-12-31 23:59:59.999999', TIMESTAMP '1969-12-31 23:59:59.999999', NULL, NULL`,
    `4, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL`,
    `5, 4611686018427387903, CAST(127 AS TINYINT), CAST('Infinity' AS DOUBLE), 9999999.99, 'é😀', true, DATE '9999-12-31', TIMESTAMP '9999-12-31 00:00:00', TIMESTAMP '0001-01-01 00:00:00', named_struct('x', -5L, 'y z', ''), 4611686018427387903`,
    `6, 2, CAST(2 AS TINYINT), 1.25D, 1.25, 'B', false, DATE '2024-02-29', TIMESTAMP '2024-02-29 12:00:00', TIMESTAMP '2024-02-29 12:00:00', named_struct('x', 9L, 'y z', 'ü'), 3`,
  ];
  await peer.sql(`INSERT INTO delta.\`${path}\` VALUES ${rows.map((row) => `(${row})`).join(', ')}`);
  const columns = EXPRESSIONS.map((expression, i) => `(${expression}) AS e${String(i)}`);
  await peer.sql(`CREATE TABLE delta.\`${bench.path('answers')}\` USING delta AS SELECT n, ${columns.join(', ')} FROM delta.\`${path}\``);
  const snapshot = await bench.table('values').snapshot();
  const own: string[] = [];
  for (const [i, expression] of EXPRESSIONS.entries()) {
    own.push(`CAST((${await toCondition(bench.session, expression, snapshot.schema)}) AS BOOLEAN) AS e${String(i)}`);
  }
  const ours = await bench.session.rows(`SELECT n, ${own.join(', ')} FROM ${await snapshot.relation()} AS r ORDER BY n`);
  const theirs = await bench.session.rows(`SELECT * FROM ${await (await bench.table('answers').snapshot()).relation()} ORDER BY n`);
  for (const [i, expression] of EXPRESSIONS.entries()) {
    const key = `e${String(i)}`;
    expect(ours.map((row) => row[key]), expression).toEqual(theirs.map((row) => row[key]));
  }
}); // prettier-ignore
