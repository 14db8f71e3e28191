import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { ERROR_CODES, EXIT_CODES } from '../../../core/errors.ts';

let page = '';
beforeAll(async () => {
  page = await readFile(join(import.meta.dirname, '../../../docs/operations.md'), 'utf8');
});

test('operations.md tells every exit code, and no other', () => {
  const section = page.slice(page.indexOf('## Exit codes'), page.indexOf('## Errors'));
  const told = [...section.matchAll(/^\| (\d+) +\|/gm)].map(([, code]) => Number(code));
  expect(told).toEqual(Object.values(EXIT_CODES).sort((a, b) => a - b));
});

test('operations.md tells every error code with its exit code, and no other', () => {
  const told = [...page.matchAll(/^\| `([A-Z_]+)` +\| (\d+) +\|/gm)].map(([, code, exit]) => [code, Number(exit)]);
  const real = Object.entries(ERROR_CODES).map(([code, kind]) => [code, EXIT_CODES[kind]]);
  expect(told.sort()).toEqual(real.sort());
});
