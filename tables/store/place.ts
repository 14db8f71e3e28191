/**
 * Where a file of a table lies, from the path that the log has for it.
 *
 * Promise: the path is decoded once; one that is absolute (of a shallow clone, or by another engine's habit) leads to the
 * store that it names, also outside of the table's folder. Source: Delta protocol, "Add File and Remove File", `path`.
 */
import { resolve } from 'node:path';
import { SluiceError } from '../../core/errors.ts';
import { checkPath, type ObjectStore } from './object-store.ts';
import { openStore } from './open.ts';

export interface Place {
  readonly store: ObjectStore;
  /** In that store. */
  readonly path: string;
}

/**
 * @param encoded as in the log: URI-encoded, relative to the table or absolute
 * @throws SluiceError `LOG_CORRUPT` for a path that is no URI or leaves the table's folder, `CONFIG_INVALID` for a scheme that there is no store for
 */
export function placeOf(table: ObjectStore, encoded: string): Place {
  const path = decoded(encoded, table.location);
  if (!isAbsolute(encoded)) return { store: table, path: inside(path, table.location) };
  const named = path.replace(/^file:(\/\/)?(?=\/)/i, '').replace(/^s3[an]:\/\//i, 's3://');
  const absolute = named.startsWith('/') ? resolve(named) : named;
  const folder = table.location.endsWith('/') ? table.location : `${table.location}/`;
  if (absolute.startsWith(folder)) return { store: table, path: absolute.slice(folder.length) };
  const slash = absolute.lastIndexOf('/');
  const open = table.elsewhere ?? openStore;
  return { store: open(absolute.slice(0, slash) || '/'), path: absolute.slice(slash + 1) };
}

/**
 * The path of a file as a log elsewhere can name it.
 * @param encoded as in the log: URI-encoded, relative to the table or absolute
 */
export function absolutePath({ location }: ObjectStore, encoded: string): string {
  if (isAbsolute(encoded)) return encoded;
  // One slash for files, as Spark writes them: with three it does not know them again when it deletes rows.
  const [, scheme = 'file:', path = ''] = /^([a-z][a-z0-9+.-]*:\/\/)?(.*)$/is.exec(location) ?? [];
  return `${scheme}${encodedPath(path).replace(/\/$/, '')}/${encoded}`;
}

/** A path inside a store as the log has it. @example encodedPath('day=1/a b.parquet') // 'day=1/a%20b.parquet' */
export function encodedPath(path: string): string {
  return path
    .split('/')
    .map((part) => encodeURIComponent(part).replaceAll('%3D', '='))
    .join('/');
}

/** Whether a path of the log names its place by itself. */
export function isAbsolute(encoded: string): boolean {
  return /^([a-z][a-z0-9+.-]*:|\/)/i.test(encoded);
}

function inside(path: string, location: string): string {
  try {
    return checkPath(path);
  } catch (error) {
    throw new SluiceError('LOG_CORRUPT', `${location}: the path of a data file is none inside the table: ${path}`, {
      advice: 'The log was altered after it was written: restore `_delta_log` from a backup.',
      facts: { table: location, file: path },
      cause: error,
    });
  }
}

function decoded(encoded: string, location: string): string {
  try {
    return decodeURIComponent(encoded);
  } catch (error) {
    throw new SluiceError('LOG_CORRUPT', `${location}: the path of a data file is not URI-encoded: ${encoded}`, {
      facts: { table: location, file: encoded },
      cause: error,
    });
  }
}
