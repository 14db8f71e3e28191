/** The page for users of the library: its code is one program, and prints what the page says. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { REPO } from '../services/cache.ts';
import { Running, Scratch } from './cli/sluice.ts';

const scratch = new Scratch();
afterAll(() => scratch.remove());

const blocks = (page: string, language: string): string[] =>
  [...page.matchAll(/^```(\w+)\n([\s\S]*?)^```/gm)]
    .filter(([, own]) => own === language)
    .map(([, , block = '']) => block);

test('the code of docs/library.md runs, and prints what the page says', async () => {
  const page = await readFile(join(REPO, 'docs', 'library.md'), 'utf8');
  const code = blocks(page, 'ts');
  expect(code.length).toBeGreaterThan(7);
  const library = pathToFileURL(join(REPO, 'dist', 'tables', 'index.js')).href;
  const program = join(await scratch.folder(), 'program.mjs');
  await writeFile(program, code.join('\n').replace(`'sluice/tables'`, JSON.stringify(library)));
  const { code: exit, stdout, stderr } = await new Running(process.execPath, [program], { cwd: join(program, '..') }).ended;
  expect({ exit, stderr }).toEqual({ exit: 0, stderr: '' });
  expect(stdout).toBe(blocks(page, 'text').join(''));
}); // prettier-ignore
