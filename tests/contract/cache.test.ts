/** The cache of immutable files: bounded, shared, and never taking away what is in use. */
import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ManualClock } from '../../core/clock.ts';
import { systemRandom } from '../../core/random.ts';
import { FileCache } from '../../tables/store/cache/file-cache.ts';
import { FileLease } from '../../tables/store/lease.ts';
import { compiled } from './compiled.ts';

const BYTES = 10_000;
let folder: string;
const caches: FileCache[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-cache-'));
});
afterEach(async () => {
  for (const cache of caches.splice(0)) await cache.close();
  await rm(folder, { recursive: true, force: true });
});

/** What another process would have of its own. */
function open(bytes = 1_000_000, clock = new ManualClock(Date.now())): FileCache {
  const cache = new FileCache({ folder, bytes }, { clock, random: systemRandom });
  caches.push(cache);
  return cache;
}

/** Fetches that are counted; each file has its key in it, again and again. */
class Source {
  fetched: string[] = [];

  fetch =
    (key: string) =>
    async (path: string): Promise<void> => {
      this.fetched.push(key);
      await new Promise((resolve) => setImmediate(resolve));
      await writeFile(path, contents(key));
    };
}
const contents = (key: string): string => key.repeat(BYTES).slice(0, BYTES);

async function cachedBytes(): Promise<number> {
  let sum = 0;
  for (const part of await readdir(join(folder, 'files'))) {
    for (const name of await readdir(join(folder, 'files', part))) {
      sum += (await stat(join(folder, 'files', part, name)).catch(() => undefined))?.size ?? 0;
    }
  }
  return sum;
}

test('of several that ask at once one fetches, and later nobody does', async () => {
  const [cache, source] = [open(), new Source()];
  const paths = await Promise.all(Array.from({ length: 20 }, () => cache.file('a', source.fetch('a'))));
  expect(new Set(paths).size).toBe(1);
  expect(await readFile(paths[0] ?? '', 'utf8')).toBe(contents('a'));
  expect(await readFile(await open().file('a', source.fetch('a')), 'utf8')).toBe(contents('a'));
  expect(source.fetched).toEqual(['a']);
});

test('a file is there until its lease ends, however many ask; without one until the cache is closed', async () => {
  const [cache, source] = [open(), new Source()];
  const outer = new FileLease();
  let inner = '';
  const mine = await outer.run(async () => {
    inner = await FileLease.during(async () => {
      const path = await cache.file('b', source.fetch('b'));
      expect(await cache.file('b', source.fetch('b'))).toBe(path);
      return path;
    });
    await cache.file('a', source.fetch('a'));
    return cache.file('a', source.fetch('a'));
  });
  const shared = await FileLease.during(() => cache.file('a', source.fetch('a')));
  expect(shared).toBe(mine);
  await expect(stat(inner)).rejects.toMatchObject({ code: 'ENOENT' });
  expect(await readFile(mine, 'utf8')).toBe(contents('a'));
  await outer.end();
  await expect(stat(mine)).rejects.toMatchObject({ code: 'ENOENT' });
  const always = await cache.file('c', source.fetch('c'));
  expect(await readFile(always, 'utf8')).toBe(contents('c'));
  await cache.close();
  await expect(stat(always)).rejects.toMatchObject({ code: 'ENOENT' });
});

test('stays below its limit, and the file that was used least recently goes first', async () => {
  const clock = new ManualClock(Date.now());
  const [cache, source] = [open(BYTES * 10, clock), new Source()];
  for (let i = 0; i < 40; i++) {
    clock.advance(61_000);
    await FileLease.during(() => cache.file('often', source.fetch('often')));
    await FileLease.during(() => cache.file(`file ${String(i)}`, source.fetch(`file ${String(i)}`)));
  }
  await cache.close();
  expect(await cachedBytes()).toBeLessThanOrEqual(BYTES * 11);
  expect(await cachedBytes()).toBeGreaterThanOrEqual(BYTES * 5);
  expect(source.fetched.filter((key) => key === 'often')).toHaveLength(1);
  const again = open(BYTES * 10, clock);
  await again.file('file 39', source.fetch('late'));
  expect(source.fetched).not.toContain('late');
  await again.file('file 1', source.fetch('early'));
  expect(source.fetched).toContain('early');
});

test('what one process uses is not taken away by another, however small the cache', async () => {
  const [reader, busy, source] = [open(BYTES * 2), open(BYTES * 2), new Source()];
  const keys = Array.from({ length: 12 }, (_, i) => `used ${String(i)}`);
  const lease = new FileLease();
  const paths = await lease.run(() => Promise.all(keys.map((key) => reader.file(key, source.fetch(key)))));
  for (let i = 0; i < 30; i++) {
    await FileLease.during(() => busy.file(`other ${String(i)}`, source.fetch(`other ${String(i)}`)));
  }
  for (const [i, path] of paths.entries()) expect(await readFile(path, 'utf8')).toBe(contents(keys[i] ?? ''));
  await lease.end();
  await FileLease.during(() => busy.file('last', source.fetch('last')));
  await busy.close();
  expect(await cachedBytes()).toBeLessThanOrEqual(BYTES * 3);
});

