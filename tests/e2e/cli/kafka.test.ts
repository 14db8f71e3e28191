/** Kafka that cannot be read, as the command line tells it: one error, exit code 4, no secret, and the rest goes on. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, expect, inject, test } from 'vitest';
import { createTopic, uniqueTopic } from '../../services/topics.ts';
import { Scratch, sluice, startSluice } from './sluice.ts';
import { ADVICE, expectError, run, writeProject } from './small-project.ts';

const scratch = new Scratch();
afterAll(() => scratch.remove());

const SECRET = 'not-the-secret';
const NOBODY = "bootstrapServers => '127.0.0.1:1', subscribe => 'orders'";

/** A project with one flow over read_kafka, and one that has nothing to do with it. */
async function reading(options: string, more: Readonly<Record<string, string>> = {}): Promise<string> {
  return writeProject(await scratch.folder(), {
    'orders.sql': `CREATE STREAMING TABLE bronze.orders AS SELECT * FROM STREAM read_kafka(${options}, valueFormat => 'json', schema => 'a INT');`,
    'clicks.sql':
      "CREATE STREAMING TABLE bronze.clicks AS SELECT * FROM STREAM generate(dataset => 'clicks', rows => 100);",
    ...more,
  });
}

/** What did not depend on Kafka is there, and the table of the failed flow is whole and empty. */
async function expectTheRest(root: string, env: Record<string, string> = {}): Promise<void> {
  const { stdout } = await sluice(['tables', '--format', 'json'], { cwd: root, env });
  const tables = JSON.parse(stdout) as { name: string; rows: number }[];
  const rows = Object.fromEntries(tables.map((table) => [table.name, table.rows]));
  expect(rows['bronze.clicks']).toBe(100);
  expect(rows['bronze.orders'] ?? 0).toBe(0);
  expect((await readdir(join(root, 'lake'))).filter((name) => name.startsWith('.tmp'))).toEqual([]);
}

test('nobody at the address', async () => {
  const root = await reading(NOBODY);
  const result = await run(root);
  expectError(result, 4, 'SOURCE_UNREACHABLE', '127.0.0.1:1', ADVICE);
  expect(result.stdout).toMatch(/bronze\.orders +failed \(SOURCE_UNREACHABLE\)/);
  await expectTheRest(root);
});

test('several flows that cannot reach it: each is told, and the exit code is the same', async () => {
  const other = `CREATE STREAMING TABLE bronze.other AS SELECT * FROM STREAM read_kafka(${NOBODY}, schema => 'a INT');`;
  const root = await reading(NOBODY, { 'other.sql': other });
  const { code, stderr } = await run(root);
  expect(stderr.match(/^error\[SOURCE_UNREACHABLE\]: /gm)).toHaveLength(2);
  expect(stderr.match(/^error\[/gm)).toHaveLength(2);
  expect(code).toBe(4);
});

test('no such topic: the nearest name', async () => {
  const { brokers } = inject('kafka');
  const topic = uniqueTopic('orders');
  await createTopic(brokers, topic);
  const root = await reading(`bootstrapServers => '${brokers.join(',')}', subscribe => '${topic}x'`);
  expectError(await run(root), 4, 'SOURCE_MISSING', `${topic}x`, `Did you mean ${topic}`, ADVICE);
  await expectTheRest(root);
});

test('a wrong password is refused, and never shown', async () => {
  const { brokers = [], username = '' } = inject('kafka').sasl ?? {};
  const settings = [
    'connections:',
    '  shop:',
    `    bootstrap_servers: ${brokers.join(',')}`,
    `    sasl: { mechanism: PLAIN, username: ${username}, password: '\${SHOP_PASSWORD}' }`,
  ].join('\n');
  const root = await reading("connection => 'shop', subscribe => 'orders'", { './sluice.yaml': `${settings}\n` });
  const env = { SHOP_PASSWORD: SECRET };
  const result = await run(root, { env });
  expectError(result, 4, 'SOURCE_AUTH', ADVICE);
  const told = [result];
  for (const args of [
    ['run', '--available-now', '--debug'],
    ['run', '--available-now', '--format', 'json'],
    ['check', '--format', 'json'],
    ['history', 'bronze.orders', '--format', 'json'],
  ]) {
    told.push(await sluice(args, { cwd: root, env }));
  }
  for (const { stdout, stderr } of told) expect(stdout + stderr).not.toContain(SECRET);
  expect(told.map(({ code }) => code)).toEqual([4, 4, 4, 0, 0]);
  await expectTheRest(root, env);
});

test('a continuous run tries again, and Ctrl-C still ends it cleanly', async () => {
  const root = await reading(NOBODY);
  const running = startSluice(['run'], { cwd: root });
  await running.says('bronze.orders: failed, trying again in');
  running.child.kill('SIGINT');
  expect((await running.ended).code).toBe(0);
  await expectTheRest(root);
});
