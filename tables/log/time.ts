/**
 * When each version was committed, and which one was the table at a moment.
 *
 * Promise: later versions have later times, as Spark and Delta count them: the entry's modification time, or a millisecond
 * after the version before where that is not later; `inCommitTimestamp` from the version on since which the table keeps it.
 * Source: Delta protocol, "In-Commit Timestamps"; delta.io, "Query an older snapshot of a table (time travel)".
 */
import { SluiceError } from '../../core/errors.ts';
import type { ObjectStore } from '../store/object-store.ts';
import { readEntries, readEntry } from './entry.ts';
import { inCommitMs, inCommitSince } from './in-commit.ts';
import { oldestVersion, type LogCommit, type LogListing } from './listing.ts';
import type { Properties } from './properties.ts';
import type { LogState } from './replay.ts';

/** The same commits with times that only grow. */
export function monotonic<T extends { readonly timestampMs: number }>(commits: readonly T[]): T[] {
  let last = -Infinity;
  return commits.map((commit) => {
    last = Math.max(commit.timestampMs, last + 1);
    return last === commit.timestampMs ? commit : { ...commit, timestampMs: last };
  });
}

export interface TimedCommit {
  readonly version: bigint;
  readonly timestampMs: number;
}

/**
 * The newest of some commits, oldest first, that was made at a moment or before. Of those that give themselves a time only a few are read.
 */
export async function newestUpTo(
  store: ObjectStore,
  commits: readonly LogCommit[],
  configuration: Properties,
  momentMs: number,
): Promise<TimedCommit | undefined> {
  const since = inCommitSince(configuration);
  if (since === undefined || momentMs < since.timestampMs) {
    const before = commits.filter(({ version }) => since === undefined || version < since.version);
    return timesByFile(before).findLast(({ timestampMs }) => timestampMs <= momentMs);
  }
  const after = commits.filter(({ version }) => version >= since.version);
  let found: TimedCommit | undefined;
  let [low, high] = [0, after.length];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const commit = await inCommitTime(store, after[middle]);
    if (commit !== undefined && commit.timestampMs <= momentMs) {
      found = commit;
      low = middle + 1;
    } else high = middle;
  }
  return found;
}

/** The time of one commit that may give itself one. */
export async function inCommitTime(
  store: ObjectStore,
  commit: LogCommit | undefined,
): Promise<TimedCommit | undefined> {
  if (commit === undefined) return undefined;
  const { version, modifiedMs } = commit;
  return { version, timestampMs: inCommitMs(await readEntry(store, version, modifiedMs)) ?? modifiedMs };
}

export function timesByFile(commits: readonly LogCommit[]): TimedCommit[] {
  return monotonic(commits.map(({ version, modifiedMs }) => ({ version, timestampMs: modifiedMs })));
}

/**
 * The version that was the table's newest at a moment.
 * @throws SluiceError `VERSION_NOT_FOUND` when the moment lies before the first version that is there, or after the last.
 */
export async function versionAt(
  store: ObjectStore,
  listing: LogListing,
  { metadata }: Pick<LogState, 'metadata'>,
  moment: Date,
): Promise<bigint> {
  const table = store.location;
  const oldest = oldestVersion(listing) ?? 0n;
  const commits = listing.commits.filter((commit) => commit.version >= oldest);
  const found = await newestUpTo(store, commits, metadata.configuration, moment.getTime());
  const isLast = found !== undefined && found.version === commits.at(-1)?.version;
  if (found !== undefined && (!isLast || found.timestampMs === moment.getTime())) return found.version;
  const ends = [...new Set([commits[0], commits.at(-1)])].flatMap((commit) => commit ?? []);
  const times = await commitTimes(store, ends, { metadata });
  const [first, last] = [times[0], times.at(-1)];
  const shown = (commit: TimedCommit | undefined): string =>
    commit === undefined ? 'none' : `${new Date(commit.timestampMs).toISOString()} (version ${String(commit.version)})`;
  const side = found === undefined ? 'before its first version' : 'after its last version';
  throw new SluiceError(
    'VERSION_NOT_FOUND',
    `${table}: ${moment.toISOString()} lies ${side}: it has ${shown(first)} to ${shown(last)}`,
    {
      advice: 'Name a time between those two, or a version.',
      facts: { table, timestamp: moment.toISOString(), oldest: first?.version, newest: last?.version },
    },
  );
}

/**
 * The first version from a moment on.
 * @throws SluiceError `VERSION_NOT_FOUND` when nothing was committed since
 */
export async function firstVersionFrom(
  store: ObjectStore,
  listing: LogListing,
  newest: Pick<LogState, 'metadata'>,
  moment: Date,
): Promise<bigint> {
  const oldest = oldestVersion(listing) ?? 0n;
  const commits = listing.commits.filter(({ version }) => version >= oldest);
  const times = await commitTimes(store, commits, newest);
  const found = times.find(({ timestampMs }) => timestampMs >= moment.getTime());
  if (found !== undefined) return found.version;
  const [table, last] = [store.location, times.at(-1)];
  const shown =
    last === undefined
      ? ''
      : `: the last was at ${new Date(last.timestampMs).toISOString()} (version ${String(last.version)})`;
  throw new SluiceError('VERSION_NOT_FOUND', `${table}: nothing was committed since ${moment.toISOString()}${shown}`, {
    advice: 'Name an earlier time, or a version.',
    facts: { table, timestamp: moment.toISOString(), newest: last?.version },
  });
}

/** When each of the commits was made. */
export async function commitTimes(
  store: ObjectStore,
  commits: readonly LogCommit[],
  { metadata: { configuration } }: Pick<LogState, 'metadata'>,
): Promise<TimedCommit[]> {
  const since = inCommitSince(configuration);
  if (since === undefined) return timesByFile(commits);
  const after = commits.filter(({ version }) => version >= since.version);
  const times: TimedCommit[] = [];
  for await (const entries of readEntries(store, after)) {
    for (const entry of entries) {
      const { version, modifiedMs } = after[times.length] ?? { version: 0n, modifiedMs: 0 };
      times.push({ version, timestampMs: inCommitMs(entry) ?? modifiedMs });
    }
  }
  return [...timesByFile(commits.filter(({ version }) => version < since.version)), ...monotonic(times)];
}
