/** `npm run demo`, smaller: what it shows is true, what it prints works, and nothing that is not its own is touched. */
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import kafkajs from 'kafkajs';
import { afterAll, expect, inject, test } from 'vitest';
import { REPO } from '../../services/cache.ts';
import { shell } from './shell.ts';
import { Running, Scratch, type ProcessOptions, type Result } from './sluice.ts';

const ROWS = 30_000;
const scratch = new Scratch();
afterAll(() => scratch.remove());

function demo(args: readonly string[], options: ProcessOptions): Running {
  return new Running(process.execPath, [join(REPO, 'dist', 'scripts', 'demo.js'), ...args], options);
}

async function rows(cwd: string, table: string): Promise<number> {
  const query = `npx sluice --project demo-lake sql --format jsonl 'SELECT count(*) AS n FROM ${table}'`;
  const { stdout } = await shell([query], cwd);
  return (JSON.parse(stdout) as { n: number }).n;
}

function nextCommands({ stderr }: Result): string[] {
  const after = stderr.split('Try next:\n')[1] ?? '';
  return [...after.matchAll(/^ {2}(.+)$/gm)].map(([, command = '']) => command);
}

test('it ends with tables worth looking at, and three commands that work as printed', async () => {
  const cwd = await scratch.folder();
  const result = await demo(['--rows', String(ROWS)], { cwd }).ended;
  expect(result.code, result.stderr).toBe(0);
  const [good, bad] = [await rows(cwd, 'bronze.orders'), await rows(cwd, 'bronze.orders_quarantine')];
  expect(good + bad).toBe(ROWS);
  expect(bad).toBeGreaterThan(0);
  for (const part of ['espresso machine', 'MALFORMED_JSON', 'positive_amount', 'orders_14d', '4,000 rows']) {
    expect(result.stdout).toContain(part);
  }
  expect(result.stdout).toMatch(new RegExp(`bronze\\.orders +\\d+ +${good.toLocaleString('en-US')} `));
  expect(result.stderr).toMatch(/30,000 orders .* in [\d.]+ s: [\d,]+ a second, with [\d.]+ MiB of memory at most/);
  const commands = nextCommands(result);
  expect(commands).toHaveLength(3);
  for (const command of commands) {
    const { code, stdout, stderr } = await shell([command], cwd, 'SHOW TABLES;');
    expect({ command, code, stderr }).toEqual({ command, code: 0, stderr: '' });
    expect(stdout).not.toBe('');
  }
  expect((await readdir(join(cwd, 'demo-lake', 'out'))).sort()).toEqual(['churn.manifest.json', 'churn.parquet']);
});

test('another demo starts anew, and what is not from a demo stays', async () => {
  const cwd = await scratch.folder();
  await mkdir(join(cwd, 'demo-lake'));
  await writeFile(join(cwd, 'demo-lake', 'precious.txt'), 'mine\n');
  const refused = await demo(['--rows', '10'], { cwd }).ended;
  expect(refused).toMatchObject({ code: 2, stdout: '' });
  expect(refused.stderr).toContain('no earlier demo has made it');
  expect(await readFile(join(cwd, 'demo-lake', 'precious.txt'), 'utf8')).toBe('mine\n');

  const other = await scratch.folder();
  for (const count of [2000, 1000]) {
    expect((await demo(['--rows', String(count)], { cwd: other }).ended).code).toBe(0);
    expect((await rows(other, 'bronze.orders')) + (await rows(other, 'bronze.orders_quarantine'))).toBe(count);
  }
});

test.each([[['--rows', 'many']], [['--cows']], [['more']]])('a wrong option makes nothing: %j', async (args) => {
  const cwd = await scratch.folder();
  const { code, stdout, stderr } = await demo(args, { cwd }).ended;
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toMatch(/^error\[USAGE\]: .+\n→ .+\n$/);
  expect(await readdir(cwd)).toEqual([]);
});

test('Ctrl-C ends it as it ends a run, with one error', async () => {
  const cwd = await scratch.folder();
  const running = demo(['--rows', '5000000'], { cwd });
  await running.says('bronze.orders: version');
  running.child.kill('SIGINT');
  const { code, stderr } = await running.ended;
  expect(stderr.match(/^error\[/gm)).toHaveLength(1);
  expect(stderr).toContain('error[INTERRUPTED]');
  expect(code).toBe(130);
});

test('with --kafka the same stream goes through a broker, and leaves nothing in one that was there before', async () => {
  const { brokers } = inject('kafka');
  const cwd = await scratch.folder();
  const env = { KAFKA_BROKERS: brokers.join(',') };
  const result = await demo(['--kafka', '--rows', '3000'], { cwd, env }).ended;
  expect(result.code, result.stderr).toBe(0);
  expect((await rows(cwd, 'bronze.orders')) + (await rows(cwd, 'bronze.orders_quarantine'))).toBe(3000);
  expect(await readFile(join(cwd, 'demo-lake', 'pipelines', '01_bronze.sql'), 'utf8')).toContain(brokers.join(','));
  const admin = new kafkajs.Kafka({ brokers, logLevel: kafkajs.logLevel.NOTHING }).admin();
  await admin.connect();
  const left = await admin.listTopics();
  await admin.disconnect();
  expect(left.filter((topic) => topic.startsWith('sluice-demo'))).toEqual([]);
});

test('with --kafka and a broker that does not answer: one error', async () => {
  const cwd = await scratch.folder();
  const { code, stderr } = await demo(['--kafka'], { cwd, env: { KAFKA_BROKERS: '127.0.0.1:1' } }).ended;
  expect(stderr.match(/^error\[/gm)).toHaveLength(1);
  expect(stderr).toMatch(/error\[SOURCE_UNREACHABLE\]: Kafka at 127\.0\.0\.1:1 failed: .+\n→ .+KAFKA_BROKERS/);
  expect(code).toBe(4);
});
