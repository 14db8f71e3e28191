/** `sluice table`: one table is changed from the command line, and what reads it goes on or says why not. */
import { cp, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Scratch, sluice, type Result } from './sluice.ts';
import { ADVICE, answerOf, BRONZE, expectError, rowsIn, run, writeProject } from './small-project.ts';

const scratch = new Scratch();
let lake: string;
beforeAll(async () => {
  lake = await writeProject(await scratch.folder(), {
    'bronze.sql': BRONZE.replace('rows => 2000', 'rows => 2000, seed => 7'),
    'silver.sql': 'CREATE STREAMING TABLE silver.orders AS SELECT * FROM STREAM(bronze.orders);',
    './sluice.yaml': 'ingest: { max_batch_rows: 300 }\n',
  });
  expect((await run(lake)).code).toBe(0);
});
afterAll(() => scratch.remove());

const table = (...args: string[]): Promise<Result> => sluice(['table', ...args], { cwd: lake });
const json = (...args: string[]): Promise<Record<string, unknown>> => answerOf(table(...args, '--format', 'json'));
const dataFiles = async (name: string): Promise<number> =>
  (await readdir(join(lake, 'lake', ...name.split('.')))).filter((file) => file.endsWith('.parquet')).length;

test('optimize makes one file of many, which streams do not read again; vacuum then deletes the old ones', async () => {
  const before = await dataFiles('bronze.orders');
  expect(before).toBeGreaterThan(3);
  const result = await json('optimize', 'bronze.orders');
  expect(result).toMatchObject({ table: 'bronze.orders', files_removed: before, files_added: 1 });
  expect(await table('optimize', 'bronze.orders')).toEqual({ code: 0, stdout: 'bronze.orders: nothing to do: no small files that could become larger ones\n', stderr: '' });
  expect((await run(lake)).code).toBe(0);
  expect(await rowsIn(lake)).toBe(2000);
  const { stdout } = await sluice(['sql', '--format', 'csv', 'SELECT count(*), count(DISTINCT order_id) FROM silver.orders'], { cwd: lake });
  expect(stdout.split('\r\n')[1]).toMatch(/^2000,/);

  expect(await json('vacuum', 'bronze.orders')).toMatchObject({ deleted: [], bytes: 0, dry_run: false });
  expectError(await table('vacuum', 'bronze.orders', '--retain-hours', '0'), 2, 'RETENTION_TOO_SHORT', '168', ADVICE);
  const dry = await table('vacuum', 'bronze.orders', '--retain-hours', '0', '--force', '--dry-run');
  expect(dry.stdout).toMatch(new RegExp(`${String(before)} files \\(.*\\) would be deleted:\n( {2}part-.*\n){${String(before)}}$`));
  expect(await dataFiles('bronze.orders')).toBe(before + 1);
  expect(((await json('vacuum', 'bronze.orders', '--retain-hours', '0', '--force'))['deleted'] as string[]).length).toBe(before);
  expect(await dataFiles('bronze.orders')).toBe(1);
  expect(await rowsIn(lake)).toBe(2000);
}); // prettier-ignore

test('rows are updated, deleted and brought back, and the history tells', async () => {
  const count = async (where: string): Promise<number> => {
    const query = `SELECT count(*) AS n FROM silver.orders WHERE ${where}`;
    const { stdout } = await sluice(['sql', '--format', 'jsonl', query], { cwd: lake });
    return (JSON.parse(stdout) as { n: number }).n;
  };
  const cheap = await count('amount < 50');
  expect(cheap).toBeGreaterThan(10);
  const updated = await json('update', 'SILVER.orders', '--set', 'amount = -amount', '--where', 'amount < 50');
  expect(updated['updated_rows']).toBe(cheap);
  expect(await count('amount < 0')).toBe(cheap);
  const { stdout } = await table('delete', 'silver.orders', '--where', 'amount < 0');
  expect(stdout).toMatch(
    new RegExp(`^silver.orders@\\d+: ${cheap.toLocaleString('en')} rows deleted \\(\\d+ files? became \\d+\\)\n$`),
  );
  expect(await count('true')).toBe(2000 - cheap);
  const version = Number(updated['version']) - 1;
  expect((await table('restore', join('lake', 'silver', 'orders'), '--version-as-of', String(version))).code).toBe(0);
  expect([await count('true'), await count('amount < 50 AND amount >= 0')]).toEqual([2000, cheap]);
  const history = await sluice(['history', './lake/silver/orders', '--limit', '3', '--format', 'json'], { cwd: lake });
  const operations = (JSON.parse(history.stdout) as { operation: string }[]).map(({ operation }) => operation);
  expect(operations).toEqual(['RESTORE', 'DELETE', 'UPDATE']);
});

