/**
 * What tests and benches install for themselves (Python packages, jars), kept in `.cache/` of the repository.
 *
 * Promise: a folder is built once and whole. Of several processes that want it one builds and the others wait; a build that
 * failed or was killed leaves nothing that looks finished, and its lock is taken over.
 */
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemCodeOf } from '../../core/errors.ts';

/** The repository's folder, from the sources and from `dist/` alike. */
export const REPO = findRepo(import.meta.dirname);

function findRepo(from: string): string {
  if (existsSync(join(from, 'package.json'))) return from;
  const parent = dirname(from);
  if (parent === from) throw new Error(`no package.json above ${import.meta.dirname}`);
  return findRepo(parent);
}

const READY = '.ready';
const WAIT_MS = 200;
const WAIT_MS_MAX = 20 * 60_000;

/**
 * The folder `.cache/<name>`, built by `build` unless it was built for the same `key` before.
 * @param key what the contents follow from (versions); another key builds the folder anew
 * @example await builtOnce('python', requirements, async (folder) => { … })
 */
export async function builtOnce(
  name: string,
  key: string,
  build: (folder: string) => Promise<void>,
  cache: string = join(REPO, '.cache'),
): Promise<string> {
  const folder = join(cache, name);
  const lock = `${folder}.lock`;
  await mkdir(cache, { recursive: true });
  for (let waitedMs = 0; waitedMs < WAIT_MS_MAX; waitedMs += WAIT_MS) {
    if ((await textOf(join(folder, READY))) === key) return folder;
    if (await taken(lock)) {
      try {
        if ((await textOf(join(folder, READY))) === key) return folder;
        await rm(folder, { recursive: true, force: true });
        await mkdir(folder);
        await build(folder);
        await writeFile(join(folder, READY), key);
        return folder;
      } finally {
        await rm(lock, { force: true });
      }
    }
    await sleep(WAIT_MS);
  }
  throw new Error(
    `${folder} was not built within ${String(WAIT_MS_MAX / 60_000)} minutes; remove ${lock} and try again`,
  );
}

/** Takes the lock, or clears it away when the process that held it is gone. */
async function taken(lock: string): Promise<boolean> {
  try {
    await writeFile(lock, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if (systemCodeOf(error) !== 'EEXIST') throw error;
  }
  const owner = await textOf(lock);
  if (owner !== undefined && owner !== '' && !isAlive(Number(owner))) await rm(lock, { force: true });
  return false;
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return systemCodeOf(error) === 'EPERM';
  }
}

async function textOf(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}
