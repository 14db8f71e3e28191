/** How fast a full topic becomes a typed Delta table, beside a consumer that only counts and beside Spark. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { SluiceError } from '../core/errors.ts';
import { startChild, type ChildResult } from './child.ts';
import type { BareInput, BareResult } from './children/bare.ts';
import type { SluiceInput, SluiceResult, SluiceRun } from './children/sluice.ts';
import { PARTITIONS } from './orders.ts';
import type { SparkIngest, SparkPeer } from './peers/spark.ts';
import { progress } from './progress.ts';
import { figure, type BenchResult } from './report.ts';
import type { Setting } from './setting.ts';
import { writeProject } from './sluice-project.ts';
import { ratios } from './stats.ts';
import { withTopic } from './topic.ts';
import { verifyTable } from './verify.ts';

interface Rounds {
  readonly bare: ChildResult<BareResult>[];
  readonly sluice: SluiceRound[];
  readonly sluiceWarm: SluiceRound[];
  readonly spark: SparkIngest[];
}

interface SluiceRound {
  /** The last of its process. */
  readonly run: SluiceRun;
  readonly processMs: number;
}

export async function benchIngest(setting: Setting, records: number, rounds: number): Promise<BenchResult> {
  const done: Rounds = { bare: [], sluice: [], sluiceWarm: [], spark: [] };
  await withTopic(setting.brokers, 'ingest', records, async (topic) => {
    progress('ingest: one round of the bare consumer that does not count');
    await bareRound(setting, topic, records);
    if (setting.spark !== undefined) done.spark.push(await sparkRound(setting, setting.spark, topic, records, 'cold'));
    for (let round = 1; round <= rounds; round++) {
      done.bare.push(await bareRound(setting, topic, records));
      done.sluice.push(await sluiceRound(setting, topic, records));
      done.sluiceWarm.push(await sluiceRound(setting, topic, records, { isWarm: true }));
      if (setting.spark !== undefined)
        done.spark.push(await sparkRound(setting, setting.spark, topic, records, 'warm'));
    }
  });
  return report(setting, records, done);
}

async function bareRound({ brokers }: Setting, topic: string, records: number): Promise<ChildResult<BareResult>> {
  const bare = await startChild<BareResult>('bare', { brokers, topic, records } satisfies BareInput).done;
  progress(`ingest: bare consumer ${perSecond(records, bare.result.runMs)}`);
  return bare;
}

/**
 * sluice over a whole topic, checked row by row.
 * @param isWarm whether its process has read the topic into another table before, as the warm session of Spark has
 */
export async function sluiceRound(
  { brokers, folder }: Setting,
  topic: string,
  records: number,
  { isWarm = false, ...more }: Pick<SluiceInput, 'peakPerRows'> & { readonly isWarm?: boolean } = {},
): Promise<SluiceRound> {
  const names = isWarm ? ['sluice-before', 'sluice'] : ['sluice'];
  const projects = await Promise.all(names.map((name) => writeProject(join(folder, name), brokers, topic)));
  const input: SluiceInput = { projects: projects.map((project) => project.folder), availableNow: true, ...more };
  const { result, processMs } = await startChild<SluiceResult>('sluice', input).done;
  for (const project of projects) {
    await verifyTable(project.table, records);
    await rm(project.folder, { recursive: true });
  }
  const run = result.runs.at(-1);
  if (run === undefined) throw new SluiceError('INTERNAL', 'sluice has run nothing');
  const about = `${String(run.commits)} commits, peak memory ${run.peakMiB.toFixed(0)} MiB`;
  progress(`ingest: sluice${isWarm ? ' (warm)' : ''} ${perSecond(records, run.runMs)}, ${about}`);
  return { run, processMs };
}

async function sparkRound(
  { brokers, folder }: Setting,
  spark: SparkPeer,
  topic: string,
  records: number,
  state: 'cold' | 'warm',
): Promise<SparkIngest> {
  const own = join(folder, 'spark-ingest');
  const table = join(own, 'table');
  const ingested = await spark.ingest({ brokers, topic, table, checkpoint: join(own, 'checkpoint') });
  await verifyTable(table, records);
  await rm(own, { recursive: true });
  progress(`ingest: Spark (${state}) ${perSecond(records, ingested.runMs)}`);
  return ingested;
}

function report(
  { spark }: Setting,
  records: number,
  { bare, sluice, sluiceWarm, spark: sparkRuns }: Rounds,
): BenchResult {
  const rate = (ms: number): number => (records / ms) * 1000;
  const bareRates = bare.map(({ result }) => rate(result.runMs));
  const sluiceRates = sluice.map(({ run }) => rate(run.runMs));
  const sluiceWarmRates = sluiceWarm.map(({ run }) => rate(run.runMs));
  const [cold, ...warm] = sparkRuns;
  const coldRates = cold === undefined ? [] : [rate(cold.runMs)];
  const warmRates = warm.map(({ runMs }) => rate(runMs));
  const peaks = (runs: readonly { readonly peakMiB: number }[]): number[] => runs.map(({ peakMiB }) => peakMiB);
  return {
    bench: 'ingest',
    about:
      `${records.toLocaleString('en')} JSON records of ~170 bytes, ${String(PARTITIONS)} partitions, into a typed Delta table. ` +
      'bare and sluice: from before the client connects until the last record is counted, or the last commit is made; ' +
      'whole process: from its start to its end. Spark: from the start of the query until it ends. ' +
      'Warm: the process has done the same before; bare is not warm in any round.',
    figures: [
      ...figure('bare kafkajs consumer', 'records/s', bareRates),
      ...figure('sluice, first run of its process', 'records/s', sluiceRates),
      ...figure('sluice, warm', 'records/s', sluiceWarmRates),
      ...figure('Spark, first query of its session', 'records/s', coldRates),
      ...figure('Spark, warm', 'records/s', warmRates),
      ...figure('sluice first run / bare', '×', ratios(sluiceRates, bareRates)),
      ...figure('sluice warm / Spark warm', '×', ratios(sluiceWarmRates, warmRates)),
      ...figure('sluice first run / Spark warm', '×', ratios(sluiceRates, warmRates)),
      ...figure(
        'sluice first run / Spark first query',
        '×',
        sluiceRates.slice(0, coldRates.length).map((own, i) => own / (coldRates[i] ?? Number.NaN)),
      ),
      ...figure(
        'bare, whole process',
        'records/s',
        bare.map(({ processMs }) => rate(processMs)),
      ),
      ...figure(
        'sluice, whole process',
        'records/s',
        sluice.map(({ processMs }) => rate(processMs)),
      ),
      ...figure(
        'Spark, whole process (its start + first query)',
        'records/s',
        spark === undefined || cold === undefined ? [] : [rate(spark.startMs + cold.runMs)],
      ),
      ...figure('bare, peak memory', 'MiB', peaks(bare.map(({ result }) => result))),
      ...figure('sluice, peak memory', 'MiB', peaks(sluice.map(({ run }) => run))),
      ...figure('Spark, peak memory (JVM)', 'MiB', peaks(sparkRuns)),
    ],
  };
}

function perSecond(records: number, ms: number): string {
  return `${Math.round((records / ms) * 1000).toLocaleString('en')} records/s`;
}
