/** `sluice table merge`: from a query, a table or a path, with every clause. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Scratch, sluice, type Result } from './sluice.ts';
import { ADVICE, answerOf, BRONZE, expectError, run, writeProject } from './small-project.ts';

const scratch = new Scratch();
let lake: string;
beforeAll(async () => {
  lake = await writeProject(await scratch.folder(), {
    'bronze.sql': BRONZE.replace('rows => 2000', 'rows => 300, seed => 7'),
    'silver.sql': `CREATE MATERIALIZED VIEW silver.keys AS SELECT DISTINCT order_id AS id, 'old' AS state FROM bronze.orders;`,
  });
  expect((await run(lake)).code).toBe(0);
});
afterAll(() => scratch.remove());

const merge = (...args: string[]): Promise<Result> => sluice(['table', 'merge', ...args], { cwd: lake });
const json = (...args: string[]): Promise<Record<string, unknown>> => answerOf(merge(...args, '--format', 'json'));
async function rows(query: string): Promise<unknown[]> {
  const { stdout } = await sluice(['sql', '--format', 'json', query], { cwd: lake });
  return JSON.parse(stdout) as unknown[];
}
const ON = ['--on', 'target.id = source.id'];

test('a query over the lake updates, deletes and inserts', async () => {
  const [count] = (await rows('SELECT count(*)::INTEGER AS n, min(id) AS first FROM silver.keys')) as { n: number; first: unknown }[];
  const n = count?.n ?? 0;
  const using = `SELECT id, 'new' AS state FROM silver.keys VERSION AS OF 0 WHERE id IN (SELECT id FROM silver.keys VERSION AS OF 0 ORDER BY id LIMIT 10) UNION ALL SELECT -1, 'new'`;
  const done = await json('silver.keys', '--using', using, ...ON, '--when-matched-update', '*', '--when-not-matched-insert', '*');
  expect(done).toMatchObject({ table: 'silver.keys', inserted_rows: 1, updated_rows: 10, deleted_rows: 0 });
  const deleted = await merge('silver.keys', '--using', using, ...ON, '--when-matched-delete', `source.id = -1`, '--when-matched-update', `state = upper(source.state)`);
  expect(deleted.stdout).toMatch(/^silver\.keys@\d+: 0 rows inserted, 10 updated, 1 deleted\n$/);
  expect(await rows(`SELECT state, count(*)::INTEGER AS n FROM silver.keys GROUP BY ALL ORDER BY ALL`)).toEqual([{ state: 'NEW', n: 10 }, { state: 'old', n: n - 10 }]);
}); // prettier-ignore

test('another table or a path is the source as it is, and new columns are added when told so', async () => {
  await sluice(['table', 'clone', 'silver.keys', 'backup.keys'], { cwd: lake });
  await json('backup.keys', '--using', 'silver.keys', ...ON, '--when-matched-update', `state = 'kept'`, '--when-matched-update-if', `source.state = 'NEW'`, '--when-not-matched-by-source-delete');
  expect(await rows(`SELECT count(*)::INTEGER AS n FROM backup.keys WHERE state = 'kept'`)).toEqual([{ n: 10 }]);
  const path = ['--using', './lake/silver/keys', ...ON];
  expect(await json('./lake/backup/keys', ...path, '--when-matched-delete', `target.state = 'kept'`)).toMatchObject({ deleted_rows: 10 });
  const using = `SELECT id, 'again' AS state, 1 AS priority FROM silver.keys WHERE state = 'NEW'`;
  await json('backup.keys', '--using', using, ...ON, '--when-not-matched-insert', '*', '--with-schema-evolution', '--when-not-matched-by-source-update', `state = 'gone'`, '--when-not-matched-by-source-update-if', `target.state = 'old'`);
  expect(await rows('SELECT DISTINCT state, priority FROM backup.keys ORDER BY ALL')).toEqual([{ state: 'again', priority: 1 }, { state: 'gone', priority: null }]);
}); // prettier-ignore

test.each<[args: string[], exit: number, code: string, parts: (string | RegExp)[]]>([
  [['silver.keys', '--using', 'silver.keys', ...ON], 2, 'USAGE', ['without a clause', ADVICE]],
  [['silver.keys', ...ON, '--when-matched-delete'], 2, 'USAGE', ['--using']],
  [['silver.keys', '--using', 'silver.keys', '--when-matched-delete'], 2, 'USAGE', ['--on']],
  [['silver.keys', '--using', 'silver.keys', ...ON, '--when-matched-update-if', 'true', '--when-matched-delete'], 2, 'USAGE', ['without --when-matched-update']],
  [['silver.keys', '--using', 'silver.keys', ...ON, '--when-matched-update', 'state'], 2, 'USAGE', ['not an assignment: state', '--when-matched-update']],
  [['silver.keys', '--using', 'silver.keys', ...ON, '--when-not-matched-by-source-update', '*'], 2, 'USAGE', ['no row of the source']],
  [['silver.keys', '--using', 'silver.kyes', ...ON, '--when-matched-delete'], 3, 'UNKNOWN_TABLE', ['Did you mean silver.keys?']],
  [['silver.kyes', '--using', 'silver.keys', ...ON, '--when-matched-delete'], 3, 'UNKNOWN_TABLE', ['Did you mean silver.keys?']],
  [['silver.keys', '--using', 'DELETE FROM silver.keys', ...ON, '--when-matched-delete'], 3, 'SQL_NOT_READ_ONLY', ['DELETE']],
  [['silver.keys', '--using', 'SELECT 1 AS x', ...ON, '--when-matched-delete'], 3, 'SQL_INVALID', ['source has x']],
  [['silver.keys', '--using', 'SELECT id, state FROM silver.keys UNION ALL FROM silver.keys', ...ON, '--when-matched-update', '*'], 7, 'MERGE_AMBIGUOUS', [ADVICE]],
])('what is wrong is said, and nothing changes: %j', async (args, exit, code, parts) => {
  const before = await readdir(join(lake, 'lake'), { recursive: true });
  expectError(await merge(...args), exit, code, ...parts);
  expect(await readdir(join(lake, 'lake'), { recursive: true })).toEqual(before);
}); // prettier-ignore
