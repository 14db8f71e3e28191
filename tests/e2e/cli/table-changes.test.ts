/** `sluice table changes` and `history`: what the versions of a table did, as text for people and for programs. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Scratch, sluice, type Result } from './sluice.ts';
import { ADVICE, BRONZE, expectError, run, writeProject } from './small-project.ts';

const scratch = new Scratch();
let lake: string;
beforeAll(async () => {
  lake = await writeProject(await scratch.folder(), {
    'bronze.sql': BRONZE.replace('rows => 2000', 'rows => 600, seed => 7'),
    './sluice.yaml': 'ingest: { max_batch_rows: 200 }\n',
  });
  expect((await run(lake)).code).toBe(0);
  const first = join(lake, 'lake', 'bronze', 'orders', '_delta_log', '00000000000000000000.json');
  const text = await readFile(first, 'utf8');
  expect(text).toContain('"configuration":{');
  await writeFile(first, text.replace('"configuration":{', '"configuration":{"delta.enableChangeDataFeed":"true",').replace(',}', '}'));
}); // prettier-ignore
afterAll(() => scratch.remove());

const table = (...args: string[]): Promise<Result> => sluice(['table', ...args], { cwd: lake });

test('changes are written as csv, json lines and a table, by version and by time', async () => {
  const { code, stdout, stderr } = await table('changes', 'bronze.orders', '--from', '0', '--format', 'csv');
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const [header = '', ...lines] = stdout.trimEnd().split('\r\n');
  expect(header).toMatch(/,_change_type,_commit_version,_commit_timestamp$/);
  expect(lines).toHaveLength(600);
  const versions = lines.map((line) => Number(line.split(',').at(-2)));
  expect(versions).toEqual([...versions].sort((a, b) => a - b));
  const some = await table('changes', './lake/bronze/orders', '--from', '1', '--to', '1', '--format', 'jsonl');
  const rows = some.stdout.trimEnd().split('\n').map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(rows.length).toBe(versions.filter((version) => version === 1).length);
  expect(new Set(rows.map(({ _change_type: type }) => type))).toEqual(new Set(['insert']));
  const since = await table('changes', 'bronze.orders', '--from', '2020-01-01', '--to', '1');
  expect(since.stdout).toContain('_commit_version');
}); // prettier-ignore

test('history is there under table, too', async () => {
  const args = ['history', 'bronze.orders', '--limit', '2', '--format', 'json'];
  expect(await table(...args)).toEqual(await sluice(args, { cwd: lake }));
});

test('what is wrong is said', async () => {
  expectError(await table('changes', 'bronze.orders'), 2, 'USAGE', '--from');
  expectError(await table('changes', 'bronze.orders', '--from', 'x'), 2, 'USAGE', 'neither a version nor a time: x');
  expectError(await table('changes', 'bronze.orders', '--from', '99'), 6, 'VERSION_NOT_FOUND', '99', ADVICE);
  expectError(
    await table('changes', 'bronze.orders', '--from', '2100-01-01'),
    6,
    'VERSION_NOT_FOUND',
    'nothing was committed since',
  );
  expectError(await table('changes', 'bronze.ordres', '--from', '0'), 3, 'UNKNOWN_TABLE', 'Did you mean');
});
