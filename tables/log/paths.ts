/** Names of files in `_delta_log`, and how paths are written in actions. Source: Delta protocol, "Delta Log Entries". */
import { SluiceError } from '../../core/errors.ts';

export const LOG = '_delta_log/';
export const LAST_CHECKPOINT = `${LOG}_last_checkpoint`;

/** @example commitPath(7n) // '_delta_log/00000000000000000007.json' */
export function commitPath(version: bigint): string {
  return `${LOG}${padded(version)}.json`;
}

export function checkpointPath(version: bigint): string {
  return `${LOG}${padded(version)}.checkpoint.parquet`;
}

/** A prefix that sorts before every file of `version` and after every file of the one before. */
export function versionPrefix(version: bigint): string {
  return `${LOG}${padded(version)}`;
}

export type LogFile =
  | { readonly kind: 'commit'; readonly version: bigint }
  | { readonly kind: 'checkpoint'; readonly version: bigint; readonly part: number; readonly parts: number }
  | { readonly kind: 'v2checkpoint'; readonly version: bigint };

/** What a file in the log is, or undefined for anything that the protocol lets readers ignore. */
export function logFile(path: string): LogFile | undefined {
  const match = /^_delta_log\/(\d{20})\.(json|checkpoint\.(.+))$/.exec(path);
  if (match === null) return undefined;
  const [, digits = '', what, rest = ''] = match;
  const version = BigInt(digits);
  if (what === 'json') return { kind: 'commit', version };
  if (rest === 'parquet') return { kind: 'checkpoint', version, part: 1, parts: 1 };
  const parts = /^(\d{10})\.(\d{10})\.parquet$/.exec(rest);
  if (parts !== null) return { kind: 'checkpoint', version, part: Number(parts[1]), parts: Number(parts[2]) };
  return /^[\da-f-]{36}\.(json|parquet)$/.test(rest) ? { kind: 'v2checkpoint', version } : undefined;
}

/**
 * A data file's path inside the table, from the URI-encoded path of its action.
 * @throws SluiceError `UNSUPPORTED_FEATURE` for a file outside the table's folder, `LOG_CORRUPT` for a path that is no URI
 */
export function dataPath(encoded: string, location: string): string {
  const decoded = decodeUri(encoded, location);
  if (!/^([a-z][a-z0-9+.-]*:|\/)/i.test(encoded)) return decoded;
  const absolute = decoded.replace(/^file:(\/\/)?(?=\/)/i, '');
  const folder = location.endsWith('/') ? location : `${location}/`;
  if (absolute.startsWith(folder)) return absolute.slice(folder.length);
  throw new SluiceError('UNSUPPORTED_FEATURE', `${location} refers to a file outside its folder: ${encoded}`, {
    advice: 'It is a shallow clone or was built by another tool over foreign files. Make a deep copy of the table.',
    facts: { table: location, file: encoded },
  });
}

function decodeUri(encoded: string, location: string): string {
  try {
    return decodeURIComponent(encoded);
  } catch (error) {
    throw new SluiceError('LOG_CORRUPT', `${location}: the path of a data file is not URI-encoded: ${encoded}`, {
      facts: { table: location, file: encoded },
      cause: error,
    });
  }
}

function padded(version: bigint): string {
  return version.toString().padStart(20, '0');
}
