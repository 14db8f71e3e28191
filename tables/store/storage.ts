/**
 * From what a user writes as a table's location to the store that serves it, with what stores share: connections, the cache.
 *
 * Promise: nothing is opened, made or loaded before it is needed.
 */
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { systemClock, type Clock } from '../../core/clock.ts';
import { messageOf, SluiceError } from '../../core/errors.ts';
import { systemRandom, type Random } from '../../core/random.ts';
import { FileCache, type CacheSettings } from './cache/file-cache.ts';
import { LocalStore } from './local.ts';
import { schemeOf } from './location.ts';
import type { ObjectStore } from './object-store.ts';
import { S3Access } from './s3/access.ts';
import { isS3, type S3Settings } from './s3/settings.ts';
import { S3Store } from './s3/store.ts';

export interface StorageSettings {
  readonly s3?: S3Settings;
  /** Where objects of S3 lie on this machine. @default `~/.cache/sluice`, 10 GiB */
  readonly cache?: Partial<CacheSettings>;
}

interface StorageParts {
  readonly clock: Clock;
  readonly random: Random;
}

const CACHE_BYTES = 10 * 2 ** 30;

export class Storage {
  readonly #settings: StorageSettings;
  readonly #parts: StorageParts;
  #s3: { readonly access: S3Access; readonly cache: FileCache } | undefined;

  constructor(settings: StorageSettings = {}, parts: StorageParts = { clock: systemClock, random: systemRandom }) {
    this.#settings = settings;
    this.#parts = parts;
  }

  /**
   * The store rooted at a table's folder: a path, a `file://` URI, or `s3://bucket/path`.
   * @throws SluiceError `CONFIG_INVALID` for a scheme that sluice has no store for.
   * @example storage.open('s3://lake/silver/orders')
   */
  open(location: string): ObjectStore {
    const elsewhere = (other: string): ObjectStore => this.open(other);
    const scheme = schemeOf(location);
    if (scheme === undefined) {
      if (location !== '') return new LocalStore(location, this.#parts.random, elsewhere);
      throw new SluiceError('CONFIG_INVALID', 'the location of a table is empty', { advice: 'Name a folder.' });
    }
    if (scheme === 'file') return new LocalStore(pathOf(location), this.#parts.random, elsewhere);
    if (isS3(location)) return new S3Store(location, this.#access(), elsewhere);
    throw new SluiceError('CONFIG_INVALID', `no object store for ${scheme}:// in this version: ${location}`, {
      advice: 'Keep the lake on a local or mounted disk (a path, or a file:// URI), or on S3 (s3://bucket/path).',
      facts: { location, scheme },
    });
  }

  /** Ends connections, and lets go of the files of the cache: nothing may read any more. */
  async close(): Promise<void> {
    const s3 = this.#s3;
    this.#s3 = undefined;
    await s3?.access.close();
    await s3?.cache.close();
  }

  #access(): S3Access {
    if (this.#s3 === undefined) {
      const { folder = join(homedir(), '.cache', 'sluice'), bytes = CACHE_BYTES } = this.#settings.cache ?? {};
      const cache = new FileCache({ folder, bytes }, this.#parts);
      this.#s3 = { cache, access: new S3Access(this.#settings.s3 ?? {}, { ...this.#parts, cache }) };
    }
    return this.#s3.access;
  }
}

function pathOf(uri: string): string {
  try {
    return fileURLToPath(uri);
  } catch (error) {
    throw new SluiceError('CONFIG_INVALID', `not a file on this machine: ${uri} (${messageOf(error)})`, {
      advice: 'Write three slashes: file:///path/to/table.',
      facts: { location: uri },
      cause: error,
    });
  }
}
