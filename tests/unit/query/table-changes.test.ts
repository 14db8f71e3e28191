/** `table_changes` by versions and by times, as Databricks and Spark have it. */
import { readFile, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { errorOf, TestLake } from './lake.ts';

const HOUR_MS = 3_600_000;
const START_MS = Date.UTC(2026, 0, 1);

let lake: TestLake;
beforeAll(async () => {
  lake = await TestLake.open();
  for (let id = 0; id < 4; id++) await lake.append('silver.feed', `SELECT ${String(id)}::BIGINT AS id`);
  const log = join(lake.folder, 'silver', 'feed', '_delta_log');
  const file = (version: number): string => join(log, `${String(version).padStart(20, '0')}.json`);
  const first = await readFile(file(0), 'utf8');
  expect(first).toContain('"configuration":{}');
  await writeFile(
    file(0),
    first.replace('"configuration":{}', '"configuration":{"delta.enableChangeDataFeed":"true"}'),
  );
  for (let version = 0; version < 4; version++) {
    const at = new Date(START_MS + version * HOUR_MS);
    await utimes(file(version), at, at);
  }
});
afterAll(() => lake.close());

test.each<[range: string, ids: readonly bigint[]]>([
  ['0', [0n, 1n, 2n, 3n]],
  ['2', [2n, 3n]],
  ['1, 2', [1n, 2n]],
  ['1 + 1, 3::HUGEINT', [2n, 3n]],
  [`'2026-01-01 01:00:00', '2026-01-01 02:00:00'`, [1n, 2n]],
  [`'2026-01-01 00:30:00', '2026-01-01 02:30:00'`, [1n, 2n]],
  [`'2025-12-31', '2026-01-01'`, [0n]],
  [`DATE '2026-01-01', TIMESTAMP '2026-01-01 01:59:00'`, [0n, 1n]],
  [`TIMESTAMPTZ '2026-01-01 04:30:00+02'`, [3n]],
  [`2, '2026-01-01 03:00:00'`, [2n, 3n]],
  [`'2026-01-01 01:59:59', 2`, [2n]],
  // Both lie between two versions.
  [`'2026-01-01 01:10:00', '2026-01-01 01:20:00'`, []],
])('table_changes from %s', async (range, ids) => {
  const rows = await lake.rows(`SELECT id, _change_type, _commit_version FROM table_changes('silver.feed', ${range}) ORDER BY ALL`);
  expect(rows).toEqual(ids.map((id) => [id, 'insert', id]));
}); // prettier-ignore

test.each<[range: string, code: string, message: RegExp]>([
  [`'2026-01-01 04:00:00'`, 'VERSION_NOT_FOUND', /nothing was committed since 2026-01-01T04:00:00.000Z.*version 3/],
  [`1, '2026-01-01 04:00:00'`, 'VERSION_NOT_FOUND', /after its last version/],
  [`0, '2025-12-31'`, 'VERSION_NOT_FOUND', /before its first version/],
  [`'2026-01-01 01:20:00', '2026-01-01 01:10:00'`, 'VERSION_NOT_FOUND', /comes after/],
  ['2, 1', 'VERSION_NOT_FOUND', /2 comes after 1/],
  ['9', 'VERSION_NOT_FOUND', /9 comes after 3/],
  [`'yesterday'`, 'QUERY_FAILED', /yesterday/],
  [`INTERVAL 1 DAY`, 'QUERY_FAILED', /INTERVAL/],
  ['NULL', 'SQL_INVALID', /no (number|time)/],
])('table_changes from %s is refused', async (range, code, message) => {
  const error = await errorOf(lake.rows(`SELECT * FROM table_changes('silver.feed', ${range})`));
  expect([error.code, error.facts['line']]).toEqual([code, 1]);
  expect(error.message).toMatch(message);
});

test('a time from TypeScript', async () => {
  const table = lake.table('silver.feed');
  const feed = await table.changeFeed(new Date(START_MS + 1), new Date(START_MS + 2 * HOUR_MS));
  expect([feed.from, feed.end.version]).toEqual([1n, 2n]);
  expect(await lake.session.rows(`SELECT count(*) AS n FROM ${feed.relation}`)).toEqual([{ n: 2n }]);
});
