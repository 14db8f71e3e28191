/**
 * From produced to visible: for each record the time from just before it is sent until the log entry of the commit that has
 * it appears in the table's folder.
 *
 * Promise: every record is accounted for; a run whose table never gets them all fails.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { SluiceError } from '../core/errors.ts';
import { CommitWatch } from './commit-watch.ts';
import { produceLive, type ProducedAt } from './live-orders.ts';

const LAST_COMMIT_MS_MAX = 30_000;
const LOOK_MS = 50;

/** By partition, the offset that follows the last record of a commit; undefined where the commit does not say. */
export type Ends = readonly (number | undefined)[];

export interface Following {
  readonly brokers: readonly string[];
  readonly topic: string;
  readonly table: string;
  readonly perSecond: number;
  readonly seconds: number;
  /** Records produced in the first `warmUpMs` are landed, but do not count. */
  readonly warmUpMs: number;
  /** Where a commit ends, by its log entry. */
  readonly endsOf: (commits: CommitWatch, entry: string) => Promise<Ends>;
  readonly signal: AbortSignal;
}

export interface Visibility {
  readonly latenciesMs: readonly number[];
  readonly commitsPerSecond: number;
}

/**
 * Produces to the topic while somebody follows it into the table.
 * @throws SluiceError `INTERNAL` when records are missing 30 s after the last one; the reason of `signal` when aborted.
 */
export async function measureVisibility(following: Following): Promise<Visibility> {
  const { table, seconds, warmUpMs, endsOf, signal } = following;
  const watching = CommitWatch.start(table, signal);
  watching.catch(() => undefined);
  const startMs = performance.now();
  const producedAt = await produceLive(following);
  const commits = await watching;
  try {
    const ends = new Map<string, Ends>();
    const deadlineMs = performance.now() + LAST_COMMIT_MS_MAX;
    for (;;) {
      for (const { entry } of commits.versions) if (!ends.has(entry)) ends.set(entry, await endsOf(commits, entry));
      if (landed(producedAt, [...ends.values()])) break;
      if (performance.now() > deadlineMs) throw new SluiceError('INTERNAL', `${table}: records are missing`);
      await sleep(LOOK_MS, undefined, { signal });
    }
    const seen = commits.versions.map(({ entry, atMs }) => ({ atMs, ends: ends.get(entry) ?? [] }));
    return {
      latenciesMs: latencies(producedAt, seen, startMs + warmUpMs),
      commitsPerSecond: seen.length / seconds,
    };
  } finally {
    commits.close();
  }
}

function landed(producedAt: ProducedAt, commits: readonly Ends[]): boolean {
  return producedAt.every((own, partition) => commits.some((ends) => (ends[partition] ?? 0) >= own.length));
}

function latencies(
  producedAt: ProducedAt,
  commits: readonly { readonly atMs: number; readonly ends: Ends }[],
  sinceMs: number,
): number[] {
  const result: number[] = [];
  for (const [partition, own] of producedAt.entries()) {
    let next = 0;
    for (const { atMs, ends } of commits) {
      const end = ends[partition] ?? next;
      for (; next < end; next++) {
        const sentMs = own[next] ?? Number.NaN;
        if (sentMs >= sinceMs) result.push(atMs - sentMs);
      }
    }
  }
  return result;
}
