import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { PassThrough } from 'node:stream';
import { beforeAll, expect, test } from 'vitest';
import { runProgram } from '../../../cli/program.ts';
import { processIo } from '../../../cli/io.ts';

const REPO = join(import.meta.dirname, '../../..');
const FOLDERS = ['docs', 'examples'];
const pages = new Map<string, string>();

beforeAll(async () => {
  const nested = await Promise.all(
    FOLDERS.map(async (folder) => (await readdir(join(REPO, folder), { recursive: true })).map((f) => join(folder, f))),
  );
  const files = [...(await readdir(REPO)), ...nested.flat()].filter((file) => file.endsWith('.md'));
  for (const file of files) pages.set(file, await readFile(join(REPO, file), 'utf8'));
});

/** Every match of a pattern's first group, with the page that it is on. */
function found(pattern: RegExp, where: (page: string) => boolean = () => true): { page: string; text: string }[] {
  return [...pages]
    .filter(([page]) => where(page))
    .flatMap(([page, text]) => [...text.matchAll(pattern)].map(([, group = '']) => ({ page, text: group })));
}

/** As GitHub makes them. */
function anchors(text: string): Set<string> {
  const headings = [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => heading);
  return new Set(
    headings.map((h) =>
      h
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );
}

test('every relative link leads to a file that is there, and to a heading that it has', () => {
  const links = found(/\]\(((?!https?:)[^)\s]+)\)/g);
  expect(links.length).toBeGreaterThan(10);
  const broken = links.filter(({ page, text }) => {
    const [path = '', anchor] = text.split('#');
    const target = path === '' ? page : relative(REPO, join(REPO, dirname(page), path));
    if (!existsSync(join(REPO, target))) return true;
    return anchor !== undefined && !anchors(pages.get(target) ?? '').has(anchor);
  });
  expect(broken).toEqual([]);
});

test('every npm script that a page names exists', async () => {
  const { scripts } = JSON.parse(await readFile(join(REPO, 'package.json'), 'utf8')) as { scripts: object };
  const named = found(/npm (?:run )?((?<=run )[\w:-]+|test\b)/g);
  expect(named.length).toBeGreaterThan(10);
  expect(named.filter(({ text }) => !Object.hasOwn(scripts, text))).toEqual([]);
});

test('every sluice command that a page names exists', async () => {
  const named = new Set(found(/(?:npx |[`│|] *|^)sluice ([a-z]+)/gm).map(({ text }) => text));
  expect(named).toContain('run');
  const help = new Map<string, number>();
  for (const command of named) help.set(command, await helpOf(command));
  expect([...help].filter(([, code]) => code !== 0)).toEqual([]);
});

const silent = new PassThrough();
silent.resume();
const io = { ...processIo(), stdout: silent, stderr: silent } as unknown as ReturnType<typeof processIo>;

async function helpOf(command: string): Promise<number> {
  return runProgram([command, '--help'], io);
}

test('every file and folder of the sources that a page names is there, or in the project that init makes', () => {
  const inRepo = (page: string): boolean => !page.startsWith('examples/');
  const named = found(
    /`((?:core|engine|tables|ingest|transforms|query|features|cli|tests|bench|scripts|docs|examples|\.ci)\/[\w./-]*)`/g,
    inRepo,
  );
  expect(named.length).toBeGreaterThan(20);
  const isThere = (path: string): boolean =>
    existsSync(join(REPO, path)) || existsSync(join(REPO, 'examples/shop', path));
  expect(named.filter(({ text }) => !isThere(text))).toEqual([]);
});