test('check finds nothing wrong with a table that is whole, and names what is missing from one that is not', async () => {
  expect(await json('check', 'silver.orders')).toMatchObject({ table: 'silver.orders', problems: [] });
  const copy = join(await scratch.folder(), 'copy');
  await cp(join(lake, 'lake', 'silver', 'orders'), copy, { recursive: true });
  for (const file of (await readdir(copy)).filter((name) => name.endsWith('.parquet'))) await rm(join(copy, file));
  const result = await table('check', copy);
  expect(result.stdout).toMatch(/\d+ files? checked, \d+ problems?\n {2}missing: part-.*: the file does not exist\n/);
  expectError(result, 6, 'TABLE_DAMAGED', 'is not what its log says', ADVICE);
});

test('properties are listed and set, and refused when they mean nothing or need what sluice lacks', async () => {
  const { stdout } = await table('properties', 'silver.orders');
  expect(stdout).toMatch(/^silver\.orders@\d+:/);
  const version = Number(/@(\d+)/.exec(stdout)?.[1]);
  const set = await json('properties', 'silver.orders', '--set', 'delta.deletedFileRetentionDuration = interval 30 days', '--set', 'team=shop');
  expect(set).toMatchObject({ version: version + 1, properties: { 'delta.deletedFileRetentionDuration': 'interval 30 days', team: 'shop' } });
  expectError(await table('vacuum', 'silver.orders', '--retain-hours', '200'), 2, 'RETENTION_TOO_SHORT', '720');
  expectError(await table('properties', 'silver.orders', '--set', 'delta.deletedFileRetentionDuration=long'), 3, 'CONFIG_INVALID', 'no duration: long', ADVICE);
  expectError(await table('properties', 'silver.orders', '--set', 'delta.enableIcebergCompatV2=true'), 6, 'UNSUPPORTED_FEATURE', 'icebergCompatV2', ADVICE);
  expect(await json('properties', 'silver.orders')).toEqual(set);
}); // prettier-ignore

