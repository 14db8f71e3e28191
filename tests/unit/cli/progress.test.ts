import { PassThrough } from 'node:stream';
import { beforeEach, expect, test } from 'vitest';
import type { Io } from '../../../cli/io.ts';
import { JsonReporter } from '../../../cli/progress/json.ts';
import { progressLines } from '../../../cli/progress/lines.ts';
import { LiveReporter } from '../../../cli/progress/live.ts';
import { PlainReporter } from '../../../cli/progress/plain.ts';
import type { Reporter } from '../../../cli/progress/reporter.ts';
import { RunState } from '../../../cli/progress/state.ts';
import { StepProgress, type Step } from '../../../cli/progress/steps.ts';
import { styleOf } from '../../../cli/style.ts';
import { ManualClock } from '../../../core/clock.ts';
import { SluiceError } from '../../../core/errors.ts';
import { parseJson } from '../../../core/json.ts';
import type { RunEvent } from '../../../transforms/run/events.ts';

const START_MS = Date.UTC(2026, 0, 2, 3, 4, 5);
let clock: ManualClock;
let state: RunState;
let io: Io;
let [out, err] = ['', ''];

beforeEach(() => {
  clock = new ManualClock(START_MS);
  state = new RunState(clock);
  [out, err] = ['', ''];
  const stream = (write: (text: string) => void): unknown => {
    const sink = new PassThrough();
    sink.on('data', (bytes: Buffer) => {
      write(bytes.toString());
    });
    return Object.assign(sink, { rows: 10, columns: 80 });
  };
  const plain = styleOf({}, {});
  io = {
    env: {},
    cwd: '/',
    stdin: process.stdin,
    stdout: stream((text) => (out += text)) as Io['stdout'],
    stderr: stream((text) => (err += text)) as Io['stderr'],
    style: plain,
    errorStyle: plain,
  };
});

const committed = (flow: string, version: bigint, rows: bigint, quarantined = 0n): RunEvent => ({
  kind: 'batch_committed', flow, version, rows, quarantined, dropped: 0n, durationMs: 12,
}); // prettier-ignore

function tell(reporter: Reporter, event: RunEvent): void {
  state.apply(event);
  reporter.event(event);
}

test('in a log a busy flow writes one line a second, and no row is left out of the sum', () => {
  const reporter = new PlainReporter(io, state, clock);
  tell(reporter, { kind: 'flow_started', flow: 'bronze.orders' });
  for (let i = 0; i < 100; i++) {
    tell(reporter, committed('bronze.orders', BigInt(i + 1), 10n, i === 99 ? 3n : 0n));
    clock.advance(50);
  }
  tell(reporter, { kind: 'flow_finished', flow: 'bronze.orders', rows: 1000n });
  reporter.close();
  const lines = err.trimEnd().split('\n');
  expect(lines).toHaveLength(2 + 6);
  expect(lines[0]).toBe('2026-01-02T03:04:05.000Z bronze.orders: started');
  expect(lines[1]).toContain('version 1, +10 rows (12 ms, 10 rows in all)');
  expect(lines.at(-1)).toContain('done, 1,000 rows');
  const added = lines.flatMap((line) => /\+(\d+) rows/.exec(line)?.[1] ?? []);
  expect(added.reduce((sum, rows) => sum + Number(rows), 0)).toBe(1000);
  expect(lines.at(-2)).toContain('3 quarantined');
  expect(out).toBe('');
});

test('in a log a failure is told with what to do, after the commits before it', () => {
  const reporter = new PlainReporter(io, state, clock);
  tell(reporter, committed('a.b', 1n, 5n));
  tell(reporter, committed('a.b', 2n, 6n));
  const error = new SluiceError('SOURCE_UNREACHABLE', 'no broker at localhost:9', { advice: 'Start it.' });
  tell(reporter, { kind: 'flow_retrying', flow: 'a.b', error, inMs: 1500 });
  expect(err).toMatch(
    /\+6 rows.*\n.*trying again in 1\.5 s\nerror\[SOURCE_UNREACHABLE\]: no broker.*\n→ Start it\.\n$/,
  );
});

