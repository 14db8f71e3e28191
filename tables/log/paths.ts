/** Names of files in `_delta_log`. Source: Delta protocol, "Delta Log Entries", "Checkpoint Naming Scheme". */
export const LOG = '_delta_log/';
export const LAST_CHECKPOINT = `${LOG}_last_checkpoint`;

/** @example commitPath(7n) // '_delta_log/00000000000000000007.json' */
export function commitPath(version: bigint): string {
  return `${LOG}${padded(version)}.json`;
}

export function checkpointPath(version: bigint): string {
  return `${LOG}${padded(version)}.checkpoint.parquet`;
}

/** Where a checkpoint keeps the files of a table, when it does so in files of their own. */
export const SIDECARS = `${LOG}_sidecars/`;

/** A prefix that sorts before every file of `version` and after every file of the one before. */
export function versionPrefix(version: bigint): string {
  return `${LOG}${padded(version)}`;
}

export type LogFile =
  | { readonly kind: 'commit'; readonly version: bigint }
  | { readonly kind: 'checkpoint'; readonly version: bigint; readonly part: number; readonly parts: number }
  /** A checkpoint of a name of its own; there may be several of a version. */
  | { readonly kind: 'namedCheckpoint'; readonly version: bigint };

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
  return /^[\da-f-]{36}\.(json|parquet)$/.test(rest) ? { kind: 'namedCheckpoint', version } : undefined;
}

function padded(version: bigint): string {
  return version.toString().padStart(20, '0');
}
