/**
 * What lies in a table's `_delta_log`, and which of it makes a version.
 *
 * Promise: choosing is pure; a checkpoint counts only when all its parts are there; a version that cannot be made from what
 * is there is refused with what can. Source: Delta protocol, "Delta Log Entries", "Checkpoints".
 */
import { SluiceError } from '../../core/errors.ts';
import type { ObjectMeta, ObjectStore } from '../store/object-store.ts';
import { LOG, logFile, versionPrefix } from './paths.ts';

export interface LogListing {
  /** Oldest first. */
  readonly commits: readonly LogCommit[];
  /** Complete ones, oldest first; there may be several of a version. */
  readonly checkpoints: readonly LogCheckpoint[];
}

export interface LogCommit {
  readonly version: bigint;
  readonly modifiedMs: number;
}

export interface LogCheckpoint {
  readonly version: bigint;
  /** The time of the commit that it holds; its own where that entry is gone. */
  readonly modifiedMs: number;
  readonly paths: readonly string[];
}

/** A checkpoint (none: from version 0) and the commits after it that lead to a version. */
export interface LogSegment {
  readonly checkpoint: LogCheckpoint | undefined;
  readonly commits: readonly LogCommit[];
}

/** Lists the log, or only what belongs to `from` and later versions. */
export async function listLog(store: ObjectStore, from?: bigint): Promise<LogListing> {
  const metas: ObjectMeta[] = [];
  for await (const meta of store.list(LOG, from === undefined ? undefined : versionPrefix(from))) metas.push(meta);
  return listingOf(metas);
}

/** What files of a log, in the order of a store, are. */
export function listingOf(metas: readonly ObjectMeta[]): LogListing {
  const commits: LogCommit[] = [];
  const parts = new Map<string, { version: bigint; parts: number; found: ObjectMeta[] }>();
  for (const meta of metas) {
    const file = logFile(meta.path);
    if (file?.kind === 'commit') commits.push({ version: file.version, modifiedMs: meta.modifiedMs });
    if (file === undefined || file.kind === 'commit') continue;
    const key = file.kind === 'checkpoint' ? `${String(file.version)}/${String(file.parts)}` : meta.path;
    const wanted = file.kind === 'checkpoint' ? file.parts : 1;
    const group = parts.get(key) ?? { version: file.version, parts: wanted, found: [] };
    group.found.push(meta);
    parts.set(key, group);
  }
  const commitMs = new Map(commits.map((commit) => [commit.version, commit.modifiedMs]));
  const complete = [...parts.values()].filter((group) => group.found.length === group.parts);
  const checkpoints = complete.map(({ version, found }) => ({
    version,
    modifiedMs: commitMs.get(version) ?? Math.max(...found.map((meta) => meta.modifiedMs)),
    paths: found.map((meta) => meta.path),
  }));
  return { commits, checkpoints: checkpoints.sort((a, b) => Number(a.version - b.version)) };
}

/** The newest version that the log speaks of, or undefined when it is empty. */
export function newestVersion({ commits, checkpoints }: LogListing): bigint | undefined {
  const ends = [commits.at(-1)?.version, checkpoints.at(-1)?.version];
  return ends.reduce((newest, v) => (v !== undefined && (newest === undefined || v > newest) ? v : newest), undefined);
}

/** The ways to make a version, best first: from the newest checkpoint at or before it, from older ones, from version 0. */
export function* segmentsFor(listing: LogListing, version: bigint): Iterable<LogSegment> {
  const before = listing.checkpoints.filter((checkpoint) => checkpoint.version <= version);
  for (const checkpoint of [...before.reverse(), undefined]) {
    const first = checkpoint === undefined ? 0n : checkpoint.version + 1n;
    const commits = listing.commits.filter((commit) => commit.version >= first && commit.version <= version);
    const whole = commits.every((commit, i) => commit.version === first + BigInt(i));
    if (whole && BigInt(commits.length) === version - first + 1n) yield { checkpoint, commits };
  }
}

/** The oldest version that can be made, or undefined when none can. */
export function oldestVersion(listing: LogListing): bigint | undefined {
  return listing.commits[0]?.version === 0n ? 0n : listing.checkpoints[0]?.version;
}

/** Why a version cannot be made from what is there. */
export function unreachable(listing: LogListing, version: bigint, table: string): SluiceError {
  const newest = newestVersion(listing);
  const oldest = oldestVersion(listing);
  if (newest !== undefined && oldest !== undefined && (version > newest || version < oldest)) {
    return new SluiceError(
      'VERSION_NOT_FOUND',
      `${table} has no version ${String(version)}: it has ${String(oldest)} to ${String(newest)}`,
      {
        advice:
          version > newest ? 'Name one of those versions.' : 'Older ones were cleaned up. Name one of those versions.',
        facts: { table, version, oldest, newest },
      },
    );
  }
  const missing = firstMissing(listing, version);
  return new SluiceError('LOG_GAP', `${table}: the log entry of version ${String(missing)} is missing`, {
    advice: 'Restore that file of `_delta_log` from a backup: what came after it cannot be read without it.',
    facts: { table, version: missing },
  });
}

/** The newest entry that a way to `version` lacks. */
function firstMissing(listing: LogListing, version: bigint): bigint {
  const there = new Set(listing.commits.map((commit) => commit.version));
  let missing = version;
  while (there.has(missing)) missing--;
  return missing;
}
