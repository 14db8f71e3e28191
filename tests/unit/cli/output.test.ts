import { expect, test } from 'vitest';
import { bar, formatBytes, formatCount, formatDuration, formatTime } from '../../../cli/format.ts';
import { errorText, exitCodeOf, toSluiceError } from '../../../cli/report-error.ts';
import { styleOf } from '../../../cli/style.ts';
import { textTable } from '../../../cli/text-table.ts';
import { EXIT_CODES, SluiceError } from '../../../core/errors.ts';

const PLAIN = styleOf({}, {});
const COLOURED = styleOf({ isTTY: true }, {});

test('numbers, sizes and times are short, and exact where they look exact', () => {
  expect(formatCount(9_007_199_254_740_993n)).toBe('9,007,199,254,740,993');
  expect([0, 1023, 1024, 1536, 2 ** 30 * 3].map(formatBytes)).toEqual([
    '0 B',
    '1023 B',
    '1.0 KiB',
    '1.5 KiB',
    '3.0 GiB',
  ]);
  expect([4.4, 999, 1000, 59_949, 60_000, 83_200, 3_600_000, 90_000_000].map(formatDuration)).toEqual([
    '4 ms', '999 ms', '1.0 s', '59.9 s', '1 m 0 s', '1 m 23 s', '1 h 0 m', '25 h 0 m',
  ]); // prettier-ignore
  expect(formatTime(Date.UTC(2026, 0, 2, 3, 4, 5, 678))).toBe('2026-01-02 03:04:05');
});

test('a bar shows what is not nothing, and never more than its width', () => {
  expect(bar(0, 10, 8)).toBe('');
  expect(bar(10, 10, 8)).toBe('████████');
  expect(bar(0.0001, 10, 8)).toBe('▏');
  expect(bar(5, 10, 5)).toBe('██▌');
  expect(bar(Number.NaN, 10, 5)).toBe('');
});

test('columns line up whatever the colour and the width of the characters', () => {
  const columns = [{ title: 'name' }, { title: 'rows', align: 'right' }, { title: 'note' }] as const;
  const rows = (paint: (text: string) => string) => [
    [{ text: 'gold.日本', paint }, '12', 'wide'],
    [{ text: 'bronze.orders', paint }, '1,234', ''],
  ];
  const plain = textTable(columns, rows(PLAIN.red), PLAIN);
  expect(plain).toBe('name            rows  note\ngold.日本         12  wide\nbronze.orders  1,234\n');
  const escape = String.fromCharCode(27);
  const coloured = textTable(columns, rows(COLOURED.red), COLOURED);
  expect(coloured).toContain(`${escape}[31mgold.日本${escape}[39m`);
  expect(coloured.replaceAll(new RegExp(`${escape}\\[\\d+m`, 'g'), '')).toBe(plain);
});

test('colour is for terminals, and NO_COLOR is respected', () => {
  expect(styleOf({ isTTY: true }, {}).red('x')).not.toBe('x');
  for (const [stream, env] of [
    [{ isTTY: false }, {}],
    [{}, {}],
    [{ isTTY: true }, { NO_COLOR: '1' }],
    [{ isTTY: true }, { TERM: 'dumb' }],
  ] as const) {
    expect(styleOf(stream, env).red('x')).toBe('x');
  }
  expect(styleOf({ isTTY: true }, { NO_COLOR: '' }).red('x')).not.toBe('x');
});

test('an error is told with its code, its place and what to do next, and no stack', () => {
  const error = new SluiceError(
    'SQL_SYNTAX',
    'pipelines/a.sql:1:8: expected FROM\n  1 | SELECT FRM\n    |        ^^^',
    {
      advice: 'Did you mean FROM?',
      cause: new Error('the parser said no'),
    },
  );
  expect(errorText(error, { style: PLAIN, debug: false })).toBe(
    'error[SQL_SYNTAX]: pipelines/a.sql:1:8: expected FROM\n  1 | SELECT FRM\n    |        ^^^\n→ Did you mean FROM?\n',
  );
  const debug = errorText(error, { style: PLAIN, debug: true });
  expect(debug).toContain('output.test.ts');
  expect(debug).toContain('caused by: Error: the parser said no');
});

test('what the system throws becomes an error with a code of its own; anything else is called a fault of sluice', () => {
  const system = (code: string): unknown => Object.assign(new Error(`${code}: write`), { code });
  expect(toSluiceError(system('ENOSPC')).code).toBe('STORAGE_FULL');
  expect(toSluiceError(system('EROFS')).code).toBe('STORAGE_READ_ONLY');
  expect(toSluiceError(system('EACCES')).exitCode).toBe(EXIT_CODES.storage);
  const bug = toSluiceError(new TypeError('x is not a function'));
  expect(bug).toMatchObject({ code: 'INTERNAL', message: 'x is not a function', exitCode: EXIT_CODES.internal });
  expect(bug.advice).toContain('--debug');
  expect(exitCodeOf('anything')).toBe(EXIT_CODES.internal);
});