test('for a machine every event is one line of JSON, with all digits and no error lost', () => {
  const reporter = new JsonReporter(io, clock);
  tell(reporter, committed('a.b', 9_007_199_254_740_993n, 5n));
  const error = new SluiceError('LOG_CORRUPT', 'truncated', { facts: { version: 7n } });
  tell(reporter, { kind: 'flow_failed', flow: 'a.b', error });
  tell(reporter, { kind: 'flow_idle', flow: 'a.b' });
  reporter.note('stopping');
  const lines = out
    .trimEnd()
    .split('\n')
    .map((line) => parseJson(line));
  expect(lines).toEqual([
    expect.objectContaining({
      at: '2026-01-02T03:04:05.000Z',
      kind: 'batch_committed',
      version: 9_007_199_254_740_993n,
    }),
    expect.objectContaining({ error: { code: 'LOG_CORRUPT', message: 'truncated', facts: { version: 7 } } }),
  ]);
  expect(err).toBe('stopping\n');
});

test('on a terminal every flow keeps its line, and what is told in between stays above', () => {
  const reporter = new LiveReporter(io, state);
  for (let i = 0; i < 20; i++) tell(reporter, { kind: 'flow_started', flow: `a.flow${String(i)}` });
  tell(reporter, committed('a.flow0', 1n, 1234n, 2n));
  err = '';
  reporter.note('hello');
  reporter.close();
  const escape = String.fromCharCode(27);
  const frames = err.split(`${escape}[?7h`);
  expect(frames[0]).toContain('hello\n');
  expect(frames[0]?.split('\n').length).toBeLessThanOrEqual(10 + 1);
  expect(frames[0]).toContain('1,234');
  expect(frames[0]).toContain('… and 13 more');
  expect(frames[1]).toContain(`${escape}[9A`);
  expect(err.endsWith(`${escape}[?7h`)).toBe(true);
});

test('the rate is that of the last seconds, not of the whole run', () => {
  tell(new JsonReporter(io, clock), { kind: 'flow_started', flow: 'a.b' });
  state.apply(committed('a.b', 1n, 1_000_000n));
  clock.advance(60_000);
  state.apply(committed('a.b', 2n, 500n));
  const flow = state.flows.get('a.b');
  if (flow === undefined) throw new Error('the flow is not known');
  expect(state.rate(flow)).toBe(100);
  clock.advance(10_000);
  expect(state.rate(flow)).toBe(0);
  expect(flow.rows).toBe(1_000_500n);
});

const step = (name: string, part = 1, parts = 1): Step => ({ name, part, parts });

test('a step that DuckDB runs in several statements shows each as a pass, and the next step begins anew', () => {
  const steps = new StepProgress();
  expect(steps.at(50, 1)).toBeUndefined();
  steps.begin(step('finding rows'));
  expect(steps.at(undefined, 2)).toEqual({ text: 'finding rows', percent: undefined });
  expect(steps.at(40, 2)).toEqual({ text: 'finding rows', percent: 40 });
  expect(steps.at(30, 2)?.percent).toBe(40);
  expect(steps.at(undefined, 3)?.percent).toBe(40);
  expect(steps.at(5, 3)).toEqual({ text: 'finding rows, pass 2', percent: 5 });
  steps.begin(step('writing rows'));
  expect(steps.at(1, 4)).toEqual({ text: 'writing rows', percent: 1 });
  steps.begin(step('writing rows'));
  expect(steps.at(0, 5)).toEqual({ text: 'writing rows, pass 2', percent: 0 });
});

test('a step in parts has one scale, whatever statements each part runs', () => {
  const steps = new StepProgress();
  const seen: (number | undefined)[] = [];
  for (let part = 1; part <= 4; part++) {
    steps.begin(step('writing rows', part, 4));
    for (const [i, percent] of [undefined, 0, 50, 20, 100, 3].entries()) {
      const shown = steps.at(percent, part * 10 + i);
      expect(shown?.text).toBe(`writing rows, part ${String(part)} of 4`);
      seen.push(shown?.percent);
    }
  }
  const told = seen.flatMap((percent) => percent ?? []);
  expect(told).toEqual([...told].sort((a, b) => a - b));
  expect(told.slice(0, 3)).toEqual([0, 12.5, 12.5]);
  expect(told.at(-1)).toBe(100);
});

test('a line of a log names the step, with percents where they are known', () => {
  const tell = progressLines(io, clock, 'silver.orders');
  tell(1, 'finding rows');
  clock.advance(10_000);
  tell(undefined, 'finding rows');
  clock.advance(10_000);
  tell(41.9, 'writing rows, part 2 of 5');
  tell(42, 'writing rows, part 2 of 5');
  clock.advance(10_000);
  tell(50);
  expect(err).toBe(
    '2026-01-02T03:04:15.000Z silver.orders: finding rows\n' +
      '2026-01-02T03:04:25.000Z silver.orders: writing rows, part 2 of 5: 41 %\n' +
      '2026-01-02T03:04:35.000Z silver.orders: 50 %\n',
  );
  expect(out).toBe('');
});