test('columns and constraints are altered, and what cannot be says what to do', async () => {
  const copy = './altered';
  expect((await table('clone', 'silver.orders', copy)).stderr).toBe('');
  const { version } = await json('properties', copy, '--set', 'delta.columnMapping.mode=name', '--set', 'delta.enableTypeWidening=true');
  const altered = async (...args: string[]): Promise<string> => (await table('alter', copy, ...args)).stdout;
  expect(await altered('--add-column', `note STRING COMMENT 'said' AFTER order_id`, '--add-column', '"odd name" STRUCT<a: INT> FIRST')).toBe(`${copy}@${String(Number(version) + 1)}: added note, odd name\n`);
  expect(await altered('--add-column', '"odd name".b BIGINT')).toContain('added odd name.b');
  expect(await altered('--rename-column', 'note = remark')).toContain('renamed note to remark');
  expect(await altered('--alter-column', '"odd name".a TYPE BIGINT')).toContain('odd name.a is bigint now');
  expect(await altered('--alter-column', `remark COMMENT 'why'`)).toContain('set the comment of remark');
  expect(await altered('--alter-column', 'remark FIRST')).toContain('moved remark to the first place');
  expect(await altered('--alter-column', 'order_id SET NOT NULL')).toContain('order_id is NOT NULL now');
  expect(await altered('--add-constraint', 'positive = order_id > 0')).toContain('added the constraint positive');
  expectError(await table('alter', copy, '--drop-column', 'order_id'), 7, 'SCHEMA_INCOMPATIBLE', 'positive', ADVICE);
  expectError(await table('alter', copy, '--add-constraint', 'none = order_id < 0'), 7, 'CONSTRAINT_VIOLATED', ADVICE);
  expect(await altered('--drop-constraint', 'positive')).toContain('dropped the constraint positive');
  expect(await json('alter', copy, '--drop-column', 'remark', '--drop-column', '"odd name"')).toMatchObject({ table: copy, alteration: 'dropColumns' });
  expect(await altered('--cluster-by', 'order_id,amount')).toContain('clustered by order_id, amount now');
  expectError(await table('optimize', copy, '--zorder-by', 'amount'), 2, 'USAGE', 'clustered by order_id, amount', ADVICE);
  expect(await altered('--cluster-by', 'none')).toContain('clustered by no column now');
  expect(await altered('--comment', 'a copy')).toContain('set the comment');
  expectError(await table('alter', copy, '--drop-column', 'remrak'), 3, 'UNKNOWN_COLUMN', 'remrak', ADVICE);
  expectError(await table('alter', 'silver.orders', '--drop-column', 'amount'), 6, 'UNSUPPORTED_FEATURE', 'delta.columnMapping.mode=name');
}); // prettier-ignore

test('a stream that reads changed rows says so, and names the version', async () => {
  expect((await json('delete', 'bronze.orders', '--all'))['deleted_rows']).toBe(2000);
  const { code, stderr } = await run(lake);
  expect(code).not.toBe(0);
  expect(stderr).toContain('SOURCE_TABLE_CHANGED');
  expect((await table('restore', 'bronze.orders', '--timestamp-as-of', '2001-01-01')).code).toBe(6);
});

test.each<[args: string[], exit: number, code: string, parts: (string | RegExp)[]]>([
  [['delete', 'silver.ordres', '--all'], 3, 'UNKNOWN_TABLE', ['Did you mean silver.orders?']],
  [['delete', './nowhere', '--all'], 6, 'TABLE_NOT_FOUND', ['nowhere', ADVICE]],
  [['delete', 'silver.orders', '--where', 'amuont > 1'], 3, 'SQL_INVALID', ['amuont', 'amount']],
  [['update', 'silver.orders', '--set', 'amuont = 1', '--all'], 3, 'UNKNOWN_COLUMN', ['Did you mean amount?']],
  [['update', 'silver.orders', '--set', `amount = 'dear'`, '--all'], 7, 'VALUE_OUT_OF_RANGE', ['dear', ADVICE]],
  [['optimize', 'silver.orders', '--zorder-by', 'a,,b'], 2, 'USAGE', ['not a list of columns', ADVICE]],
  [['optimize', 'silver.orders', '--zorder-by', 'amount', '--purge'], 2, 'USAGE', ['--purge', ADVICE]],
  [['optimize', 'silver.orders', '--zorder-by', 'amout'], 3, 'UNKNOWN_COLUMN', ['no column amout', ADVICE]],
  [['optimize', 'silver.orders', '--where', 'amount > 1'], 3, 'SQL_INVALID', ['not partitioned', ADVICE]],
  [['restore', 'silver.orders', '--version-as-of', '999'], 6, 'VERSION_NOT_FOUND', ['it has 0 to']],
])('what is wrong is said, and nothing changes: %j', async (args, exit, code, parts) => {
  const before = await readdir(join(lake, 'lake'), { recursive: true });
  expectError(await table(...args), exit, code, ...parts);
  expect(await readdir(join(lake, 'lake'), { recursive: true })).toEqual(before);
});
