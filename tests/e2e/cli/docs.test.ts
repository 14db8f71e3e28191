/** Every command that a page shows in a block works as printed: it is run here, or named with the place that runs it. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { REPO } from '../../services/cache.ts';
import { shell } from './shell.ts';
import { Scratch } from './sluice.ts';

/** Commands that are run elsewhere: in which file, and how it reads there. */
const ELSEWHERE: Readonly<Record<string, readonly [file: string, text: string]>> = {
  'npm ci && npm run demo': ['.ci/run', 'npm run --silent demo'],
  'npm ci && npm test': ['.ci/run', 'npm test'],
  'npm run build': ['package.json', '"pretest": "npm run --silent build"'],
  'npx vitest run --project unit': ['package.json', 'vitest run --project unit'],
  'npx vitest run --project unit tests/unit/tables': ['package.json', 'vitest run --project unit'],
  'npm test': ['.ci/run', 'npm test'],
  'npm run interop': ['.ci/run', 'npm run interop'],
  'npm run kafka': ['tests/e2e/cli/package.test.ts', 'scripts.kafka'],
  'npm run bench': ['package.json', '"bench": '],
  'npm run soak -- --minutes 60': ['tests/interop/writers.test.ts', 'npm run soak'],
  'npm run bench -- ingest latency': ['package.json', '"bench": '],
  'npm run bench -- ingest --records 50000 --rounds 1 --no-spark': ['package.json', '"bench": '],
  'npm run lint': ['.ci/run', 'npm run --silent lint'],
  'npm run format': ['.ci/run', 'npm run --silent format:check'],
  'npm run types': ['.ci/run', 'npm run --silent types'],
  'npm run boundaries': ['.ci/run', 'npm run --silent boundaries'],
  'npm run deadcode': ['.ci/run', 'npm run --silent deadcode'],
  [`npx sluice sql "SELECT count(*) FROM delta_scan('s3://company-lake/prod/bronze/orders')"`]: [
    'tests/e2e/cli/s3.test.ts',
    's3://company-lake/prod/bronze/orders',
  ],
  'npx sluice table optimize s3://company-lake/prod/bronze/orders': [
    'tests/e2e/cli/s3.test.ts',
    "table('optimize', ORDERS)",
  ],
  'npx sluice history s3://company-lake/prod/bronze/orders': ['tests/e2e/cli/s3.test.ts', "outside('history', ORDERS"],
  'bash .ci/run': ['.ci/run', 'Everything that must hold'],
};

/** What the commands of a page stand on; a page that is not named stands on a project that has run. */
const BEFORE: Readonly<Record<string, readonly string[]>> = {
  'README.md': [],
  'docs/cli.md': [],
  'examples/shop/README.md': ['npx sluice init shop && cd shop'],
};
const A_SHOP = ['npx sluice init shop && cd shop', 'npx sluice run --available-now'];

const scratch = new Scratch();
const shown = new Map<string, string[]>();

beforeAll(async () => {
  const nested = await Promise.all(
    ['docs', 'examples'].map(async (folder) =>
      (await readdir(join(REPO, folder), { recursive: true })).map((file) => join(folder, file)),
    ),
  );
  for (const page of [...(await readdir(REPO)), ...nested.flat()].filter((file) => file.endsWith('.md'))) {
    shown.set(page, commandsOf(await readFile(join(REPO, page), 'utf8')));
  }
});
afterAll(() => scratch.remove());

/** The lines of blocks for a shell, without comments. */
function commandsOf(page: string): string[] {
  return [...page.matchAll(/^```(\w*)\n([\s\S]*?)^```/gm)]
    .filter(([, language = '']) => ['', 'sh', 'bash', 'console'].includes(language))
    .flatMap(([, , block = '']) => block.split('\n'))
    .map((line) => line.replace(/\s+# .*$/, '').trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
}

test('the first commands of the README are the two that a visitor needs', () => {
  expect(shown.get('README.md')?.slice(0, 2)).toEqual(['npm ci && npm run demo', 'npm ci && npm test']);
});

test('every command of a page that can be run here works as printed', async () => {
  let run = 0;
  for (const [page, commands] of shown) {
    const own = commands.filter((command) => ELSEWHERE[command] === undefined);
    if (own.length === 0) continue;
    const { code, stderr } = await shell([...(BEFORE[page] ?? A_SHOP), ...own], await scratch.folder());
    expect({ page, code }, stderr).toEqual({ page, code: 0 });
    run += own.length;
  }
  expect(run).toBeGreaterThan(20);
}, 600_000);

test('every command that is run elsewhere is on a page, and is run there', async () => {
  const all = new Set([...shown.values()].flat());
  for (const [command, [file, text]] of Object.entries(ELSEWHERE)) {
    expect(all, command).toContain(command);
    expect(await readFile(join(REPO, file), 'utf8'), command).toContain(text);
  }
});
