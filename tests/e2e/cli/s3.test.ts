/** A lake on S3: the same project and the same commands as on disk, and what users are told when S3 is not as it should be. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Storage } from '../../../tables/index.ts';
import { START_MS, startS3, type S3Server } from '../../services/s3.ts';
import { Scratch, sluice, type Result } from './sluice.ts';
import { onDiskOf } from './small-disk.ts';
import { ADVICE, BRONZE, expectError, writeProject } from './small-project.ts';

const scratch = new Scratch();
let s3: S3Server;
let project: string;
let cache: string;

beforeAll(async () => {
  s3 = await startS3();
  await s3.createBucket('company-lake');
  cache = join(await scratch.folder(), 'cache');
  project = await writeProject(await scratch.folder(), {
    'bronze.sql': BRONZE.replace('rows => 2000', 'rows => 2000, seed => 7'),
    'silver.sql': 'CREATE STREAMING TABLE silver.orders AS SELECT * FROM STREAM(bronze.orders);',
    'gold.sql': 'CREATE MATERIALIZED VIEW gold.total AS SELECT count(*) AS n FROM silver.orders;',
    'features/big_orders.yaml': `name: big_orders
labels: { table: bronze.orders, entity: customer_id, time: ts, columns: amount }
features:
  - { name: last, table: silver.orders, event_time: ts, columns: [order_id] }
`,
    './sluice.yaml': `lake: s3://company-lake/prod
storage:
  s3: { endpoint: '${s3.endpoint}', region: us-east-1, force_path_style: true }
  cache: { path: '${cache}', size: 100MB }
ingest: { max_batch_rows: 300 }
`,
  });
}, START_MS);
afterAll(async () => {
  await s3.stop();
  await scratch.remove();
});

const ORDERS = 's3://company-lake/prod/bronze/orders';
/** In the project, whose sluice.yaml has all but the credentials. */
const inProject = (...args: string[]): Promise<Result> => sluice(args, { cwd: project, env: secrets() });
/** Anywhere else, with nothing but the variables of the AWS tools. */
const outside = async (...args: string[]): Promise<Result> =>
  sluice(args, { cwd: await scratch.folder(), env: { ...s3.env, XDG_CACHE_HOME: cache } });
const secrets = (): Record<string, string> => ({
  AWS_ACCESS_KEY_ID: s3.env['AWS_ACCESS_KEY_ID'] ?? '',
  AWS_SECRET_ACCESS_KEY: s3.env['AWS_SECRET_ACCESS_KEY'] ?? '',
});

async function json(promise: Promise<Result>): Promise<Record<string, unknown>> {
  const { code, stdout, stderr } = await promise;
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return JSON.parse(stdout) as Record<string, unknown>;
}
const count = async (from: string): Promise<unknown> =>
  (await json(outside('sql', '--format', 'jsonl', `SELECT count(*) AS n FROM ${from}`)))['n'];

test('a project whose lake is a bucket runs, goes on where it was, and is queried by name', async () => {
  const checked = await inProject('check');
  expect(checked.stderr).toBe('');
  expect(checked.code).toBe(0);
  for (const rows of [2000, 0]) {
    const ran = await inProject('run', '--available-now', '--format', 'json');
    expect(ran.code, ran.stderr).toBe(0);
    const landed = ran.stdout
      .split('\n')
      .filter((line) => line.includes('"batch_committed","flow":"silver.orders"'))
      .map((line) => (JSON.parse(line) as { rows: number }).rows);
    expect(landed.reduce((sum, n) => sum + n, 0)).toBe(rows);
  }
  const tables = await json(inProject('tables', '--format', 'json'));
  expect(tables).toMatchObject([
    { name: 'bronze.orders', rows: 2000 },
    { name: 'bronze.orders_quarantine', rows: 0 },
    { name: 'gold.total', rows: 1 },
    { name: 'silver.orders', rows: 2000 },
  ]);
  const asked = await json(inProject('sql', '--format', 'jsonl', 'SELECT n FROM gold.total'));
  expect(asked).toEqual({ n: 2000 });
  expect(await readdir(project)).toEqual(['features', 'pipelines', 'sluice.yaml']);
});

test('any table is read by its place, with the variables of the AWS tools alone', async () => {
  expect(await count(`delta_scan('${ORDERS}')`)).toBe(2000);
  expect(await count(`delta_scan('s3a${ORDERS.slice(2)}/', version => 1)`)).toBeLessThan(2000);
  const history = await json(outside('history', ORDERS, '--limit', '1', '--format', 'json'));
  expect(history).toMatchObject([{ operation: 'STREAMING UPDATE' }]);
  expectError(await outside('history', 's3://company-lake/prod/nothing'), 6, 'TABLE_NOT_FOUND', ADVICE);
});

test('every verb of sluice table works on it', async () => {
  const table = (...args: string[]): Promise<Record<string, unknown>> =>
    json(outside('table', ...args, '--format', 'json'));
  const before = await table('check', ORDERS);
  expect(before).toMatchObject({ problems: [] });
  expect(await table('optimize', ORDERS)).toMatchObject({ files_removed: before['files'], files_added: 1 });
  expect(await count(`delta_scan('${ORDERS}')`)).toBe(2000);
  const { updated_rows: updated } = await table('update', ORDERS, '--set', 'amount = -1', '--where', 'amount < 50');
  expect(updated).toBeGreaterThan(0);
  const deleted = await table('delete', ORDERS, '--where', 'amount = -1');
  expect(deleted).toMatchObject({ deleted_rows: updated });
  expect(await count(`delta_scan('${ORDERS}')`)).toBe(2000 - Number(updated));
  const version = Number(deleted['version']);
  await table('restore', ORDERS, '--version-as-of', String(version - 2));
  expect(await count(`delta_scan('${ORDERS}')`)).toBe(2000);
  expect(await table('vacuum', ORDERS, '--retain-hours', '0', '--force', '--dry-run')).toMatchObject({ dry_run: true });
  const { deleted: gone } = await table('vacuum', ORDERS, '--retain-hours', '0', '--force');
  expect((gone as string[]).length).toBeGreaterThan(Number(before['files']));
  expect(await table('check', ORDERS)).toMatchObject({ files: 1, problems: [] });
  await table('properties', ORDERS, '--set', 'delta.checkpointInterval=3');
  expect(JSON.stringify(await table('properties', ORDERS))).toContain('delta.checkpointInterval');
  const changes = await outside('table', 'changes', ORDERS, '--from', '0', '--to', '0', '--format', 'jsonl');
  expect(changes.stdout + changes.stderr).toMatch(/_change_type|CHANGE_DATA_MISSING/);
});

