/** `sluice table append` and `overwrite`: rows of queries, tables and files, from the command line. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Engine } from '../../../engine/engine.ts';
import { DeltaTable } from '../../../tables/index.ts';
import { Scratch, sluice, type Result } from './sluice.ts';
import { ADVICE, answerOf, expectError } from './small-project.ts';

const scratch = new Scratch();
let folder: string;
beforeAll(async () => {
  folder = await scratch.folder();
});
afterAll(() => scratch.remove());

const table = (...args: string[]): Promise<Result> => sluice(['table', ...args], { cwd: folder });
const json = (...args: string[]): Promise<Record<string, unknown>> => answerOf(table(...args, '--format', 'json'));
async function ids(): Promise<unknown[]> {
  const query = `SELECT id FROM delta_scan('./t') ORDER BY id`;
  const { stdout } = await sluice(['sql', '--format', 'json', query], { cwd: folder });
  return (JSON.parse(stdout) as { id: number }[]).map(({ id }) => id);
}

test('a path becomes a table, and is appended to and overwritten from queries, tables and files', async () => {
  const source = 'SELECT range::INTEGER AS id, range % 2 AS part FROM range(4)';
  expect(await json('append', './t', '--using', source)).toMatchObject({ version: 0, written_rows: 4, files_removed: 0 });
  expect((await table('append', './t', '--using', './t')).stdout).toBe('./t@1: 4 rows written (1 file added, 0 removed)\n');
  expect(await ids()).toEqual([0, 0, 1, 1, 2, 2, 3, 3]);
  const replaced = await json('overwrite', './t', '--using', 'SELECT 9 AS id, 1 AS part', '--replace-where', 'part = 1');
  expect(replaced).toMatchObject({ version: 2, files_removed: 2 });
  expect(await ids()).toEqual([0, 0, 2, 2, 9]);
  const [file = ''] = (await readdir(join(folder, 't'))).filter((name) => name.endsWith('.parquet'));
  await json('overwrite', './t', '--using', `t/${file}`);
  expect((await ids()).length).toBeGreaterThan(0);
  await json('overwrite', './t', '--using', `SELECT 'x' AS id`, '--overwrite-schema');
  expect(await ids()).toEqual(['x']);
}); // prettier-ignore

test('a table that wants it is compacted by the append that makes it due, before the command ends', async () => {
  const engine = await Engine.open({ memoryLimit: '200MB', threads: 1 });
  const session = await engine.session();
  const many = DeltaTable.at(join(folder, 'many'), { engine });
  for (let id = 0; id < 52; id++) await many.append(session, { source: `SELECT ${String(id)} AS id` });
  const properties = { 'delta.autoOptimize.autoCompact': 'true' };
  await many.commit({ operation: 'SET TBLPROPERTIES', mode: 'append', add: [], properties });
  await json('append', './many', '--using', 'SELECT 52 AS id');
  const { files, rows } = await many.snapshot();
  expect([files.length, rows]).toEqual([1, 53n]);
  session.close();
  engine.close();
});

test.each<[args: string[], exit: number, code: string, parts: (string | RegExp)[]]>([
  [['append', './t'], 2, 'USAGE', ['--using']],
  [['append', './t', '--using', 'SELECT 1 AS idd'], 7, 'SCHEMA_INCOMPATIBLE', ['no column idd', ADVICE]],
  [['append', './t', '--using', 'SELECT * FROM nothing'], 3, 'UNKNOWN_TABLE', ['nothing']],
  [['append', './t', '--using', 'SELECT 1; SELECT 2'], 3, 'SQL_SYNTAX', ['more than one statement']],
  [['overwrite', './t', '--using', `SELECT 'y' AS id`, '--replace-where', `id = 'z'`], 7, 'REPLACE_WHERE_MISMATCH', ['{"id":"y"}', ADVICE]],
  [['overwrite', './t', '--using', `SELECT 'y' AS id`, '--replace-where', `id = 'z'`, '--overwrite-schema'], 2, 'USAGE', ['exclude each other']],
])('what is wrong is said, and nothing changes: %j', async (args, exit, code, parts) => {
  const before = await readdir(folder, { recursive: true });
  expectError(await table(...args), exit, code, ...parts);
  expect(await readdir(folder, { recursive: true })).toEqual(before);
}); // prettier-ignore
