/** The progress of changes of rows: on stderr, in place on a terminal and in lines else; stdout is for the result alone. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { answerOf } from './small-project.ts';
import { Scratch, sluice, startSluice } from './sluice.ts';

const scratch = new Scratch();
let cwd: string;
beforeAll(async () => {
  cwd = await scratch.folder();
  await answerOf(append('SELECT i AS id, i AS n FROM range(100) t(i)'));
});
afterAll(() => scratch.remove());

const append = (using: string) => sluice(['table', 'append', './t', '--using', using, '--format', 'json'], { cwd });
/** Nobody waits until it ends. */
const ENDLESS = '(SELECT count(*) FROM range(20000000) a(i) JOIN range(20000000) b(j) ON a.i + b.j < sin(a.i))';
const SOURCE = `SELECT ${ENDLESS} AS id, 1::BIGINT AS n`;
/** stderr says that it is a terminal. */
const TERMINAL = { NODE_OPTIONS: '--import=data:text/javascript,process.stderr.isTTY=true' };
const ESCAPE = String.fromCharCode(27);

const VERBS: [verb: string, step: string, args: string[]][] = [
  ['append', 'writing rows', ['--using', SOURCE]],
  ['overwrite', 'writing rows', ['--using', SOURCE]],
  ['merge', 'reading the source', ['--using', SOURCE, '--on', 'target.id = source.id', '--when-matched-delete']],
  ['merge', 'finding rows', ['--using', 'SELECT 1::BIGINT AS id', '--on', `target.id = ${ENDLESS}`, '--when-matched-delete']],
  ['delete', 'finding rows', ['--where', `id < ${ENDLESS}`]],
  ['update', 'writing rows', ['--set', `n = ${ENDLESS}`, '--all']],
]; // prettier-ignore

test.each(VERBS)('on a terminal %s shows "%s", and Ctrl-C stops it', async (verb, step, args) => {
  const running = startSluice(['table', verb, './t', ...args, '--format', 'json'], { cwd, env: TERMINAL });
  await running.says(`\r${step} `);
  running.child.kill('SIGINT');
  const { code, stdout, stderr } = await running.ended;
  expect({ code, stdout }).toEqual({ code: 130, stdout: '' });
  // The line is taken away before anything else is said.
  expect(stderr).toMatch(new RegExp(`\\r${ESCAPE}\\[Kerror\\[INTERRUPTED\\]`));
  expect(await answerOf(sluice(['table', 'check', './t', '--format', 'json'], { cwd }))).toMatchObject({ version: 0 });
});

test('in a log there is a line now and then, with neither escapes nor a progress bar of DuckDB', async () => {
  const running = startSluice(['table', 'append', './t', '--using', SOURCE, '--format', 'json'], { cwd });
  await running.says('./t: writing rows');
  running.child.kill('SIGINT');
  const { code, stdout, stderr } = await running.ended;
  expect({ code, stdout }).toEqual({ code: 130, stdout: '' });
  expect(stderr).toMatch(/^(\d{4}-\d\d-\d\dT[\d:.]+Z \.\/t: writing rows(: \d+ %)?\n)+error\[INTERRUPTED\]/);
  expect(stderr).not.toContain(ESCAPE);
});

test('what is done is on stdout alone, on a terminal too', async () => {
  const args = ['table', 'delete', './t', '--where', 'id = 7', '--format', 'json'];
  const { code, stdout, stderr } = await sluice(args, { cwd, env: TERMINAL });
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ deleted_rows: 1 });
  expect(stdout).not.toContain(ESCAPE);
  expect(stderr).not.toContain('deleted_rows');
});
