/**
 * Copies on this machine of objects that never change, for DuckDB to read: of bounded size, the least recently used ones
 * leave first, shared by the processes of a machine.
 *
 * Promise: a file is there whole or not at all, also after a crash; a process that has been given a file has it under a name
 * of its own (a hard link) until it lets go, so that no other process can take it away; of several in one process that ask
 * at once one fetches. The limit can be passed by what is in use, and by a tenth for each process between two looks.
 */
import { createHash } from 'node:crypto';
import * as fs from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Clock } from '../../../core/clock.ts';
import { messageOf, SluiceError, systemCodeOf } from '../../../core/errors.ts';
import type { Random } from '../../../core/random.ts';
import { diskFault } from '../disk-fault.ts';
import { FileLease } from '../lease.ts';
import { OwnFolder, removeAbandoned } from './own-folder.ts';
import { trim } from './trim.ts';

export interface CacheSettings {
  readonly folder: string;
  /** The size of all files together. */
  readonly bytes: number;
}

interface Held {
  readonly path: Promise<string>;
  holders: number;
}

/** The cache is looked through when so large a part of it has been added. */
const LOOK_AFTER = 0.1;
const TOUCHED_ENOUGH_MS = 60_000;
const TOUCHED_MOST = 10_000;

export class FileCache {
  readonly #settings: CacheSettings;
  readonly #clock: Clock;
  readonly #own: OwnFolder;
  readonly #held = new Map<string, Held>();
  readonly #always = new FileLease();
  readonly #touchedMs = new Map<string, number>();
  #added = Infinity;
  #trimming: Promise<void> | undefined;

  constructor(settings: CacheSettings, { clock, random }: { readonly clock: Clock; readonly random: Random }) {
    this.#settings = settings;
    this.#clock = clock;
    this.#own = new OwnFolder(join(settings.folder, 'in-use'), random);
  }

  /**
   * The file of a key, fetched when it is not there.
   * @param key of what never changes: the same key always has the same bytes
   * @param fetch fills a file that does not exist yet
   * @returns a path that stays until the lease ends
   */
  async file(key: string, fetch: (path: string) => Promise<void>): Promise<string> {
    const name = nameOf(key);
    let held = this.#held.get(name);
    if (held === undefined) {
      held = { path: this.#linked(name, fetch), holders: 0 };
      this.#held.set(name, held);
    }
    const mine = held;
    mine.holders++;
    let released = false;
    const release = async (): Promise<void> => {
      if (released) return;
      released = true;
      if (--mine.holders > 0) return;
      if (this.#held.get(name) === mine) this.#held.delete(name);
      await mine.path.then((path) => fs.rm(path, { force: true })).catch(() => undefined);
    };
    try {
      const path = await mine.path;
      await (FileLease.current ?? this.#always).keep(mine, release);
      return path;
    } catch (error) {
      await release();
      throw error;
    }
  }

  /** A name for a new file; it goes away with this process, if not before. */
  async temp(): Promise<string> {
    try {
      return await this.#own.newFile();
    } catch (error) {
      throw this.#explain(error);
    }
  }

  /** Takes in a file from `temp` that has become the object of a key. What fails is no harm: it will be fetched. */
  async adopt(key: string, file: string): Promise<void> {
    try {
      await this.#addTo(nameOf(key), file);
    } catch {
      // The object is where it belongs.
    }
  }

  /** Drops what nobody will ask for again. */
  async forget(key: string): Promise<void> {
    await fs.rm(this.#fileOf(nameOf(key)), { force: true }).catch(() => undefined);
  }

  /** Lets go of all files of this process. */
  async close(): Promise<void> {
    await this.#trimming;
    await this.#always.end();
    await this.#own.remove();
  }

  async #linked(name: string, fetch: (path: string) => Promise<void>): Promise<string> {
    const link = await this.temp();
    const file = this.#fileOf(name);
    try {
      if (await linkTo(file, link)) {
        await this.#touch(name, link);
        return link;
      }
      await fetch(link);
      await this.#addTo(name, link);
      return link;
    } catch (error) {
      await fs.rm(link, { force: true }).catch(() => undefined);
      throw this.#explain(error);
    }
  }

  async #addTo(name: string, from: string): Promise<void> {
    const file = this.#fileOf(name);
    // Without it a power cut could leave a file with holes under its final name.
    const handle = await fs.open(from, 'r+');
    let bytes: number;
    try {
      await handle.datasync();
      const now = new Date(this.#clock.nowMs());
      await handle.utimes(now, now);
      bytes = (await handle.stat()).size;
    } finally {
      await handle.close();
    }
    if (!(await linkTo(from, file))) return;
    this.#added += bytes;
    if (this.#added > this.#settings.bytes * LOOK_AFTER) this.#look();
  }

  /** Says that a file was used; not each time of many, since that costs as much as finding it. */
  async #touch(name: string, link: string): Promise<void> {
    const nowMs = this.#clock.nowMs();
    if (nowMs - (this.#touchedMs.get(name) ?? -Infinity) < TOUCHED_ENOUGH_MS) return;
    if (this.#touchedMs.size >= TOUCHED_MOST) this.#touchedMs.clear();
    this.#touchedMs.set(name, nowMs);
    await fs.utimes(link, new Date(nowMs), new Date(nowMs));
  }

  #look(): void {
    if (this.#trimming !== undefined) return;
    this.#added = 0;
    this.#trimming = removeAbandoned(join(this.#settings.folder, 'in-use'), this.#clock)
      .then(() => trim(join(this.#settings.folder, 'files'), this.#settings.bytes * (1 - LOOK_AFTER)))
      .catch(() => undefined)
      .finally(() => {
        this.#trimming = undefined;
      });
  }

  #fileOf(name: string): string {
    return join(this.#settings.folder, 'files', name.slice(0, 2), name);
  }

  #explain(error: unknown): unknown {
    if (error instanceof SluiceError || systemCodeOf(error) === undefined) return error;
    const known = diskFault(error);
    const { folder } = this.#settings;
    return new SluiceError(known?.code ?? 'STORAGE_FAILED', `the cache ${folder} failed: ${messageOf(error)}`, {
      advice: 'Name another folder, or another size: storage.cache in sluice.yaml.',
      facts: { folder },
      cause: error,
    });
  }
}

/** @returns false when there is nothing to link to; a link that is there already is as good */
async function linkTo(file: string, link: string): Promise<boolean> {
  for (let tries = 0; ; tries++) {
    try {
      await fs.link(file, link);
      return true;
    } catch (error) {
      const code = systemCodeOf(error);
      if (code === 'EEXIST') return true;
      if (code !== 'ENOENT') throw error;
      if (tries > 0 || (await fs.stat(file).catch(() => undefined)) === undefined) return false;
      await fs.mkdir(dirname(link), { recursive: true });
    }
  }
}

function nameOf(key: string): string {
  return createHash('sha256').update(key).digest('hex').slice(0, 40);
}
