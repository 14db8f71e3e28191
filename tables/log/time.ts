/**
 * When each version was committed, and which one was the table at a moment.
 *
 * Promise: later versions have later times, as Spark and Delta count them: the entry's modification time, or a millisecond
 * after the version before where that is not later; `inCommitTimestamp` where the table keeps it.
 * Source: Delta protocol, "In-Commit Timestamps"; delta.io, "Query an older snapshot of a table (time travel)".
 */
import { SluiceError } from '../../core/errors.ts';
import type { ObjectStore } from '../store/object-store.ts';
import { readEntries } from './entry.ts';
import { oldestVersion, type LogCommit, type LogListing } from './listing.ts';
import { isOn } from './properties.ts';
import type { LogEntry, LogState } from './replay.ts';

/** The same commits with times that only grow. */
export function monotonic<T extends { readonly timestampMs: number }>(commits: readonly T[]): T[] {
  let last = -Infinity;
  return commits.map((commit) => {
    last = Math.max(commit.timestampMs, last + 1);
    return last === commit.timestampMs ? commit : { ...commit, timestampMs: last };
  });
}

/** The time that a commit gives itself, in tables that keep such times. */
export function inCommitMs(entry: LogEntry | undefined): number | undefined {
  for (const action of entry?.actions ?? []) {
    const ms = action.kind === 'commitInfo' ? action.commitInfo['inCommitTimestamp'] : undefined;
    if (typeof ms === 'number') return ms;
  }
  return undefined;
}

/**
 * The version that was the table's newest at a moment.
 * @throws SluiceError `VERSION_NOT_FOUND` when the moment lies before the first version that is there, or after the last.
 */
export async function versionAt(
  store: ObjectStore,
  listing: LogListing,
  newest: Pick<LogState, 'metadata'>,
  moment: Date,
): Promise<bigint> {
  const table = store.location;
  const oldest = oldestVersion(listing) ?? 0n;
  const commits = await commitTimes(
    store,
    listing.commits.filter((commit) => commit.version >= oldest),
    newest,
  );
  const found = commits.findLast((commit) => commit.timestampMs <= moment.getTime());
  const [first, last] = [commits[0], commits.at(-1)];
  if (found !== undefined && found !== last) return found.version;
  if (found !== undefined && found.timestampMs === moment.getTime()) return found.version;
  const shown = (commit: { version: bigint; timestampMs: number } | undefined): string =>
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
): Promise<{ version: bigint; timestampMs: number }[]> {
  const byFile = monotonic(commits.map(({ version, modifiedMs }) => ({ version, timestampMs: modifiedMs })));
  if (!isOn(configuration, 'delta.enableInCommitTimestamps')) return byFile;
  const times: { version: bigint; timestampMs: number }[] = [];
  for await (const entries of readEntries(store, commits)) {
    for (const entry of entries) {
      const { version, timestampMs } = byFile[times.length] ?? { version: 0n, timestampMs: 0 };
      times.push({ version, timestampMs: inCommitMs(entry) ?? timestampMs });
    }
  }
  return monotonic(times);
}