test('a table is cloned within the bucket, to disk and from there, and Parquet files on S3 become one', async () => {
  const copy = 's3://company-lake/a copy/of 100%/orders';
  const onDisk = join(await scratch.folder(), 'orders');
  for (const [from, to] of [
    [ORDERS, copy],
    [copy, onDisk],
    [onDisk, 's3://company-lake/from-disk'],
  ] as const) {
    expect((await outside('table', 'clone', from, to)).stderr).toBe('');
    expect(await count(`delta_scan('${to}')`)).toBe(2000);
  }
  const shallow = 's3://company-lake/shallow';
  expect((await outside('table', 'clone', copy, shallow, '--shallow')).stderr).toBe('');
  expect(await count(`delta_scan('${shallow}')`)).toBe(2000);
  expect((await outside('table', 'delete', shallow, '--where', 'order_id <= 500')).stderr).toBe('');
  expect([await count(`delta_scan('${shallow}')`), await count(`delta_scan('${copy}')`)]).toEqual([1500, 2000]);
});

test('a training set is cut from a lake on S3, and may be written there', async () => {
  const exported = await inProject('features', 'export', 'big_orders', '-o', 's3://company-lake/sets');
  expect(exported.stderr).toBe('');
  expect(exported.stdout).toContain('s3://company-lake/sets/big_orders.parquet');
  expectError(
    await outside('table', 'convert', 's3://company-lake/sets'),
    7,
    'SCHEMA_INCOMPATIBLE',
    'big_orders.manifest.json',
  );
  Object.assign(process.env, secrets());
  const storage = new Storage({ s3: { endpoint: s3.endpoint, region: 'us-east-1' } });
  await storage.open('s3://company-lake/sets').delete('big_orders.manifest.json');
  await storage.close();
  const converted = await outside('table', 'convert', 's3://company-lake/sets');
  expect(converted.stderr).toBe('');
  expect(await count("delta_scan('s3://company-lake/sets')")).toBe(2000);
  const out = await scratch.folder();
  expect((await inProject('features', 'export', 'big_orders', '-o', out)).code).toBe(0);
  expect(await readdir(out)).toEqual(['big_orders.manifest.json', 'big_orders.parquet']);
});

test('what is wrong is told with the place, and without a secret', async () => {
  const asked = (env: Record<string, string>, location = ORDERS): Promise<Result> =>
    sluice(['history', location], {
      cwd: cache,
      env: { ...s3.env, XDG_CACHE_HOME: cache, HOME: cache, AWS_EC2_METADATA_DISABLED: 'true', ...env },
    });
  const none = await asked({ AWS_ACCESS_KEY_ID: '', AWS_SECRET_ACCESS_KEY: '' });
  expectError(none, 5, 'STORAGE_DENIED', ORDERS, /There are no credentials/);
  const bucket = await asked({}, 's3://no-such-bucket/t');
  expectError(bucket, 3, 'CONFIG_INVALID', 's3://no-such-bucket/t', 'NoSuchBucket', /Make the bucket/);
  const region = await asked({ AWS_REGION: '', AWS_ENDPOINT_URL_S3: '' });
  expectError(region, 3, 'CONFIG_INVALID', ORDERS, /AWS_REGION/);
  const nowhere = await asked({ AWS_ENDPOINT_URL_S3: 'http://127.0.0.1:9' });
  expectError(nowhere, 5, 'STORAGE_FAILED', ORDERS, 'ECONNREFUSED', /tried \d times/, /AWS_ENDPOINT_URL_S3/);
  for (const { stdout, stderr } of [none, bucket, region, nowhere]) {
    expect(stdout + stderr).not.toContain(s3.env['AWS_SECRET_ACCESS_KEY']);
  }
  expectError(await asked({}, 'gs://bucket/t'), 3, 'CONFIG_INVALID', 'no object store for gs://');
});

test('a cache that is full says so, and what to do; nothing is written then', async () => {
  await onDiskOf('8k', async (disk) => {
    const at = (...args: string[]): Promise<Result> => sluice(args, { env: { ...s3.env, XDG_CACHE_HOME: disk } });
    const read = await at('sql', `SELECT count(*) FROM delta_scan('${ORDERS}')`);
    expectError(read, 5, 'STORAGE_FULL', ORDERS, /storage\.cache/);
    const before = await count(`delta_scan('${ORDERS}')`);
    expectError(await at('table', 'update', ORDERS, '--all', '--set', 'amount = 0'), 5, 'STORAGE_FULL', ADVICE);
    expect(await count(`delta_scan('${ORDERS}')`)).toBe(before);
  });
});

test('commands leave nothing behind in the cache but copies of what cannot change', async () => {
  const inUse = await readdir(join(cache, 'in-use'));
  expect(inUse).toEqual([]);
  expect((await readdir(join(cache, 'files'))).length).toBeGreaterThan(0);
});
