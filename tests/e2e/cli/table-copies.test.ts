/** `sluice table clone` and `convert` from the command line: what is made can be read, and what cannot be made says why. */
import { cp, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Scratch, sluice, type Result } from './sluice.ts';
import { ADVICE, answerOf, BRONZE, expectError, run, writeProject } from './small-project.ts';

const scratch = new Scratch();
let lake: string;
beforeAll(async () => {
  lake = await writeProject(await scratch.folder(), {
    'bronze.sql': BRONZE.replace('rows => 2000', 'rows => 600, seed => 7'),
    './sluice.yaml': 'ingest: { max_batch_rows: 200 }\n',
  });
  expect((await run(lake)).code).toBe(0);
});
afterAll(() => scratch.remove());

const table = (...args: string[]): Promise<Result> => sluice(['table', ...args], { cwd: lake });
const json = (...args: string[]): Promise<Record<string, unknown>> => answerOf(table(...args, '--format', 'json'));
async function count(from: string): Promise<number> {
  const { stdout } = await sluice(['sql', '--format', 'jsonl', `SELECT count(*) AS n FROM ${from}`], { cwd: lake });
  return (JSON.parse(stdout) as { n: number }).n;
}

test('a clone is a table of the lake, or lies anywhere; made again it copies nothing', async () => {
  const files = (await readdir(join(lake, 'lake', 'bronze', 'orders'))).filter((file) => file.endsWith('.parquet')).length;
  const made = await json('clone', 'bronze.orders', 'backup.orders');
  expect(made).toMatchObject({ table: 'backup.orders', version: 0, source: 'bronze.orders', files_copied: files, shallow: false });
  expect(await count('backup.orders')).toBe(600);
  expect((await table('clone', 'bronze.orders', 'backup.orders')).stdout).toMatch(/^backup\.orders: it is what bronze\.orders@\d+ is already\n$/);
  const text = await table('clone', 'bronze.orders', './first', '--shallow', '--version-as-of', '0');
  expect(text.stdout).toMatch(/^\.\/first@0: cloned from bronze\.orders@0: \d+ files? added, 0 removed, 0 copied \(0 B\)\n$/);
  expect(await count(`delta_scan('./first')`)).toBe(await count('bronze.orders VERSION AS OF 0'));
  await json('delete', 'backup.orders', '--all');
  expectError(await table('clone', 'bronze.orders', 'backup.orders'), 6, 'TABLE_EXISTS', 'DELETE', ADVICE);
  expect(await json('clone', 'bronze.orders', 'backup.orders', '--replace')).toMatchObject({ version: 2, files_copied: 0 });
  expect(await count('backup.orders')).toBe(600);
}); // prettier-ignore

test('the files of a table without its log become a table again', async () => {
  const folder = join(lake, 'events');
  await cp(join(lake, 'lake', 'bronze', 'orders'), join(folder, 'day=2026-01-02'), { recursive: true });
  await rm(join(folder, 'day=2026-01-02', '_delta_log'), { recursive: true });
  expectError(await table('convert', 'events'), 7, 'SCHEMA_INCOMPATIBLE', 'day', ADVICE);
  expect(await json('convert', 'events', '--partitioned-by', 'day DATE')).toMatchObject({ version: 0, rows: 600 });
  expect(await count(`delta_scan('events') WHERE day = DATE '2026-01-02'`)).toBe(600);
  expect((await table('convert', './events')).stdout).toBe('./events: it is a Delta table already: nothing to do\n');
  expect((await json('check', './events'))['problems']).toEqual([]);
  const history = await sluice(['history', './events', '--format', 'json'], { cwd: lake });
  expect(history.stdout).toContain('"operation":"CONVERT"');
});

test.each<[args: string[], exit: number, code: string, parts: (string | RegExp)[]]>([
  [['clone', 'bronze.orders'], 2, 'USAGE', ['target']],
  [['clone', 'bronze.orders', 'x'], 2, 'USAGE', ['not a name for a table: x', ADVICE]],
  [['clone', 'bronze.orders', './c', '--version-as-of', '1', '--timestamp-as-of', '2026-01-01'], 2, 'USAGE', ['a version and a time']],
  [['clone', 'bronze.orders', './c', '--version-as-of', '99'], 6, 'VERSION_NOT_FOUND', ['99']],
  [['clone', 'bronze.ordres', './c'], 3, 'UNKNOWN_TABLE', ['Did you mean bronze.orders?']],
  [['clone', 'bronze.orders', './lake'], 2, 'USAGE', ['lie in one another']],
  [['convert', './nowhere'], 6, 'TABLE_NOT_FOUND', ['no Parquet file']],
  [['convert', './odd'], 7, 'SCHEMA_INCOMPATIBLE', ['notes.txt is no Parquet file']],
  [['convert', './odd', '--partitioned-by', 'day DTE'], 2, 'USAGE', ['not columns with types', 'DTE']],
])('what is wrong is said, and nothing is made: %j', async (args, exit, code, parts) => {
  await mkdir(join(lake, 'odd'), { recursive: true });
  await writeFile(join(lake, 'odd', 'notes.txt'), 'x');
  const before = await readdir(lake, { recursive: true });
  expectError(await table(...args), exit, code, ...parts);
  expect(await readdir(lake, { recursive: true })).toEqual(before);
}); // prettier-ignore
