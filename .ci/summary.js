/**
 * Sums up the steps of .ci/run. Each line of its file is `kind, name, exit code, seconds, report`, with tabs between.
 *
 * Promise: a failure is counted even when nothing reported it. A suite without a report, with no test in it, or that ended
 * badly without a failed test counts as one failure; a test that was skipped counts as failed. Each of those is named, with
 * why, right above the sums: the end of the output is what is kept and read.
 */
import console from 'node:console';
import { existsSync, readFileSync } from 'node:fs';
import { relative } from 'node:path';
import process from 'node:process';
import { pathToFileURL } from 'node:url';

/** How many lines of a failed test's message are repeated. */
const MESSAGE_LINES = 12;

/**
 * What one line amounts to.
 * @param {string} line
 * @returns {{ name: string, seconds: string, passed: number, failed: number, why: string, causes?: string[] }}
 */
export function sumStep(line) {
  const [kind = '', name = '', code = '', seconds = '', report = ''] = line.split('\t');
  const ended = code === '0' ? '' : `ended with ${code}`;
  if (kind === 'check')
    return { name, seconds, passed: ended === '' ? 1 : 0, failed: ended === '' ? 0 : 1, why: ended };
  const counts = countTests(report);
  if (counts === undefined)
    return { name, seconds, passed: 0, failed: 1, why: `no report, ${ended || 'ended with 0'}` };
  const { passed, failed, causes } = counts;
  if (passed + failed === 0) return { name, seconds, passed: 0, failed: 1, why: 'no test was run' };
  if (failed === 0 && ended !== '') return { name, seconds, passed, failed: 1, why: `${ended}, though no test failed` };
  return { name, seconds, passed, failed, why: failed === 0 ? '' : 'failed or skipped tests', causes };
}

/**
 * The tests of a report of vitest's JSON reporter. A file that failed before its tests began is one failure.
 * @param {string} report
 * @returns {{ passed: number, failed: number, causes: string[] } | undefined} undefined when there is no such file, or half of one
 */
function countTests(report) {
  if (!existsSync(report)) return undefined;
  let files;
  try {
    files = JSON.parse(readFileSync(report, 'utf8')).testResults;
  } catch {
    return undefined;
  }
  let passed = 0;
  const causes = [];
  for (const { name = '', status, message, assertionResults } of files) {
    const file = relative(process.cwd(), name);
    const bad = assertionResults.filter((test) => test.status !== 'passed');
    passed += assertionResults.length - bad.length;
    for (const test of bad) causes.push(cause(`${file} > ${test.fullName}: ${test.status}`, test.failureMessages?.[0]));
    if (bad.length === 0 && status === 'failed') causes.push(cause(`${file}: failed before its tests`, message));
  }
  return { passed, failed: causes.length, causes };
}

/**
 * @param {string} what
 * @param {string} [message]
 */
function cause(what, message = '') {
  const lines = message.split('\n').slice(0, MESSAGE_LINES);
  return [what, ...lines.filter((line) => line.trim() !== '').map((line) => `    ${line}`)].join('\n');
}

/**
 * @param {string} text the lines of all steps
 * @returns {{ lines: string[], passed: number, failed: number }} the failed tests, a line for each step, and the sum as the last
 */
export function summarize(text) {
  const steps = text.split('\n').filter(Boolean).map(sumStep);
  const passed = steps.reduce((sum, step) => sum + step.passed, 0);
  const failed = steps.length === 0 ? 1 : steps.reduce((sum, step) => sum + step.failed, 0);
  const width = Math.max(0, ...steps.map(({ name }) => name.length));
  const lines = steps.map(({ name, seconds, why, ...step }) =>
    `${name.padEnd(width)} ${seconds.padStart(5)} s  passed: ${step.passed}, failed: ${step.failed}  ${why}`.trimEnd(),
  );
  const causes = steps.flatMap((step) => step.causes ?? []);
  return { lines: [...causes, ...lines, `${passed} passed, ${failed} failed`], passed, failed };
}

const [, script, file] = process.argv;
if (script !== undefined && file !== undefined && import.meta.url === pathToFileURL(script).href) {
  const { lines, failed } = summarize(existsSync(file) ? readFileSync(file, 'utf8') : '');
  console.log(`\n${lines.join('\n')}`);
  process.exitCode = failed === 0 ? 0 : 1;
}
