/** Whole runs over real tables: each row once, at every layer, whatever is run again, changed or broken in between. */
import { copyFile, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { stringifyJson } from '../../../../core/json.ts';
import type { RunEvent } from '../../../../transforms/run/events.ts';
import { SmallProject } from '../small-project.ts';

let project: SmallProject;
afterEach(() => project.remove());

const ORDERS = (more = ''): string =>
  `CREATE STREAMING TABLE bronze.orders AS
   SELECT *, _metadata."partition" AS p, _metadata."offset" AS o FROM STREAM generate(dataset => 'orders', rows => 2000${more});`;
const SILVER = 'CREATE STREAMING TABLE silver.orders AS SELECT order_id, amount FROM STREAM(bronze.orders);';
const GOLD = 'CREATE MATERIALIZED VIEW gold.total AS SELECT count(*) AS n, sum(amount) AS amount FROM silver.orders;';

test('bronze, silver and gold hold each record once, and a second run makes no commit', async () => {
  project = await SmallProject.create(GOLD + SILVER + ORDERS(', malformedRatio => 0.05'));
  const first = await project.run();
  expect(Object.values(first).map(({ status }) => status)).toEqual(['completed', 'completed', 'completed']);
  const [once] = await project.query(
    `SELECT (SELECT count(*) FROM {bronze.orders}) AS good, (SELECT count(*) FROM {bronze.orders_quarantine}) AS bad,
       (SELECT count(DISTINCT (p, o)) FROM (SELECT p, o FROM {bronze.orders} UNION ALL SELECT "partition", "offset" FROM {bronze.orders_quarantine})) AS places`,
  );
  expect(once?.['places']).toBe(2000n);
  expect(Number(once?.['good']) + Number(once?.['bad'])).toBe(2000);
  expect(first['bronze.orders']).toMatchObject({ rows: once?.['good'], quarantined: once?.['bad'] });
  const [gold] = await project.query(
    'SELECT g.n, g.amount = (SELECT sum(amount) FROM {bronze.orders}) AS same FROM {gold.total} AS g',
  );
  expect(gold).toEqual({ n: once?.['good'], same: true });

  const versions = async (): Promise<bigint[]> =>
    Promise.all(
      ['bronze.orders', 'bronze.orders_quarantine', 'silver.orders', 'gold.total'].map((name) => project.version(name)),
    );
  const before = await versions();
  expect(before[0]).toBeGreaterThan(3n);
  const second = await project.run();
  expect(Object.values(second).map(({ commits }) => commits)).toEqual([0, 0, 0]);
  expect(await versions()).toEqual(before);
});

test('rows that come later go through all layers, and nothing else does', async () => {
  project = await SmallProject.create(GOLD + SILVER + ORDERS());
  await project.run();
  await project.write({ 'a.sql': GOLD + SILVER + ORDERS().replace('rows => 2000', 'rows => 2500') });
  const again = await project.run();
  expect(again).toMatchObject({
    'bronze.orders': { rows: 500n },
    'silver.orders': { rows: 500n },
    'gold.total': { commits: 1 },
  });
  expect(await project.query('SELECT n FROM {gold.total}')).toEqual([{ n: 2500n }]);
});

// Hundreds of commits, each of which waits for the disk.
test(
  'small commits are put together while the run goes on, and what is read from the table stays exactly once',
  { timeout: 180_000 },
  async () => {
    project = await SmallProject.create(GOLD + SILVER + ORDERS());
    await writeFile(join(project.folder, 'sluice.yaml'), 'ingest: { max_batch_rows: 10, flush_ms: 20 }\n');
    await project.run();
    const compacted = project.events.filter(({ kind }) => kind === 'table_compacted');
    expect(new Set(compacted.map((event) => 'table' in event && event.table))).toContain('bronze.orders');
    const [counts] = await project.query(
      'SELECT (SELECT count(*) FROM {bronze.orders}) AS bronze, (SELECT count(DISTINCT (p, o)) FROM {bronze.orders}) AS places, (SELECT count(*) FROM {silver.orders}) AS silver, (SELECT n FROM {gold.total}) AS gold',
    );
    expect(counts).toEqual({ bronze: 2000n, places: 2000n, silver: 2000n, gold: 2000n });
  },
);

test('expectations: counted in the commit, dropped, or the end of the update', async () => {
  const checks = (last: string): string =>
    `CREATE STREAMING TABLE silver.orders (
       CONSTRAINT few EXPECT (quantity < 3), CONSTRAINT even EXPECT (order_id % 2 = 0) ON VIOLATION DROP ROW${last})
     AS SELECT order_id, quantity FROM STREAM(bronze.orders);`;
  project = await SmallProject.create(ORDERS() + checks(''));
  await project.run();
  expect(await project.count('silver.orders')).toBe(1000n);
  const counts = { few: [0n, 0n], even: [0n, 0n] };
  for (const { info } of await project.table('silver.orders').history()) {
    const expectations = (info['expectations'] ?? {}) as Record<
      keyof typeof counts,
      { passed: number; failed: number }
    >;
    for (const [name, count] of Object.entries(expectations) as [
      keyof typeof counts,
      { passed: number; failed: number },
    ][]) {
      counts[name][0] = (counts[name][0] ?? 0n) + BigInt(count.passed);
      counts[name][1] = (counts[name][1] ?? 0n) + BigInt(count.failed);
    }
  }
  const [few] = await project.query('SELECT count(*) FILTER (quantity < 3) AS passed FROM {bronze.orders}');
  expect(counts).toEqual({ few: [few?.['passed'], 2000n - (few?.['passed'] as bigint)], even: [1000n, 1000n] });

  await project.write({
    'a.sql':
      ORDERS().replace('rows => 2000', 'rows => 3000') +
      checks(', CONSTRAINT small EXPECT (order_id <= 2500) ON VIOLATION FAIL UPDATE') +
      'CREATE MATERIALIZED VIEW gold.bronze AS SELECT count(*) AS n FROM bronze.orders; CREATE MATERIALIZED VIEW gold.silver AS SELECT count(*) AS n FROM silver.orders;',
  });
  const failed = await project.run();
  expect(failed).toMatchObject({
    'bronze.orders': { status: 'completed', rows: 1000n },
    'gold.bronze': { status: 'completed' },
    'silver.orders': { status: 'failed', error: { code: 'EXPECTATION_FAILED', facts: { expectation: 'small' } } },
    'gold.silver': { status: 'stopped', commits: 0 },
  });
  expect(failed['silver.orders']?.error?.message).toContain('order_id');
  const [silver] = await project.query(
    'SELECT max(order_id) AS most, count(*) = count(DISTINCT order_id) AS once FROM {silver.orders}',
  );
  expect(Number(silver?.['most'])).toBeLessThanOrEqual(2500);
  expect(silver?.['once']).toBe(true);
  const files = (await readdir(join(project.folder, 'lake', 'silver', 'orders'))).filter((name) =>
    name.endsWith('.parquet'),
  );
  expect(files).toHaveLength((await project.table('silver.orders').snapshot()).files.length);
});

test("another writer's rows are picked up; its compaction is not; its deletes stop the flow", async () => {
  project = await SmallProject.create(ORDERS() + SILVER);
  await project.run();
  await project.commit(
    'bronze.orders',
    `SELECT * REPLACE (-7 AS order_id) FROM ${await relationOf('bronze.orders')} LIMIT 1`,
  );
  expect(await project.run()).toMatchObject({ 'silver.orders': { rows: 1n } });

  await rewrite('bronze.orders', false);
  const compacted = await project.run();
  expect(compacted).toMatchObject({ 'silver.orders': { status: 'completed', rows: 0n } });
  expect(await project.query('SELECT count(*) AS n FROM {silver.orders} WHERE order_id = -7')).toEqual([{ n: 1n }]);

  await rewrite('bronze.orders', true);
  const refused = await project.run();
  expect(refused['silver.orders']).toMatchObject({
    status: 'failed',
    rows: 0n,
    error: { code: 'SOURCE_TABLE_CHANGED' },
  });
  expect(refused['silver.orders']?.error?.advice).toBeDefined();
  expect(await project.count('silver.orders')).toBe(2001n);
});

test('a view is refreshed when an input or its definition has changed, and only then', async () => {
  project = await SmallProject.create(ORDERS() + SILVER + GOLD);
  await project.run();
  const made = await project.version('gold.total');
  await rewrite('silver.orders', false);
  await project.write({ 'a.sql': ORDERS() + SILVER + GOLD.replace('SELECT', '/* the same */ SELECT  ') });
  await project.run();
  expect(await project.version('gold.total')).toBe(made);
  await project.write({ 'a.sql': ORDERS() + SILVER + GOLD.replace('count(*) AS n', 'count(*) + 1 AS n') });
  await project.run();
  expect(await project.version('gold.total')).toBe(made + 1n);
  expect(await project.query('SELECT n FROM {gold.total}')).toEqual([{ n: 2001n }]);
});

test('partitions, temporary views, a join with a whole table, and the stream of what was quarantined', async () => {
  project = await SmallProject.create(`
    ${ORDERS(', malformedRatio => 0.1')}
    CREATE STREAMING TABLE bronze.customers AS SELECT customer_id, country FROM STREAM generate(dataset => 'customers', rows => 1000);
    CREATE TEMPORARY VIEW large AS SELECT * FROM STREAM(bronze.orders) WHERE amount > 100;
    CREATE STREAMING TABLE silver.large PARTITIONED BY (country)
    AS SELECT order_id, amount, c.country FROM STREAM(large) AS o JOIN bronze.customers AS c ON o.customer_id = c.customer_id;
    CREATE STREAMING TABLE silver.bad AS SELECT error_code, count(*) OVER () IS NULL AS x FROM bronze.customers, STREAM(bronze.orders_quarantine) LIMIT 0;
  `);
  const refused = await project.refusal();
  expect(refused.code).toBe('STREAMING_MISUSE');
  await project.write({
    'a.sql': `
    ${ORDERS(', malformedRatio => 0.1')}
    CREATE STREAMING TABLE bronze.customers AS SELECT customer_id, country FROM STREAM generate(dataset => 'customers', rows => 1000);
    CREATE TEMPORARY VIEW large AS SELECT * FROM STREAM(bronze.orders) WHERE amount > 100;
    CREATE STREAMING TABLE silver.large PARTITIONED BY (country)
    AS SELECT order_id, amount, c.country FROM STREAM(large) AS o JOIN bronze.customers AS c ON o.customer_id = c.customer_id;
    CREATE STREAMING TABLE silver.bad AS SELECT error_code FROM STREAM(bronze.orders_quarantine);`,
  });
  const summary = await project.run();
  expect(Object.values(summary).map(({ status, error }) => [status, error])).toEqual(
    Array.from({ length: 4 }, () => ['completed', undefined]),
  );
  const [large] = await project.query('SELECT count(*) AS n FROM {bronze.orders} WHERE amount > 100');
  expect(await project.count('silver.large')).toBe(large?.['n']);
  expect((await project.table('silver.large').snapshot()).partitionColumns).toEqual(['country']);
  expect(await project.count('silver.bad')).toBe(await project.count('bronze.orders_quarantine'));
});

test('a continuous run follows what comes, and stops when it is told to', async () => {
  project = await SmallProject.create(ORDERS(', rowsPerSecond => 400') + SILVER + GOLD);
  const run = project.start();
  await expect.poll(() => project.events.some(isCommit), { timeout: 20_000 }).toBe(true);
  const before = await project.count('silver.orders');
  await expect.poll(() => project.count('silver.orders'), { timeout: 20_000 }).toBeGreaterThan(before);
  const flows = await run.stop();
  expect(flows.map(({ status, error }) => [status, error])).toEqual(
    Array.from({ length: 3 }, () => ['stopped', undefined]),
  );
  const [row] = await project.query('SELECT count(*) = count(DISTINCT (p, o)) AS once FROM {bronze.orders}');
  expect(row).toEqual({ once: true });
});

test('a flow whose table is gone starts anew, and the others do not', async () => {
  project = await SmallProject.create(ORDERS() + SILVER);
  await project.run();
  await rm(join(project.folder, 'lake', 'silver'), { recursive: true });
  const again = await project.run();
  expect(again).toMatchObject({ 'bronze.orders': { rows: 0n }, 'silver.orders': { rows: 2000n } });
});

/** A commit of the silver table. */
function isCommit(event: RunEvent): boolean {
  return event.kind === 'batch_committed' && event.flow === 'silver.orders';
}

async function relationOf(name: string): Promise<string> {
  return (await project.table(name).snapshot()).relation();
}

/** Another engine's commit that puts the first file of a table in another place: a compaction, or an update of rows. */
async function rewrite(name: string, dataChange: boolean): Promise<void> {
  const folder = join(project.folder, 'lake', ...name.split('.'));
  const { files, version } = await project.table(name).snapshot();
  const [file] = files;
  if (file === undefined) throw new Error(`${name} has no file`);
  const path = `rewritten-${String(version)}.parquet`;
  await copyFile(join(folder, file.path), join(folder, path));
  const actions = [
    { commitInfo: { timestamp: 0, operation: dataChange ? 'UPDATE' : 'OPTIMIZE' } },
    { remove: { path: file.path, deletionTimestamp: 0, dataChange } },
    { add: { path, partitionValues: {}, size: file.bytes, modificationTime: 0, dataChange } },
  ];
  const entry = `${String(version + 1n).padStart(20, '0')}.json`;
  await writeFile(join(folder, '_delta_log', entry), actions.map((action) => `${stringifyJson(action)}\n`).join(''), {
    flag: 'wx',
  });
}
