/**
 * The object store on a local disk (or a mounted volume that knows hard links).
 *
 * Promise: put-if-absent is a temp file, fsync, `link()`, fsync of the folder, since `rename` would overwrite the winner.
 * Temp files have names of their own that are never listed; a write that fails leaves none behind. A data file is synced while its
 * log entry is prepared: the disk then waits twice for a commit, not four times.
 */
import { readFile, stat } from 'node:fs';
import { constants, type FileHandle } from 'node:fs/promises';
import * as fs from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { messageOf, SluiceError, systemCodeOf } from '../../core/errors.ts';
import { systemRandom, type Random } from '../../core/random.ts';
import { diskFault } from './disk-fault.ts';
import { checkPath, compareUtf8, missing } from './object-store.ts';
import { addUnsynced, forgetUnsynced, untilSynced } from './unsynced.ts';
import type { ByteRange, ObjectMeta, ObjectStore, PutMode, PutResult } from './object-store.ts';

const TEMP = /^\.[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}\.tmp$/;
/** How many files are looked at at once. */
const STATS_AT_ONCE = 64;
/** Of the thousand small entries of a log, these take half the time of their namesakes in `node:fs/promises`. */
const readWhole = promisify(readFile);
const look = promisify(stat);

export class LocalStore implements ObjectStore {
  readonly location: string;
  readonly elsewhere: ((location: string) => ObjectStore) | undefined;
  readonly #random: Random;

  /** @param elsewhere opens the stores that absolute paths lead to */
  constructor(folder: string, random: Random = systemRandom, elsewhere?: (location: string) => ObjectStore) {
    this.location = resolve(folder);
    this.#random = random;
    this.elsewhere = elsewhere;
  }

  async get(path: string, range?: ByteRange): Promise<Uint8Array> {
    const file = this.#full(path);
    try {
      if (range === undefined) return await readWhole(file);
      const handle = await fs.open(file, 'r');
      try {
        const bytes = Buffer.alloc(Math.max(0, range.end - range.start));
        const { bytesRead } = await handle.read(bytes, 0, bytes.length, range.start);
        return bytes.subarray(0, bytesRead);
      } finally {
        await handle.close();
      }
    } catch (error) {
      throw this.#explain('read', path, error);
    }
  }

  async put(path: string, bytes: Uint8Array, mode: PutMode): Promise<PutResult> {
    const file = this.#full(path);
    const temp = this.#temp(file);
    try {
      await this.#writeTemp(temp, bytes);
      try {
        if (mode === 'replace') await fs.rename(temp, file);
        else {
          await untilSynced(this.location);
          if (!(await linkNew(temp, file))) return 'exists';
        }
      } finally {
        if (mode === 'create') await fs.unlink(temp);
      }
      await syncFolder(dirname(file));
      return 'written';
    } catch (error) {
      await removeQuietly(temp);
      throw this.#explain('write', path, error);
    }
  }

  async *list(prefix: string, after?: string): AsyncIterable<ObjectMeta> {
    const slash = prefix.lastIndexOf('/');
    const paths: string[] = [];
    await this.#collect(slash < 0 ? '' : prefix.slice(0, slash), prefix, after, paths);
    paths.sort(compareUtf8);
    for (let i = 0; i < paths.length; i += STATS_AT_ONCE) {
      const metas = await Promise.all(paths.slice(i, i + STATS_AT_ONCE).map((path) => this.head(path)));
      for (const meta of metas) if (meta !== undefined) yield meta;
    }
  }

