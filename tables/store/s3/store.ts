/**
 * The object store on S3 and what speaks its language (MinIO, R2, Ceph): one prefix of a bucket.
 *
 * Promise: the contract of every store. Put-if-absent is the service's own (`If-None-Match: *`); when the reply to such a
 * write was lost and the next attempt is told that the object exists, the object is asked whose it is: each write leaves an
 * id of its own in the metadata. DuckDB reads objects from the cache of this machine.
 */
import { rm } from 'node:fs/promises';
import { messageOf, SluiceError } from '../../../core/errors.ts';
import { diskFault } from '../disk-fault.ts';
import { checkPath, compareUtf8, missing } from '../object-store.ts';
import type { ByteRange, ObjectMeta, ObjectStore, PutMode, PutResult } from '../object-store.ts';
import type { S3Access, S3Request } from './access.ts';
import { bytesOf, toFile } from './body.ts';
import { DISK_ADVICE, faultOf, isAbsent, mayHaveHappened } from './faults.ts';
import { s3Location, s3Uri, type S3Location } from './settings.ts';
import { upload } from './upload.ts';

/** Names of files that no other file will ever have: with such a name the bytes are known, without it they may be others. */
const UNIQUE_NAME = /[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}[^/]*$/i;

export class S3Store implements ObjectStore {
  readonly location: string;
  readonly elsewhere: (location: string) => ObjectStore;
  readonly #access: S3Access;
  readonly #bucket: string;
  readonly #prefix: string;

  /**
   * @param elsewhere opens the stores that absolute paths lead to
   * @throws SluiceError `CONFIG_INVALID`
   */
  constructor(location: string, access: S3Access, elsewhere: (location: string) => ObjectStore) {
    const place: S3Location = s3Location(location);
    this.location = s3Uri(place);
    this.elsewhere = elsewhere;
    this.#access = access;
    this.#bucket = place.bucket;
    this.#prefix = place.prefix;
  }

  async get(path: string, range?: ByteRange): Promise<Uint8Array> {
    const key = this.#key(path);
    if (range !== undefined && range.end <= range.start) {
      if ((await this.head(path)) === undefined) throw missing(this.location, path);
      return new Uint8Array();
    }
    return this.#send('read', path, async (requests) => {
      try {
        return await bytesOf(await requests.get(this.#bucket, key, { range }));
      } catch (error) {
        const fault = faultOf(error);
        if (isAbsent(fault)) throw missing(this.location, path, error);
        // The range begins after the end of the object.
        if (range !== undefined && fault.status === 416) return new Uint8Array();
        throw error;
      }
    });
  }

  async put(path: string, bytes: Uint8Array, mode: PutMode): Promise<PutResult> {
    const key = this.#key(path);
    const body = bytes.slice();
    const writeId = this.#access.random.uuid();
    const ifAbsent = mode === 'create';
    return this.#send('write', path, async (requests, before) => {
      try {
        await requests.put(this.#bucket, key, body, { writeId, ifAbsent });
        return 'written';
      } catch (error) {
        if (!ifAbsent || faultOf(error).status !== 412) throw error;
        if (!before.some(mayHaveHappened)) return 'exists';
      }
      const found = await requests.head(this.#bucket, key);
      if (found.writeId === writeId) return 'written';
      if (found.writeId !== undefined) return 'exists';
      throw new SluiceError('STORAGE_FAILED', `it is not known who wrote ${this.#place(path)}: a reply was lost`, {
        advice: 'Read it to see.',
        facts: { file: this.#place(path), path },
      });
    });
  }

  async *list(prefix: string, after?: string): AsyncIterable<ObjectMeta> {
    const full = this.#prefix + prefix;
    const start = after === undefined ? undefined : this.#prefix + after;
    let token: string | undefined;
    let last: string | undefined;
    do {
      const page = await this.#send('list', prefix, (requests) =>
        requests.list(this.#bucket, full, { after: token === undefined ? start : undefined, token }),
      );
      for (const { key, bytes, modifiedMs } of page.objects) {
        const path = key.slice(this.#prefix.length);
        if (last !== undefined && compareUtf8(path, last) <= 0) throw this.#unordered(last, path);
        last = path;
        // Other programs make objects that stand for folders; a store has none.
        if (isPath(path)) yield { path, bytes, modifiedMs };
      }
      token = page.next;
    } while (token !== undefined);
  }

  async delete(path: string): Promise<void> {
    const key = this.#key(path);
    await this.#send('delete', path, async (requests) => {
      try {
        await requests.delete(this.#bucket, key);
      } catch (error) {
        if (!isAbsent(faultOf(error))) throw error;
      }
    });
    if (UNIQUE_NAME.test(path)) await this.#access.cache.forget(this.#cacheKey(path));
  }

  async head(path: string): Promise<ObjectMeta | undefined> {
    const found = await this.#head(path);
    return found && { path, bytes: found.bytes, modifiedMs: found.modifiedMs };
  }

  async localFile(path: string): Promise<string> {
    const key = this.#key(path);
    let etag: string | undefined;
    if (!UNIQUE_NAME.test(path)) {
      const found = await this.#head(path);
      if (found === undefined) throw missing(this.location, path);
      etag = found.etag;
    }
    return this.#access.cache.file(this.#cacheKey(path, etag), (file) =>
      this.#send('read', path, async (requests) => {
        try {
          await toFile(await requests.get(this.#bucket, key, { ifMatch: etag }), file);
        } catch (error) {
          throw isAbsent(faultOf(error)) ? missing(this.location, path, error) : error;
        }
      }),
    );
  }

