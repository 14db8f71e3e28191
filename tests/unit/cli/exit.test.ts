/** A process that ends while queries run does end, also when they wait for what its event loop gives them. */
import { spawn } from 'node:child_process';
import { expect, test } from 'vitest';

/** A process with a long query. @param query SQL; `rows` is a relation in JavaScript. @param end what the process does then */
async function ends(query: string, end: string, env: NodeJS.ProcessEnv = {}): Promise<number | string | null> {
  const url = (path: string): string => JSON.stringify(new URL(`../../../dist/${path}`, import.meta.url).href);
  const script = `
    import { Engine } from ${url('engine/engine.js')};
    import { field, primitive } from ${url('core/schema.js')};
    import { endOnUncaughtErrors, exitNow } from ${url('cli/exit.js')};
    const engine = await Engine.open({ threads: 2 });
    const [session, other] = [await engine.session(), await engine.session()];
    const chunk = { rows: 2048, column: () => new Float64Array(2048), bytes: Buffer.alloc(0) };
    const rows = engine.expose({ fields: [field('n', primitive('long'))], chunks: Array(1_000_000).fill(chunk) }).relation;
    let isRunning = true;
    for (const each of [session, other])
      each.rows(\`${query}\`).catch(() => undefined).finally(() => { isRunning = false; });
    setTimeout(() => { if (!isRunning) process.exit(99); ${end} }, 100);
  `;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script], {
    stdio: 'ignore',
    env: { ...process.env, ...env },
  });
  return new Promise((resolve) => {
    child.once('exit', (exit, signal) => {
      resolve(exit ?? signal);
    });
  });
}

const OVER_ROWS = 'SELECT sum(sqrt(n)) FROM ${rows}';
const OVER_NUMBERS = 'SELECT sum(sqrt(n)) FROM range(1000000000000) AS r(n)';

test.each([
  ['closes everything', 'session.close(); other.close(); engine.close(); process.exitCode = 4', 4],
  ['ends by force', 'exitNow(5)', 5],
  ['ends by force twice', 'exitNow(5); exitNow(6)', 5],
  ['meets an error that nobody catches', 'endOnUncaughtErrors(); throw new Error("oh")', 1],
  ['exits by a way of its own', 'endOnUncaughtErrors(); process.exit(6)', 'SIGKILL'],
])('a process that %s', async (_, end, code) => {
  expect(await ends(OVER_ROWS, end)).toBe(code);
});

test('statements that still wait for a thread are stopped when they have one', async () => {
  expect(await ends(OVER_NUMBERS, 'exitNow(5)', { UV_THREADPOOL_SIZE: '1' })).toBe(5);
});

test('what goes on after the end was asked for gets no more rows', async () => {
  const goesOn = `
    exitNow(5);
    const again = () => { try { other.rows('SELECT sum(n) FROM ' + engine.expose({ fields: [], chunks: [] }).relation).catch(() => undefined); } catch {} };
    for (let i = 0; i < 5; i++) setImmediate(again);
  `;
  expect(await ends(OVER_ROWS, goesOn)).toBe(5);
});