  async delete(path: string): Promise<void> {
    forgetUnsynced(this.location, path);
    try {
      await fs.rm(this.#full(path), { force: true });
    } catch (error) {
      if (isAbsent(error)) return;
      throw this.#explain('delete', path, error);
    }
  }

  async head(path: string): Promise<ObjectMeta | undefined> {
    try {
      const found = await look(this.#full(path));
      return found.isFile() ? { path, bytes: found.size, modifiedMs: Math.floor(found.mtimeMs) } : undefined;
    } catch (error) {
      if (isAbsent(error)) return undefined;
      throw this.#explain('read', path, error);
    }
  }

  localFile(path: string): Promise<string> {
    return Promise.resolve(this.#full(path));
  }

  async putFile<T>(
    path: string,
    write: (localPath: string) => Promise<T>,
    durable: 'now' | 'later' = 'now',
  ): Promise<T> {
    const file = this.#full(path);
    const temp = this.#temp(file);
    try {
      await this.#makeFolder(dirname(file));
      const result = await write(temp);
      if (durable === 'now') await syncFile(temp);
      await fs.rename(temp, file);
      if (durable === 'now') await syncFolder(dirname(file));
      else addUnsynced(this.location, path, this.#sync(path));
      return result;
    } catch (error) {
      await removeQuietly(temp);
      throw this.#explain('write', path, error);
    }
  }

  async folders(path: string): Promise<string[]> {
    const folder = path === '' ? this.location : this.#full(path);
    try {
      const names: string[] = [];
      for (const entry of await fs.readdir(folder, { withFileTypes: true })) {
        const isLink = entry.isSymbolicLink() && (await isDirectory(join(folder, entry.name)));
        if (entry.isDirectory() || isLink) names.push(entry.name);
      }
      return names.sort(compareUtf8);
    } catch (error) {
      if (isAbsent(error)) return [];
      throw this.#explain('list', path, error);
    }
  }

  isFolder(path: string): Promise<boolean> {
    return isDirectory(this.#full(path));
  }

  async #sync(path: string): Promise<void> {
    const file = this.#full(path);
    try {
      await Promise.all([syncFile(file), syncFolder(dirname(file))]);
    } catch (error) {
      throw this.#explain('write', path, error);
    }
  }

  #full(path: string): string {
    return join(this.location, checkPath(path));
  }

  #temp(file: string): string {
    return join(dirname(file), `.${this.#random.uuid()}.tmp`);
  }

  async #writeTemp(temp: string, bytes: Uint8Array): Promise<void> {
    const open = (): Promise<FileHandle> =>
      fs.open(temp, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o644);
    let handle: FileHandle;
    try {
      handle = await open();
    } catch (error) {
      if (systemCodeOf(error) !== 'ENOENT') throw error;
      await this.#makeFolder(dirname(temp));
      handle = await open();
    }
    try {
      await handle.writeFile(bytes);
      await handle.datasync();
    } finally {
      await handle.close();
    }
  }

  /** Makes a folder and its parents durable: a new folder is an entry of the one above it. */
  async #makeFolder(folder: string): Promise<void> {
    const first = await fs.mkdir(folder, { recursive: true });
    if (first === undefined) return;
    for (let at = folder; at.length >= first.length; at = dirname(at)) await syncFolder(dirname(at));
  }

  async #collect(folder: string, prefix: string, after: string | undefined, into: string[]): Promise<void> {
    let entries;
    try {
      entries = await fs.readdir(join(this.location, folder), { withFileTypes: true });
    } catch (error) {
      if (isAbsent(error)) return;
      throw this.#explain('list', folder, error);
    }
    for (const entry of entries) {
      if (TEMP.test(entry.name)) continue;
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
      if (entry.isDirectory()) {
        if (`${path}/`.startsWith(prefix) || prefix.startsWith(`${path}/`))
          await this.#collect(path, prefix, after, into);
      } else if (path.startsWith(prefix) && (after === undefined || compareUtf8(path, after) > 0)) {
        into.push(path);
      }
    }
  }

  #explain(verb: string, path: string, error: unknown): SluiceError {
    if (error instanceof SluiceError) return error;
    if (verb === 'read' && isAbsent(error)) return missing(this.location, path, error);
    const known = diskFault(error);
    const file = `${this.location}/${path}`;
    const { code, advice } = known ?? { code: 'STORAGE_FAILED' as const, advice: 'Look at the disk and try again.' };
    return new SluiceError(code, `cannot ${verb} ${file}: ${messageOf(error)}`, {
      advice,
      facts: { file, path },
      cause: error,
    });
  }
}

async function linkNew(temp: string, file: string): Promise<boolean> {
  try {
    await fs.link(temp, file);
    return true;
  } catch (error) {
    if (systemCodeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

async function sync(path: string, flags: 'r' | 'r+'): Promise<void> {
  const handle = await fs.open(path, flags);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

const syncFile = (file: string): Promise<void> => sync(file, 'r+');
const syncFolder = (folder: string): Promise<void> => sync(folder, 'r');

async function isDirectory(path: string): Promise<boolean> {
  return (await fs.stat(path).catch(() => undefined))?.isDirectory() ?? false;
}

/** The first error is the one to report: a failing clean-up must not hide it. */
async function removeQuietly(file: string): Promise<void> {
  await fs.rm(file, { force: true }).catch(() => undefined);
}

function isAbsent(error: unknown): boolean {
  const code = systemCodeOf(error);
  return code === 'ENOENT' || code === 'ENOTDIR';
}
