/** From `init` to a training set, with the commands that users type. */
import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Scratch, sluice, startSluice, type Result } from './sluice.ts';

const scratch = new Scratch();
let lake: string;
beforeAll(async () => {
  lake = join(await scratch.folder(), 'my-lake');
  expect(await sluice(['init', lake])).toMatchObject({ code: 0 });
});
afterAll(() => scratch.remove());

const REVENUE = 'SELECT sum(orders)::BIGINT AS orders, sum(revenue) AS revenue FROM gold.revenue_by_day';

async function good(...args: string[]): Promise<string> {
  const result: Result = await sluice(args, { cwd: lake });
  expect(result.code, result.stderr).toBe(0);
  return result.stdout;
}

test('check finds the template in order, and writes nothing', async () => {
  expect(await good('check')).toContain('7 flows are in order\n✓ 1 feature set is in order\n');
  expect(await good('tables')).not.toContain('bronze.orders');
});

test('run reads everything there is; a second run makes no commit', async () => {
  expect(await good('run', '--available-now')).toContain('7 flows in');
  const before = await good('tables', '--format', 'json');
  const summary = await good('run', '--available-now', '--format', 'json');
  const last = JSON.parse(summary.trim().split('\n').at(-1) ?? '') as { flows: { status: string; commits: number }[] };
  expect(last.flows).toHaveLength(7);
  expect(last.flows.filter(({ status, commits }) => status !== 'completed' || commits > 0)).toEqual([]);
  expect(await good('tables', '--format', 'json')).toBe(before);
});

test('every record is in the table or in quarantine', async () => {
  const rows = JSON.parse(
    await good(
      'sql',
      '--format',
      'json',
      'SELECT (SELECT count(*) FROM bronze.orders) AS good, (SELECT count(*) FROM bronze.orders_quarantine) AS bad',
    ),
  ) as { good: number; bad: number }[];
  expect((rows[0]?.good ?? 0) + (rows[0]?.bad ?? 0)).toBe(200_000);
  expect(rows[0]?.bad).toBeGreaterThan(100);
});

test('the same rows in every format', async () => {
  const [row] = JSON.parse(await good('sql', '--format', 'json', REVENUE)) as { orders: number; revenue: string }[];
  expect(row?.orders).toBeGreaterThan(190_000);
  expect(JSON.parse(await good('sql', '--format', 'jsonl', REVENUE))).toEqual(row);
  const csv = (await good('sql', '--format', 'csv', REVENUE)).split(/\r?\n/);
  expect(csv[0]).toBe('orders,revenue');
  expect(csv[1]).toBe(`${String(row?.orders)},${String(row?.revenue)}`);
  expect(await good('sql', REVENUE)).toContain(String(row?.revenue));
  await writeFile(join(lake, 'report.sql'), `${REVENUE};`);
  expect(JSON.parse(await good('sql', '-f', 'report.sql', '--format', 'json'))).toEqual([row]);
});

test('an earlier version, by its number and by its time, and any table by its folder', async () => {
  const count = async (table: string): Promise<unknown> =>
    JSON.parse(await good('sql', '--format', 'jsonl', `SELECT count(*) AS n FROM ${table}`));
  const now = await count('silver.orders');
  expect(await count('silver.orders VERSION AS OF 0')).toEqual({ n: 0 });
  type Commit = { version: number; timestamp: string };
  const [latest] = JSON.parse(await good('history', 'silver.orders', '--format', 'json')) as Commit[];
  expect(await count(`silver.orders VERSION AS OF ${String(latest?.version)}`)).toEqual(now);
  expect(await count(`silver.orders TIMESTAMP AS OF '${latest?.timestamp ?? ''}'`)).toEqual(now);
  expect(await count("delta_scan('lake/silver/orders')")).toEqual(now);
});

test('history tells what each commit was made from, and how many rows met the expectations', async () => {
  const lines = (await good('history', 'silver.orders', '--format', 'json')).trim();
  expect(lines).toContain('positive_amount');
  expect(lines).toContain('bronze.orders');
});

test('an export has a row for each label, and the same versions give the same bytes', async () => {
  await good('features', 'export', 'churn', '-o', 'out/');
  await good('features', 'export', 'churn', '-o', 'again/', '--pin', 'out/churn.manifest.json');
  const bytes = await readFile(join(lake, 'out', 'churn.parquet'));
  expect(bytes.equals(await readFile(join(lake, 'again', 'churn.parquet')))).toBe(true);
  const manifest = JSON.parse(await readFile(join(lake, 'out', 'churn.manifest.json'), 'utf8')) as {
    data: { rows: number; sha256: string };
    tables: Record<string, { version: number }>;
  };
  expect(manifest.data.sha256).toBe(createHash('sha256').update(bytes).digest('hex'));
  expect(manifest.data.rows).toBe(4000);
  expect(Object.keys(manifest.tables)).toContain('silver.orders');
});

test.each(['SIGINT', 'SIGTERM'] as const)('%s ends a continuous run cleanly', async (signal) => {
  const project = await liveProject();
  const run = startSluice(['run'], { cwd: project });
  await run.says('bronze.clicks: version');
  run.child.kill(signal);
  const { code, stdout, stderr } = await run.ended;
  expect(stderr).toContain('stopping');
  expect(stdout).toMatch(/bronze\.clicks +stopped/);
  expect(code).toBe(0);
  const sql = 'SELECT count(*) = count(DISTINCT click_id) AS once FROM bronze.clicks';
  expect(await sluice(['sql', '--format', 'jsonl', sql], { cwd: project })).toMatchObject({
    stdout: '{"once":true}\n',
  });
});

test('Ctrl-C during --available-now is exit code 130, and a second one forces', async () => {
  const project = await liveProject(', rows => 100000000, eventsPerDay => 1000000');
  const once = startSluice(['run', '--available-now'], { cwd: project });
  await once.says('bronze.clicks: version');
  once.child.kill('SIGINT');
  expect(await once.ended).toMatchObject({ code: 130, stderr: expect.stringContaining('INTERRUPTED') as string });

  const twice = startSluice(['run', '--available-now'], { cwd: project });
  await twice.says('bronze.clicks: version');
  twice.child.kill('SIGINT');
  twice.child.kill('SIGINT');
  expect((await twice.ended).code).toBe(130);
  const sql = 'SELECT count(*) = count(DISTINCT click_id) AS once FROM bronze.clicks';
  expect(await sluice(['sql', '--format', 'jsonl', sql], { cwd: project })).toMatchObject({
    stdout: '{"once":true}\n',
  });
});

async function liveProject(more = ', rowsPerSecond => 2000'): Promise<string> {
  const project = await scratch.folder();
  await mkdir(join(project, 'pipelines'));
  await writeFile(join(project, 'sluice.yaml'), '');
  await writeFile(
    join(project, 'pipelines', 'clicks.sql'),
    `CREATE STREAMING TABLE bronze.clicks AS SELECT click_id, ts FROM STREAM generate(dataset => 'clicks'${more});`,
  );
  return project;
}
