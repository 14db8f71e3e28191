/** What goes wrong for users: one clear error each, the documented exit code, nothing lost and nothing half-made. */
import { execFileSync } from 'node:child_process';
import { chmod, chown, mkdir, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, expect, inject, test } from 'vitest';
import { createTopic, uniqueTopic } from '../../services/topics.ts';
import { Scratch, sluice, type Result } from './sluice.ts';

const scratch = new Scratch();
afterAll(() => scratch.remove());

const ORDERS = "FROM STREAM generate(dataset => 'orders', rows => 2000)";
const BRONZE = `CREATE STREAMING TABLE bronze.orders AS SELECT * ${ORDERS};`;

async function project(files: Readonly<Record<string, string>>, folder?: string): Promise<string> {
  const root = folder ?? (await scratch.folder());
  await mkdir(join(root, 'pipelines'), { recursive: true });
  await writeFile(join(root, 'sluice.yaml'), '');
  for (const [name, sql] of Object.entries(files)) await writeFile(join(root, 'pipelines', name), sql);
  return root;
}

async function run(cwd: string, more: { uid?: number } = {}): Promise<Result> {
  return sluice(['run', '--available-now'], { cwd, ...more });
}

/** One error, with its code and what to do next; no stack. */
function expectError({ code, stderr }: Result, exit: number, name: string, ...parts: (string | RegExp)[]): void {
  expect(stderr.match(/^error\[/gm), stderr).toHaveLength(1);
  expect(stderr).toContain(`error[${name}]: `);
  expect(stderr).toMatch(/\n→ .+/);
  expect(stderr).not.toMatch(/\n\s+at .*\.[jt]s:/);
  for (const part of parts) expect(stderr).toMatch(part);
  expect(code).toBe(exit);
}

test('a broken SQL file: its place, the line, and a caret', async () => {
  const root = await project({ 'orders.sql': `${BRONZE}\nCREATE STREAMING TABEL silver.orders AS SELECT 1;` });
  expectError(await run(root), 3, 'SQL_SYNTAX', /pipelines\/orders\.sql:2:18/, /CREATE STREAMING TABEL/, /\^/);
  expect(await readdir(root)).toEqual(['pipelines', 'sluice.yaml']);
});

test('an unknown column: its place, and the nearest name', async () => {
  const silver = 'CREATE STREAMING TABLE silver.orders AS SELECT order_id, amuont FROM STREAM(bronze.orders);';
  const root = await project({ 'a.sql': BRONZE, 'b.sql': silver });
  expectError(await run(root), 3, 'UNKNOWN_COLUMN', /pipelines\/b\.sql:1:58/, /amount/);
  expect(await readdir(root)).toEqual(['pipelines', 'sluice.yaml']);
});

test('an unknown table: the nearest name', async () => {
  const gold = 'CREATE MATERIALIZED VIEW gold.n AS SELECT count(*) AS n FROM bronze.ordres;';
  const root = await project({ 'a.sql': BRONZE, 'b.sql': gold });
  expectError(await run(root), 3, 'UNKNOWN_TABLE', /pipelines\/b\.sql:1:62/, /bronze\.orders/);
});

test('a pipeline that goes in a circle: all that are in it', async () => {
  const root = await project({
    'a.sql': 'CREATE MATERIALIZED VIEW gold.a AS SELECT * FROM gold.b;',
    'b.sql': 'CREATE MATERIALIZED VIEW gold.b AS SELECT * FROM gold.a;',
  });
  expectError(await run(root), 3, 'CYCLE', /gold\.a/, /gold\.b/);
});

test('a log entry that was cut short: the file, and nothing is changed', async () => {
  const root = await project({ 'a.sql': BRONZE });
  expect(await run(root)).toMatchObject({ code: 0 });
  const log = join(root, 'lake', 'bronze', 'orders', '_delta_log');
  const newest = (await readdir(log)).filter((name) => name.endsWith('.json')).sort().at(-1) ?? ''; // prettier-ignore
  const whole = await readFile(join(log, newest));
  await truncate(join(log, newest), Math.floor(whole.length / 2));
  const before = await readdir(log);
  expectError(await run(root), 6, 'LOG_CORRUPT', new RegExp(newest));
  expectError(await sluice(['sql', 'SELECT count(*) FROM bronze.orders'], { cwd: root }), 6, 'LOG_CORRUPT');
  expect(await readdir(log)).toEqual(before);
  await writeFile(join(log, newest), whole);
  expect(await run(root)).toMatchObject({ code: 0 });
  expect(await rowsIn(root)).toBe(2000);
});

test('a folder that may not be written', async () => {
  const root = await project({ 'a.sql': BRONZE });
  const asRoot = process.getuid?.() === 0;
  for (let folder = root; folder !== '/tmp' && folder !== '/'; folder = join(folder, '..')) await chmod(folder, 0o755);
  await mkdir(join(root, 'lake'));
  await chmod(join(root, 'lake'), 0o555);
  if (asRoot) await chown(join(root, 'lake'), 0, 0);
  expectError(await run(root, asRoot ? { uid: 65534 } : {}), 5, 'STORAGE_READ_ONLY', /lake/);
  expect(await readdir(join(root, 'lake'))).toEqual([]);
});

test('a full disk: nothing half-made, and the run goes on when there is room', async () => {
  const root = await scratch.folder();
  if (process.getuid?.() !== 0) throw new Error('this test mounts a small file system, and needs root for that');
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', root]);
  try {
    await project({ 'a.sql': BRONZE.replace('rows => 2000', 'rows => 400000') }, root);
    await writeFile(join(root, 'ballast'), Buffer.alloc(2 ** 20));
    expectError(await run(root), 5, 'STORAGE_FULL', /lake/);
    await rm(join(root, 'ballast'));
    const before = await rowsIn(root);
    expect(before).toBeLessThan(400_000);
    execFileSync('mount', ['-o', 'remount,size=100m', root]);
    expect(await run(root)).toMatchObject({ code: 0 });
    expect(await rowsIn(root)).toBe(400_000);
  } finally {
    execFileSync('umount', [root]);
  }
});

test('Kafka: nobody at the address, no such topic, a wrong password', async () => {
  const { brokers, sasl } = inject('kafka');
  const topic = uniqueTopic('orders');
  await createTopic(brokers, topic);
  const reading = (options: string): Promise<string> =>
    project({ 'a.sql': `CREATE STREAMING TABLE bronze.orders AS SELECT * FROM STREAM read_kafka(${options});` });
  const nobody = await reading(`bootstrapServers => '127.0.0.1:1', subscribe => 'orders'`);
  expectError(await run(nobody), 4, 'SOURCE_UNREACHABLE', /127\.0\.0\.1:1/);
  const missing = await reading(`bootstrapServers => '${brokers.join(',')}', subscribe => '${topic}x'`);
  expectError(await run(missing), 4, 'SOURCE_MISSING', new RegExp(`Did you mean ${topic}`));
  const wrong = await reading(
    `bootstrapServers => '${sasl?.brokers.join(',') ?? ''}', subscribe => '${topic}', 'kafka.security.protocol' => 'SASL_PLAINTEXT',
     'kafka.sasl.username' => '${sasl?.username ?? ''}', 'kafka.sasl.password' => 'not-the-secret'`.replaceAll(
      /'(kafka[\w.]+)'/g,
      '"$1"',
    ),
  );
  const refused = await run(wrong);
  expectError(refused, 4, 'SOURCE_AUTH');
  expect(refused.stdout + refused.stderr).not.toContain('not-the-secret');
});

async function rowsIn(cwd: string): Promise<number> {
  const { stdout } = await sluice(['sql', '--format', 'jsonl', 'SELECT count(*) AS n FROM bronze.orders'], { cwd });
  return (JSON.parse(stdout) as { n: number }).n;
}