test('processes at random, with a cache that is far too small, never read anything but what they asked for', async () => {
  const source = new Source();
  const workers = [0, 1, 2].map(() => open(BYTES * 3));
  await Promise.all(
    workers.flatMap((cache) =>
      [0, 1, 2].map(async () => {
        for (let i = 0; i < 40; i++) {
          const keys = [0, 1, 2].map(() => `k${String(systemRandom.int(15))}`);
          await FileLease.during(async () => {
            const paths = await Promise.all(keys.map((key) => cache.file(key, source.fetch(key))));
            await new Promise((resolve) => setImmediate(resolve));
            for (const [n, path] of paths.entries()) expect(await readFile(path, 'utf8')).toBe(contents(keys[n] ?? ''));
          });
        }
      }),
    ),
  );
  expect(source.fetched.length).toBeGreaterThan(15);
});

test('a fetch that fails leaves nothing, fails for all who waited, and is made again', async () => {
  const [cache, source] = [open(), new Source()];
  const failing = async (path: string): Promise<void> => {
    await writeFile(path, 'half');
    throw new RangeError('cut');
  };
  const results = await Promise.allSettled([cache.file('a', failing), cache.file('a', failing)]);
  expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  expect(await readFile(await cache.file('a', source.fetch('a')), 'utf8')).toBe(contents('a'));
});

test('a file that was made here is in the cache without being fetched; what is forgotten is fetched anew', async () => {
  const [cache, source] = [open(), new Source()];
  const file = await cache.temp();
  await writeFile(file, contents('made'));
  await cache.adopt('made', file);
  await rm(file);
  expect(await readFile(await cache.file('made', source.fetch('made')), 'utf8')).toBe(contents('made'));
  expect(source.fetched).toEqual([]);
  await cache.forget('made');
  await open().file('made', source.fetch('made'));
  expect(source.fetched).toEqual(['made']);
});

const HALF_A_FILE = `
  import { writeFile } from 'node:fs/promises';
  import { systemClock } from './core/clock.js';
  import { systemRandom } from './core/random.js';
  import { FileCache } from './tables/store/cache/file-cache.js';
  const cache = new FileCache({ folder: process.argv[1], bytes: 1e9 }, { clock: systemClock, random: systemRandom });
  await cache.file('whole', (path) => writeFile(path, 'whole'));
  await cache.file('half', async (path) => {
    await writeFile(path, 'ha');
    console.log('half way');
    await new Promise((resolve) => setTimeout(resolve, 60_000));
  });
`;

test('a process that is killed while it fetches leaves no half file, and what it used is cleared away', async () => {
  const library = await compiled(['core', 'tables/store']);
  const child = spawn(process.execPath, ['--input-type=module', '-e', HALF_A_FILE, '--', folder], {
    cwd: library,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await new Promise((resolve) => child.stdout.once('data', resolve));
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await gone;
  try {
    const [cache, source] = [open(), new Source()];
    expect(await readdir(join(folder, 'in-use'))).toHaveLength(1);
    expect(await readFile(await cache.file('half', source.fetch('half')), 'utf8')).toBe(contents('half'));
    expect(await readFile(await cache.file('whole', source.fetch('whole')), 'utf8')).toBe('whole');
    expect(source.fetched).toEqual(['half']);
    await cache.close();
    expect(await readdir(join(folder, 'in-use'))).toEqual([]);
  } finally {
    await rm(library, { recursive: true, force: true });
  }
});

test('what processes use that cannot be seen from here is left to them for a day', async () => {
  const theirs = join(folder, 'in-use', 'another-host@1@0f8fad5b-d9cb-469f-a165-70867728950e');
  await mkdir(theirs, { recursive: true });
  await writeFile(join(theirs, '0.parquet'), 'theirs');
  const clock = new ManualClock(Date.now());
  const fill = async (key: string): Promise<void> => {
    const cache = open(BYTES, clock);
    await FileLease.during(() => cache.file(key, new Source().fetch(key)));
    await cache.close();
  };
  await fill('today');
  expect(await readFile(join(theirs, '0.parquet'), 'utf8')).toBe('theirs');
  clock.advance(25 * 3_600_000);
  await fill('tomorrow');
  await expect(stat(theirs)).rejects.toMatchObject({ code: 'ENOENT' });
});

test('a cache that cannot be made is one clear error', async () => {
  await writeFile(join(folder, 'in-use'), 'in the way');
  await expect(open().file('a', new Source().fetch('a'))).rejects.toMatchObject({
    code: 'STORAGE_FAILED',
    message: expect.stringContaining(`the cache ${folder} failed: `) as string,
    advice: expect.stringContaining('storage.cache') as string,
  });
});
