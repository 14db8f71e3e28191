/** How long a record takes from its producer to a reader of the table, at a steady rate, beside Spark. */
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { partitionName } from '../ingest/record.ts';
import { startChild } from './child.ts';
import type { SluiceInput, SluiceResult } from './children/sluice.ts';
import { PARTITIONS } from './orders.ts';
import type { SparkPeer } from './peers/spark.ts';
import { progress } from './progress.ts';
import { figure, type BenchResult } from './report.ts';
import type { Setting } from './setting.ts';
import { writeProject } from './sluice-project.ts';
import { percentile, ratios } from './stats.ts';
import { withTopic } from './topic.ts';
import { verifyTable } from './verify.ts';
import { measureVisibility, type Following, type Visibility } from './visible.ts';

const PER_SECOND = 2000;
const WARM_UP_MS = 5000;
const RECORDS_TO_WARM_SPARK = 20_000;

interface Latencies {
  readonly p50: number[];
  readonly p99: number[];
  readonly slowest: number[];
  readonly commitsPerSecond: number[];
}

export async function benchLatency(setting: Setting, seconds: number, rounds: number): Promise<BenchResult> {
  const none = (): Latencies => ({ p50: [], p99: [], slowest: [], commitsPerSecond: [] });
  const [sluice, spark] = [none(), none()];
  if (setting.spark !== undefined) await warmUp(setting, setting.spark);
  for (let round = 1; round <= rounds; round++) {
    add(sluice, await sluiceRound(setting, seconds), 'sluice');
    if (setting.spark !== undefined) add(spark, await sparkRound(setting, setting.spark, seconds), 'Spark');
  }
  const rows = (who: string, { p50, p99, slowest, commitsPerSecond }: Latencies) => [
    ...figure(`${who}, p50`, 'ms', p50),
    ...figure(`${who}, p99`, 'ms', p99),
    ...figure(`${who}, slowest record`, 'ms', slowest),
    ...figure(`${who}, commits`, 'commits/s', commitsPerSecond),
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

async function sluiceRound({ brokers, folder }: Setting, seconds: number): Promise<Visibility> {
  return withTopic(brokers, 'latency-sluice', 0, async (topic) => {
    const project = await writeProject(join(folder, 'sluice-latency'), brokers, topic);
    const input: SluiceInput = { projects: [project.folder], availableNow: false };
    const child = startChild<SluiceResult>('sluice', input);
    const failed = new AbortController();
    child.done.catch((error: unknown) => {
      failed.abort(error);
    });
    const names = Array.from({ length: PARTITIONS }, (_, partition) => partitionName(topic, partition));
    const endsOf: Following['endsOf'] = async (commits, entry) => {
      const txn = [...(await commits.txn(entry))];
      return names.map((name) => txn.find(([id]) => id.endsWith(`:${name}`))?.[1]);
    };
    try {
      const { table } = project;
      const visibility = await follow({ brokers, topic, table, seconds, endsOf, signal: failed.signal });
      child.stop();
      await child.done;
      await verifyTable(table, seconds * PER_SECOND);
      await rm(project.folder, { recursive: true });
      return visibility;
    } finally {
      child.stop();
    }
  });
}

async function sparkRound({ brokers, folder }: Setting, spark: SparkPeer, seconds: number): Promise<Visibility> {
  return withTopic(brokers, 'latency-spark', 0, async (topic) => {
    const own = join(folder, 'spark-latency');
    const [table, checkpoint] = [join(own, 'table'), join(own, 'checkpoint')];
    /** Spark's log has the number of the micro-batch, its checkpoint where that one ends. */
    const endsOf: Following['endsOf'] = async (commits, entry) => {
      const [batch] = (await commits.txn(entry)).values();
      if (batch === undefined) return [];
      const text = await readFile(join(checkpoint, 'offsets', String(batch)), 'utf8');
      const offsets = JSON.parse(text.trim().split('\n').at(-1) ?? '{}') as Record<string, Record<string, number>>;
      return Array.from({ length: PARTITIONS }, (_, partition) => offsets[topic]?.[String(partition)]);
    };
    await spark.follow({ brokers, topic, table, checkpoint });
    const visibility = await follow({ brokers, topic, table, seconds, endsOf, signal: new AbortController().signal });
    await spark.stop();
    await verifyTable(table, seconds * PER_SECOND);
    await rm(own, { recursive: true });
    return visibility;
  });
}

function follow(following: Omit<Following, 'perSecond' | 'warmUpMs'>): Promise<Visibility> {
  return measureVisibility({ ...following, perSecond: PER_SECOND, warmUpMs: WARM_UP_MS });
}

/** A whole query, so that the first that counts does not begin with cold code. */
async function warmUp({ brokers, folder }: Setting, spark: SparkPeer): Promise<void> {
  await withTopic(brokers, 'latency-warm-up', RECORDS_TO_WARM_SPARK, async (topic) => {
    const own = join(folder, 'spark-warm-up');
    await spark.ingest({ brokers, topic, table: join(own, 'table'), checkpoint: join(own, 'checkpoint') });
    await rm(own, { recursive: true });
  });
}

function add(into: Latencies, { latenciesMs, commitsPerSecond }: Visibility, who: string): void {
  const [p50, p99, slowest] = [50, 99, 100].map((percent) => percentile(latenciesMs, percent)) as [
    number,
    number,
    number,
  ];
  into.p50.push(p50);
  into.p99.push(p99);
  into.slowest.push(slowest);
  into.commitsPerSecond.push(commitsPerSecond);
  progress(`latency: ${who} p50 ${p50.toFixed(0)} ms, p99 ${p99.toFixed(0)} ms, slowest ${slowest.toFixed(0)} ms`);
}
