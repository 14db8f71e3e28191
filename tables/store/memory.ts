/**
 * The object store of tests and simulations: the objects live in this process.
 *
 * Promise: the same contract as any other store. DuckDB reads and writes files only, so an object that it asks for is
 * spilled to a temp folder once; `close` removes that folder.
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock, type Clock } from '../../core/clock.ts';
import { checkPath, compareUtf8, missing } from './object-store.ts';
import type { ByteRange, ObjectMeta, ObjectStore, PutMode, PutResult } from './object-store.ts';

interface Entry {
  readonly bytes: Uint8Array;
  readonly modifiedMs: number;
  spilled?: string;
}

export class MemoryStore implements ObjectStore {
  readonly location: string;
  readonly #clock: Clock;
  readonly #entries = new Map<string, Entry>();
  #folder: Promise<string> | undefined;
  #files = 0;

  constructor(location = 'memory://table', clock: Clock = systemClock) {
    this.location = location;
    this.#clock = clock;
  }

  async get(path: string, range?: ByteRange): Promise<Uint8Array> {
    const { bytes } = this.#entry(path);
    await Promise.resolve();
    return range === undefined ? bytes.slice() : bytes.slice(range.start, range.end);
  }

  async put(path: string, bytes: Uint8Array, mode: PutMode): Promise<PutResult> {
    checkPath(path);
    await Promise.resolve();
    if (mode === 'create' && this.#entries.has(path)) return 'exists';
    this.#entries.set(path, { bytes: bytes.slice(), modifiedMs: this.#clock.nowMs() });
    return 'written';
  }

  async *list(prefix: string, after?: string): AsyncIterable<ObjectMeta> {
    await Promise.resolve();
    const wanted = (path: string): boolean =>
      path.startsWith(prefix) && (after === undefined || compareUtf8(path, after) > 0);
    for (const path of [...this.#entries.keys()].filter(wanted).sort(compareUtf8)) {
      const meta = await this.head(path);
      if (meta !== undefined) yield meta;
    }
  }

  async delete(path: string): Promise<void> {
    const entry = this.#entries.get(checkPath(path));
    this.#entries.delete(path);
    if (entry?.spilled !== undefined) await rm(entry.spilled, { force: true });
  }

  async head(path: string): Promise<ObjectMeta | undefined> {
    await Promise.resolve();
    const entry = this.#entries.get(checkPath(path));
    return entry === undefined ? undefined : { path, bytes: entry.bytes.length, modifiedMs: entry.modifiedMs };
  }

  async localFile(path: string): Promise<string> {
    const entry = this.#entries.get(checkPath(path));
    if (entry?.spilled !== undefined) return entry.spilled;
    const file = await this.#newFile(path);
    if (entry !== undefined) {
      await writeFile(file, entry.bytes);
      entry.spilled = file;
    }
    return file;
  }

  async putFile<T>(path: string, write: (localPath: string) => Promise<T>): Promise<T> {
    checkPath(path);
    const file = await this.#newFile(path);
    try {
      const result = await write(file);
      this.#entries.set(path, { bytes: await readFile(file), modifiedMs: this.#clock.nowMs(), spilled: file });
      return result;
    } catch (error) {
      await rm(file, { force: true });
      throw error;
    }
  }

  async folders(path: string): Promise<string[]> {
    await Promise.resolve();
    const prefix = path === '' ? '' : `${checkPath(path)}/`;
    const below = [...this.#entries.keys()]
      .filter((key) => key.startsWith(prefix))
      .map((key) => key.slice(prefix.length));
    const names = below.filter((key) => key.includes('/')).map((key) => key.slice(0, key.indexOf('/')));
    return [...new Set(names)].sort(compareUtf8);
  }

  async isFolder(path: string): Promise<boolean> {
    await Promise.resolve();
    return [...this.#entries.keys()].some((key) => key.startsWith(`${checkPath(path)}/`));
  }

  /** Removes the temp folder; the objects stay. */
  async close(): Promise<void> {
    const folder = this.#folder;
    this.#folder = undefined;
    for (const entry of this.#entries.values()) delete entry.spilled;
    if (folder !== undefined) await rm(await folder, { recursive: true, force: true });
  }

  #entry(path: string): Entry {
    const entry = this.#entries.get(checkPath(path));
    if (entry === undefined) throw missing(this.location, path);
    return entry;
  }

  async #newFile(path: string): Promise<string> {
    this.#folder ??= mkdtemp(join(tmpdir(), 'sluice-memory-'));
    return join(await this.#folder, `${String(this.#files++)}-${path.split('/').at(-1) ?? ''}`);
  }
}
