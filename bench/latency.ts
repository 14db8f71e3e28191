/**
 * From produced to visible: for each record the time from just before it is sent until the log entry of the commit that has
 * it appears in the table's folder, at a steady rate.
 */
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { SluiceError } from '../core/errors.ts';
import { partitionName } from '../ingest/record.ts';
import { startChild } from './child.ts';
import type { SluiceInput, SluiceResult } from './children/sluice.ts';
import { CommitWatch } from './commit-watch.ts';
import { produceLive, type ProducedAt } from './live-orders.ts';
import { PARTITIONS } from './orders.ts';
import { progress } from './progress.ts';
import { figure, type BenchResult } from './report.ts';
import type { Setting } from './setting.ts';
import { writeProject } from './sluice-project.ts';
import { percentile, ratios } from './stats.ts';
import { withTopic } from './topic.ts';
import { verifyTable } from './verify.ts';

const PER_SECOND = 2000;
const WARM_UP_MS = 5000;
const LAST_COMMIT_MS_MAX = 30_000;

/** By partition, the offset that follows the last record of a commit; partitions that it does not move may be left out. */
type Ends = readonly (number | undefined)[];

interface Latencies {
  readonly p50: number[];
  readonly p99: number[];
  readonly max: number[];
  readonly commitsPerSecond: number[];
}

export async function benchLatency(setting: Setting, seconds: number, rounds: number): Promise<BenchResult> {
  const sluice: Latencies = { p50: [], p99: [], max: [], commitsPerSecond: [] };
  const spark: Latencies = { p50: [], p99: [], max: [], commitsPerSecond: [] };
  for (let round = 1; round <= rounds; round++) {
    await sluiceRound(setting, seconds, sluice);
    if (setting.spark !== undefined) await sparkRound(setting, seconds, spark);
  }
  const rows = (who: string, { p50, p99, max, commitsPerSecond }: Latencies) => [
    ...figure(`${who}, p50`, 'ms', p50),
    ...figure(`${who}, p99`, 'ms', p99),
    ...figure(`${who}, slowest record`, 'ms', max),
    ...figure(`${who}, commits in a second`, 'commits/s', commitsPerSecond),
  ];
  return {
    bench: 'latency',
    about:
      `${PER_SECOND.toLocaleString('en')} records/s over ${String(PARTITIONS)} partitions for ${String(seconds)} s, the first ` +
      `${String(WARM_UP_MS / 1000)} s left out: from just before a record is sent until the log entry of its commit appears. ` +
      'sluice with its defaults, Spark with trigger processingTime 0 in a warm session.',
    figures: [
      ...rows('sluice', sluice),
      ...rows('Spark', spark),
      ...figure('Spark / sluice, p50', '×', ratios(spark.p50, sluice.p50)),
      ...figure('Spark / sluice, p99', '×', ratios(spark.p99, sluice.p99)),
    ],
  };
}

async function sluiceRound({ brokers, folder }: Setting, seconds: number, into: Latencies): Promise<void> {
  await withTopic(brokers, 'latency-sluice', 0, async (topic) => {
    const project = await writeProject(join(folder, 'sluice-latency'), brokers, topic);
    const input: SluiceInput = { project: project.folder, availableNow: false };
    const child = startChild<SluiceResult>('sluice', input);
    const names = Array.from({ length: PARTITIONS }, (_, partition) => partitionName(topic, partition));
    const endsOf = async (watch: CommitWatch, entry: string): Promise<Ends> => {
      const txn = [...(await watch.txn(entry))];
      return names.map((name) => {
        const own = txn.find(([id]) => id.endsWith(`:${name}`));
        return own?.[1];
      });
    };
    const measured = measure({ brokers, topic, seconds, table: project.table, endsOf });
    await Promise.race([measured, child.done]);
    child.stop();
    await child.done;
    add(into, await measured, 'sluice');
    await verifyTable(project.table, seconds * PER_SECOND);
    await rm(project.folder, { recursive: true });
  });
}

async function sparkRound({ brokers, folder, spark }: Setting, seconds: number, into: Latencies): Promise<void> {
  await withTopic(brokers, 'latency-spark', 0, async (topic) => {
    const own = join(folder, 'spark-latency');
    const [table, checkpoint] = [join(own, 'table'), join(own, 'checkpoint')];
    await spark?.follow({ brokers, topic, table, checkpoint });
    /** Spark's log has the number of the micro-batch, its checkpoint where that one ends. */
    const endsOf = async (watch: CommitWatch, entry: string): Promise<Ends> => {
      const [batch] = (await watch.txn(entry)).values();
      if (batch === undefined) return [];
      const text = await readFile(join(checkpoint, 'offsets', String(batch)), 'utf8');
      const offsets = JSON.parse(text.trim().split('\n').at(-1) ?? '{}') as Record<string, Record<string, number>>;
      return Array.from({ length: PARTITIONS }, (_, partition) => offsets[topic]?.[String(partition)]);
    };
    const measured = await measure({ brokers, topic, seconds, table, endsOf });
    await spark?.stop();
    add(into, measured, 'Spark');
    await verifyTable(table, seconds * PER_SECOND);
    await rm(own, { recursive: true });
  });
}

interface Measuring {
  readonly brokers: readonly string[];
  readonly topic: string;
  readonly seconds: number;
  readonly table: string;
  readonly endsOf: (watch: CommitWatch, entry: string) => Promise<Ends>;
}

interface Measured {
  readonly latenciesMs: readonly number[];
  readonly commitsPerSecond: number;
}

async function measure({ brokers, topic, seconds, table, endsOf }: Measuring): Promise<Measured> {
  const stop = new AbortController();
  const watching = CommitWatch.start(table, stop.signal);
  watching.catch(() => undefined);
  try {
    const startMs = performance.now();
    const producedAt = await produceLive(brokers, topic, { perSecond: PER_SECOND, seconds });
    const watch = await watching;
    const read = new Map<string, Ends>();
    const deadlineMs = performance.now() + LAST_COMMIT_MS_MAX;
    for (;;) {
      for (const { entry } of watch.versions) if (!read.has(entry)) read.set(entry, await endsOf(watch, entry));
      if (landed(producedAt, [...read.values()])) break;
      if (performance.now() > deadlineMs) throw new SluiceError('INTERNAL', `${table}: records are missing`);
      await sleep(50);
    }
    watch.close();
    const commits = watch.versions.map(({ entry, atMs }) => ({ atMs, ends: read.get(entry) ?? [] }));
    const latenciesMs = latencies(producedAt, commits, startMs + WARM_UP_MS);
    return { latenciesMs, commitsPerSecond: commits.length / seconds };
  } finally {
    stop.abort();
  }
}

function landed(producedAt: ProducedAt, commits: readonly Ends[]): boolean {
  return producedAt.every((own, partition) => commits.some((ends) => (ends[partition] ?? 0) >= own.length));
}

/** Of the records that were produced after `sinceMs`. */
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

function add(into: Latencies, { latenciesMs, commitsPerSecond }: Measured, who: string): void {
  const [p50, p99, max] = [50, 99, 100].map((percent) => percentile(latenciesMs, percent));
  into.p50.push(p50 ?? Number.NaN);
  into.p99.push(p99 ?? Number.NaN);
  into.max.push(max ?? Number.NaN);
  into.commitsPerSecond.push(commitsPerSecond);
  progress(`latency: ${who} p50 ${(p50 ?? 0).toFixed(0)} ms, p99 ${(p99 ?? 0).toFixed(0)} ms`);
}
