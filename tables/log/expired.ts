/**
 * Which files of a log have expired, and in which order they may go.
 *
 * Promise: pure; what stays makes every version from a checkpoint on, with the times that they had; whenever the deletions stop, what is
 * left is a log that tells clearly which versions it has. Source: Delta protocol, "Metadata Cleanup"; Delta, `BufferingLogDeletionIterator`.
 */
import type { LogCheckpoint, LogCommit, LogListing } from './listing.ts';
import { LOG } from './paths.ts';

/**
 * The checkpoints that the log may begin with, best first: those of the newest version that has expired or before it, with their own
 * entry and all after it.
 * @param hasOwnTime whether the time of a version is known without the versions before it: else it would change when they go
 */
export function* cutsOf(
  { commits, checkpoints }: LogListing,
  newest: bigint,
  hasOwnTime: (version: bigint) => boolean,
): Iterable<LogCheckpoint> {
  const first = firstOfRun(commits, newest);
  for (const checkpoint of [...checkpoints].reverse()) {
    const { version } = checkpoint;
    if (version >= first && version <= newest && hasOwnTime(version)) yield checkpoint;
  }
}

/** The oldest version from which on no entry is missing up to another. */
function firstOfRun(commits: readonly LogCommit[], last: bigint): bigint {
  const there = new Set(commits.map(({ version }) => version));
  let first = last + 1n;
  while (there.has(first - 1n)) first--;
  return first;
}

/**
 * What goes when the log is to begin with a checkpoint: files of each step may go at once, and those of the next one after them. An entry
 * goes before the checkpoint that was made of it, and each checkpoint before the entries that follow it.
 */
export function expiredFiles(paths: Iterable<string>, cut: bigint): string[][] {
  const [aids, commits, checkpoints]: [string[], Found[], Found[]] = [[], [], []];
  for (const path of paths) {
    const match = /^_delta_log\/(\d{20})\.(json|crc|checkpoint\..+|\d{20}\.compacted\.json)$/.exec(path);
    const [, digits = '', what = ''] = match ?? [];
    const version = match === null ? cut + 1n : BigInt(digits);
    if (what.endsWith('.compacted.json') ? version > cut : version >= cut) continue;
    if (what === 'json') commits.push({ version, path });
    else if (what.startsWith('checkpoint.')) checkpoints.push({ version, path });
    else aids.push(path);
  }
  const byVersion = (a: Found, b: Found): number => Number(a.version - b.version);
  // While version 0 is there, all after it counts as there.
  const others = commits.filter(({ version }) => version > 0n).sort(byVersion);
  const steps = [aids, commits.filter(({ version }) => version === 0n).map(({ path }) => path)];
  let after = 0;
  for (const version of new Set(checkpoints.sort(byVersion).map((found) => found.version))) {
    const end = others.findIndex((found) => found.version > version);
    const upTo = end < 0 ? others.length : end;
    steps.push(others.slice(after, upTo).map(({ path }) => path));
    steps.push(checkpoints.filter((found) => found.version === version).map(({ path }) => path));
    after = upTo;
  }
  steps.push(others.slice(after).map(({ path }) => path));
  return steps.filter((step) => step.length > 0);
}

interface Found {
  readonly version: bigint;
  readonly path: string;
}

/** Whether a path is that of a checkpoint, or of a part of one. */
export function isOfCheckpoint(path: string): boolean {
  return path.startsWith(LOG) && path.includes('.checkpoint.');
}