  async putFile<T>(path: string, write: (localPath: string) => Promise<T>): Promise<T> {
    const key = this.#key(path);
    const place = this.#place(path);
    const file = await this.#access.cache.temp();
    try {
      const result = await write(file);
      await upload(this.#access, { bucket: this.#bucket, key, place }, file);
      if (UNIQUE_NAME.test(path)) await this.#access.cache.adopt(this.#cacheKey(path), file);
      return result;
    } catch (error) {
      const known = diskFault(error);
      if (known === undefined) throw error;
      throw new SluiceError(known.code, `cannot write ${place}: ${messageOf(error)}`, {
        advice: DISK_ADVICE,
        facts: { file: place, path },
        cause: error,
      });
    } finally {
      await rm(file, { force: true });
    }
  }

  async folders(path: string): Promise<string[]> {
    const prefix = path === '' ? this.#prefix : `${this.#key(path)}/`;
    const names: string[] = [];
    let token: string | undefined;
    do {
      const page = await this.#send('list', path, (requests) =>
        requests.list(this.#bucket, prefix, { delimiter: '/', token }),
      );
      names.push(...page.folders.map((folder) => folder.slice(prefix.length, -1)));
      token = page.next;
    } while (token !== undefined);
    return names.filter(isPath);
  }

  async isFolder(path: string): Promise<boolean> {
    const prefix = `${this.#key(path)}/`;
    const page = await this.#send('list', path, (requests) => requests.list(this.#bucket, prefix, { most: 1 }));
    return page.objects.length > 0;
  }

  async #head(path: string): Promise<{ bytes: number; modifiedMs: number; etag: string } | undefined> {
    const key = this.#key(path);
    return this.#send('read', path, async (requests) => {
      try {
        return await requests.head(this.#bucket, key);
      } catch (error) {
        if (isAbsent(faultOf(error))) return undefined;
        throw error;
      }
    });
  }

  #send<T>(what: string, path: string, request: S3Request<T>): Promise<T> {
    return this.#access.send(what, this.#place(path), request);
  }

  #key(path: string): string {
    return this.#prefix + checkPath(path);
  }

  #place(path: string): string {
    return s3Uri({ bucket: this.#bucket, prefix: this.#prefix }, path);
  }

  #cacheKey(path: string, etag = ''): string {
    return `${this.#access.service}\n${this.#bucket}\n${this.#prefix}${path}\n${etag}`;
  }

  #unordered(last: string, path: string): SluiceError {
    return new SluiceError('STORAGE_FAILED', `${this.location} lists ${path} after ${last}: not in order`, {
      advice: 'A Delta table needs a bucket that lists its keys in order: no directory bucket (S3 Express).',
      facts: { table: this.location, path },
    });
  }
}

function isPath(path: string): boolean {
  return path !== '' && !path.includes('\0') && path.split('/').every((part) => !['', '.', '..'].includes(part));
}
