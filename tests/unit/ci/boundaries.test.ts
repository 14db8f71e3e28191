import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';

const REPO = join(import.meta.dirname, '../../..');
let tree: string;

/** A tree in which each import but the first is forbidden, with the rule that must say so. */
const FORBIDDEN: readonly (readonly [from: string, to: string, rule: string])[] = [
  ['core/a.ts', '../engine/engine.ts', 'core-imports'],
  ['engine/engine.ts', '../tables/index.ts', 'engine-imports'],
  ['tables/index.ts', '../ingest/source.ts', 'tables-imports'],
  ['ingest/source.ts', '../transforms/run.ts', 'ingest-imports'],
  ['transforms/run.ts', '../query/index.ts', 'transforms-imports'],
  ['query/index.ts', '../features/export.ts', 'query-imports'],
  ['features/export.ts', '../cli/main.ts', 'features-imports'],
  ['cli/main.ts', '../tests/helper.ts', 'cli-imports'],
  ['transforms/kafka.ts', 'kafkajs', 'kafka-in-one-folder'],
  ['ingest/codec.ts', '@bokuweb/zstd-wasm', 'kafka-in-one-folder'],
  ['query/duck.ts', '@duckdb/node-api', 'duckdb-in-one-folder'],
  ['tables/bucket.ts', '@aws-sdk/client-s3', 'aws-in-one-folder'],
  ['tables/store/s3/eager.ts', './requests.ts', 'aws-on-demand'],
  ['tables/args.ts', 'commander', 'commander-in-one-folder'],
  ['ingest/spawn.ts', 'node:child_process', 'no-child-processes'],
  ['tables/log/read.ts', 'node:fs/promises', 'files-through-the-store'],
  ['query/snapshot.ts', '../tables/log/read.ts', 'tables-through-the-front-door'],
  ['query/check.ts', 'fast-check', 'no-development-packages'],
  ['query/lost.ts', './nowhere.ts', 'no-unresolvable'],
  ['core/b.ts', './c.ts', 'no-cycles'],
];
const ALLOWED = [
  'ingest/kafka/client.ts',
  'tables/store/local.ts',
  'tables/store/s3/client.ts',
  'tables/store/s3/lazy.ts',
  'engine/session.ts',
  'cli/program.ts',
];

beforeAll(async () => {
  tree = await mkdtemp(join(tmpdir(), 'sluice-boundaries-'));
  const files: Record<string, string> = {
    'tests/helper.ts': 'export {};',
    'core/c.ts': `export * from './b.ts';`,
    'bench/orphan.ts': 'export {};',
    'ingest/kafka/client.ts': `export * from 'kafkajs'; export * from '../../tables/index.ts';`,
    'tables/store/local.ts': `export * from 'node:fs/promises'; export * from '../../core/c.ts';`,
    'tables/store/s3/client.ts': `export * from '@aws-sdk/client-s3';`,
    'tables/store/s3/requests.ts': 'export class S3Requests {}',
    'tables/store/s3/lazy.ts': `import type { S3Requests } from './requests.ts'; export type A = S3Requests; export const b = import('./requests.ts');`,
    'engine/session.ts': `export * from '@duckdb/node-api';`,
    'cli/program.ts': `export * from 'commander'; export * from '../query/index.ts';`,
  };
  for (const [from, to] of FORBIDDEN) files[from] = `export * from '${to}';`;
  for (const [file, text] of Object.entries(files)) {
    await mkdir(dirname(join(tree, file)), { recursive: true });
    await writeFile(join(tree, file), text);
  }
  for (const file of ['.dependency-cruiser.cjs', 'tsconfig.json', 'package.json']) {
    await copyFile(join(REPO, file), join(tree, file));
  }
  await symlink(join(REPO, 'node_modules'), join(tree, 'node_modules'));
});
afterAll(async () => {
  await rm(tree, { recursive: true, force: true });
});

interface Violation {
  readonly from: string;
  readonly rule: { readonly name: string };
}

test('each import rule refuses what it is there for, and nothing else', async () => {
  const cruise = join(REPO, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs');
  const args = [cruise, '--config', '.dependency-cruiser.cjs', '--output-type', 'json', '.'];
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: tree, maxBuffer: 2 ** 26 }).catch(
    (error: unknown) => error as { stdout: string },
  );
  const { summary } = JSON.parse(stdout) as { summary: { violations: Violation[] } };
  const broken = summary.violations.map(({ from, rule }) => `${from}: ${rule.name}`);
  expect(broken).toEqual(expect.arrayContaining(FORBIDDEN.map(([from, , rule]) => `${from}: ${rule}`)));
  expect(broken).toContain('bench/orphan.ts: no-orphans');
  expect(broken.filter((line) => ALLOWED.some((file) => line.startsWith(`${file}:`)))).toEqual([]);
});
