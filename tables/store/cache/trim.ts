/**
 * Makes a cache smaller: the files that were used least recently go first.
 *
 * Promise: a file that a process uses (it has another name there) is left alone, since its space would not come free.
 */
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { atOnce } from '../../../core/at-once.ts';

const AT_ONCE = 32;

interface Cached {
  readonly path: string;
  readonly bytes: number;
  readonly usedMs: number;
  readonly isFree: boolean;
}

/** @param bytesMost the size of all files afterwards, as far as those in use allow */
export async function trim(folder: string, bytesMost: number): Promise<void> {
  const files = await filesOf(folder);
  let bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  const free = files.filter(({ isFree }) => isFree).sort((a, b) => a.usedMs - b.usedMs);
  for (const file of free) {
    if (bytes <= bytesMost) return;
    await rm(file.path, { force: true });
    bytes -= file.bytes;
  }
}

async function filesOf(folder: string): Promise<Cached[]> {
  const paths: string[] = [];
  for (const part of await readdir(folder).catch(() => [])) {
    for (const name of await readdir(join(folder, part)).catch(() => [])) paths.push(join(folder, part, name));
  }
  const found = await atOnce(paths, AT_ONCE, async (path): Promise<Cached[]> => {
    const file = await stat(path).catch(() => undefined);
    // Another process may have removed it meanwhile.
    if (file === undefined) return [];
    return [{ path, bytes: file.size, usedMs: file.mtimeMs, isFree: file.nlink === 1 }];
  });
  return found.flat();
}
