/**
 * What a table needs from storage, and nothing more. One store is rooted at the folder of one table; paths are relative
 * to it, with `/` between their parts and no part that is empty, `.` or `..`.
 *
 * The contract (tests/contract/object-store.ts holds every implementation to it):
 * - `put(…, 'create')` is put-if-absent: of any number of writers racing for one path exactly one gets 'written', the
 *   others 'exists', and what they meant to write is nowhere to be seen.
 * - A write is durable when its promise resolves, and whole: no reader ever sees a part of it. Of a file that is put to be durable
 *   `later` this holds from the next `put(…, 'create')` to the same place on: it does not happen before.
 * - A write that rejects may have happened or not. Read back before deciding.
 * - `list` gives paths in UTF-8 byte order and sees every write that resolved before it began.
 * - `delete` is idempotent: a path that is not there counts as deleted.
 * - Failures are `SluiceError`s that name the file: STORAGE_FULL, STORAGE_READ_ONLY, STORAGE_DENIED, STORAGE_FAILED (which may
 *   pass), FILE_MISSING; CONFIG_INVALID where there can be no store.
 */
import { SluiceError } from '../../core/errors.ts';

export interface ByteRange {
  readonly start: number;
  /** The first byte that is no longer wanted. */
  readonly end: number;
}

export interface ObjectMeta {
  readonly path: string;
  readonly bytes: number;
  readonly modifiedMs: number;
}

export type PutMode = 'create' | 'replace';
export type PutResult = 'written' | 'exists';

export interface ObjectStore {
  /** Where the store is, for messages: a path or a URI. */
  readonly location: string;
  /** Opens the store of another place, with the same settings: for files that a log names by an absolute path. */
  readonly elsewhere?: ((location: string) => ObjectStore) | undefined;
  /** @throws SluiceError `FILE_MISSING` when there is no such object. */
  get(path: string, range?: ByteRange): Promise<Uint8Array>;
  /** Writes one object; 'exists' comes back in mode 'create' only. */
  put(path: string, bytes: Uint8Array, mode: PutMode): Promise<PutResult>;
  /** Objects whose path starts with `prefix` and comes after `after`, in UTF-8 byte order. A missing folder is empty. */
  list(prefix: string, after?: string): AsyncIterable<ObjectMeta>;
  delete(path: string): Promise<void>;
  /** The size and time of an object, or undefined when there is none. */
  head(path: string): Promise<ObjectMeta | undefined>;
  /** The names of the folders right below one (`''`: the root), in UTF-8 byte order. A folder that is not there has none. */
  folders(path: string): Promise<string[]>;
  /** Whether some object lies below a path. On disk an empty folder counts, too. */
  isFolder(path: string): Promise<boolean>;
  /**
   * A path on this machine that DuckDB can read. The file stays until the `FileLease` ends under which it was asked for.
   * @throws SluiceError `FILE_MISSING` where the store has to look; on disk it is DuckDB that finds nothing
   */
  localFile(path: string): Promise<string>;
  /**
   * Lets `write` fill a file on this machine, and returns its result once the object at `path` is durable.
   * @param durable later: for what nobody looks for until an object that is put with 'create' names it. After a crash there may be
   *   a part of it. @default now
   */
  putFile<T>(path: string, write: (localPath: string) => Promise<T>, durable?: 'now' | 'later'): Promise<T>;
}

/** Orders two paths as their UTF-8 bytes do (JavaScript's own order differs beyond the basic plane). */
export function compareUtf8(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const [x, y] = [a.charCodeAt(i), b.charCodeAt(i)];
    if (x !== y) return utf8Rank(x) - utf8Rank(y);
  }
  return a.length - b.length;
}

/** Surrogates stand for characters after U+FFFF, and so sort after U+E000 to U+FFFF. */
function utf8Rank(unit: number): number {
  if (unit >= 0xe000) return unit - 0x800;
  return unit >= 0xd800 ? unit + 0x2000 : unit;
}

/**
 * Refuses a path that would leave the folder of the table.
 * @throws SluiceError `STORAGE_FAILED`
 */
export function checkPath(path: string): string {
  const bad = path === '' || path.includes('\0') || path.split('/').some((part) => ['', '.', '..'].includes(part));
  if (!bad) return path;
  throw new SluiceError('STORAGE_FAILED', `not a path inside a table: ${JSON.stringify(path)}`, { facts: { path } });
}

/** The error for an object that should be there. */
export function missing(location: string, path: string, cause?: unknown): SluiceError {
  return new SluiceError('FILE_MISSING', `${location}/${path} does not exist`, {
    advice: 'Something other than the table removed it: restore the file, or read an older version of the table.',
    facts: { file: `${location}/${path}`, path },
    cause,
  });
}
