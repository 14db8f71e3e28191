import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';

const SUMMARY = join(import.meta.dirname, '../../../.ci/summary.js');
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-ci-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

interface Step {
  readonly kind: 'check' | 'suite';
  readonly code: number;
  /** A vitest report: the statuses of the tests in each file, or the whole text. */
  readonly report?: string | readonly (readonly string[])[];
}

/** Runs the summary as .ci/run does. */
async function summary(steps: readonly Step[]): Promise<{ last: string; code: number }> {
  const { stdout, code } = await printed(steps);
  return { last: stdout.trimEnd().split('\n').at(-1) ?? '', code };
}

async function printed(steps: readonly Step[]): Promise<{ stdout: string; code: number }> {
  const lines: string[] = [];
  for (const [i, { kind, code, report }] of steps.entries()) {
    const file = join(folder, `${String(i)}.json`);
    await rm(file, { force: true });
    if (report !== undefined) await writeFile(file, typeof report === 'string' ? report : vitestReport(report));
    lines.push([kind, `step-${String(i)}`, code, 7, kind === 'suite' ? file : ''].join('\t'));
  }
  const list = join(folder, 'steps.tsv');
  await writeFile(list, lines.map((line) => `${line}\n`).join(''));
  const run = promisify(execFile)(process.execPath, [SUMMARY, list]);
  return run.then(
    (done) => ({ stdout: done.stdout, code: 0 }),
    (error: unknown) => error as { stdout: string; code: number },
  );
}

function vitestReport(files: readonly (readonly string[])[]): string {
  const results = files.map((statuses) => ({
    status: statuses.length > 0 && statuses.every((status) => status === 'passed') ? 'passed' : 'failed',
    assertionResults: statuses.map((status) => ({ status })),
  }));
  return JSON.stringify({ testResults: results });
}

test('tests and checks are added up', async () => {
  const steps: Step[] = [
    { kind: 'check', code: 0 },
    { kind: 'suite', code: 0, report: [['passed', 'passed'], ['passed']] },
  ];
  expect(await summary(steps)).toEqual({ last: '4 passed, 0 failed', code: 0 });
});

test.each<[string, Step, string]>([
  ['a check that failed', { kind: 'check', code: 2 }, '1 passed, 1 failed'],
  ['a check that was cut off', { kind: 'check', code: 124 }, '1 passed, 1 failed'],
  ['failed tests', { kind: 'suite', code: 1, report: [['passed', 'failed', 'failed']] }, '2 passed, 2 failed'],
  ['a skipped test', { kind: 'suite', code: 0, report: [['passed', 'skipped', 'todo']] }, '2 passed, 2 failed'],
  ['a file that failed to load', { kind: 'suite', code: 1, report: [['passed'], []] }, '2 passed, 1 failed'],
  ['an error outside of any test', { kind: 'suite', code: 1, report: [['passed']] }, '2 passed, 1 failed'],
  ['a suite that crashed without a report', { kind: 'suite', code: 0 }, '1 passed, 1 failed'],
  ['half a report', { kind: 'suite', code: 137, report: '{"testResults":[' }, '1 passed, 1 failed'],
  ['a suite without tests', { kind: 'suite', code: 0, report: [] }, '1 passed, 1 failed'],
])('%s is counted and fails the run', async (_, step, last) => {
  expect(await summary([{ kind: 'check', code: 0 }, step])).toEqual({ last, code: 1 });
});

test('a run in which no step was recorded has failed', async () => {
  expect(await summary([])).toEqual({ last: '0 passed, 1 failed', code: 1 });
});

test('each failed test is named, with why, above the sums', async () => {
  const report = JSON.stringify({
    testResults: [
      {
        name: join(process.cwd(), 'tests/unit/a.test.ts'),
        status: 'failed',
        assertionResults: [
          { status: 'passed', fullName: 'one' },
          {
            status: 'failed',
            fullName: 'two',
            failureMessages: [`AssertionError: 1 is not 2\n${'  at x\n'.repeat(50)}`],
          },
        ],
      },
      {
        name: join(process.cwd(), 'tests/unit/b.test.ts'),
        status: 'failed',
        message: 'no such file',
        assertionResults: [],
      },
    ],
  });
  const { stdout } = await printed([{ kind: 'suite', code: 1, report }]);
  const lines = stdout.trim().split('\n');
  expect(lines.slice(0, 2)).toEqual(['tests/unit/a.test.ts > two: failed', '    AssertionError: 1 is not 2']);
  expect(lines.slice(-4)).toEqual([
    'tests/unit/b.test.ts: failed before its tests',
    '    no such file',
    'step-0     7 s  passed: 1, failed: 2  failed or skipped tests',
    '1 passed, 2 failed',
  ]);
  expect(lines.length).toBeLessThan(20);
});
