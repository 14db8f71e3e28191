/**
 * `npm run bench`: sets up a broker and the peers, runs the benches, prints a table and writes JSON. What is timed and how
 * to read it is in docs/benchmarks.md.
 */
import { mkdtemp, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf, SluiceError } from '../core/errors.ts';
import { REPO } from '../tests/services/cache.ts';
import { startKafka } from '../tests/services/kafka.ts';
import { benchDelta } from './delta.ts';
import { benchIngest } from './ingest.ts';
import { benchLatency } from './latency.ts';
import { machine, versions } from './machine.ts';
import { benchMemory } from './memory.ts';
import { parseOptions, USAGE, type BenchName, type BenchOptions } from './options.ts';
import { SparkPeer } from './peers/spark.ts';
import { progress } from './progress.ts';
import { toText, writeJson, type BenchResult, type Report } from './report.ts';
import type { Setting } from './setting.ts';
import { benchTables } from './tables.ts';

const WITH_SPARK: readonly BenchName[] = ['ingest', 'latency'];
const WITHOUT_KAFKA: readonly BenchName[] = ['tables', 'delta'];

async function main(args: readonly string[]): Promise<void> {
  const options = parseOptions(args);
  if (options === undefined) {
    process.stdout.write(`${USAGE}\n`);
    return;
  }
  const cache = join(REPO, '.cache', 'bench');
  await mkdir(cache, { recursive: true });
  const folder = await mkdtemp(join(cache, 'run-'));
  try {
    const report = await withKafka(options, (brokers) => withSpark(options, brokers, folder));
    process.stdout.write(toText(report));
    const out = options.out ?? join(cache, `${options.benches.join('-')}.json`);
    await writeJson(out, report);
    progress(`written to ${out}`);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function withKafka(
  { benches }: BenchOptions,
  work: (brokers: readonly string[]) => Promise<Report>,
): Promise<Report> {
  if (benches.every((name) => WITHOUT_KAFKA.includes(name))) return work([]);
  const kafka = await startKafka();
  try {
    return await work(kafka.brokers);
  } finally {
    await kafka.stop();
  }
}

async function withSpark(options: BenchOptions, brokers: readonly string[], folder: string): Promise<Report> {
  const wanted = options.spark && options.benches.some((name) => WITH_SPARK.includes(name));
  const startedAt = new Date().toISOString();
  const on = machine();
  const spark = wanted ? await SparkPeer.start(join(folder, 'spark')) : undefined;
  try {
    const setting: Setting = { brokers, folder, spark };
    const benches: BenchResult[] = [];
    for (const name of options.benches) benches.push(await run(name, setting, options));
    const with_ = { ...(await versions()), ...(spark === undefined ? {} : spark.versions) };
    return { startedAt, machine: on, versions: with_, benches };
  } finally {
    await spark?.close();
  }
}

function run(
  name: BenchName,
  setting: Setting,
  { records, rounds, latencySeconds, files, rows, deltaRs }: BenchOptions,
): Promise<BenchResult> {
  progress(`${name} begins`);
  switch (name) {
    case 'ingest':
      return benchIngest(setting, records, rounds);
    case 'latency':
      return benchLatency(setting, latencySeconds, rounds);
    case 'memory':
      return benchMemory(setting, records, rounds);
    case 'tables':
      return benchTables(setting, rounds);
    case 'delta':
      return benchDelta(setting.folder, { files, rows, peers: deltaRs }, rounds);
  }
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`bench: ${messageOf(error)}\n`);
  if (error instanceof SluiceError && error.advice !== undefined) process.stderr.write(`${error.advice}\n`);
  process.exitCode = error instanceof SluiceError ? error.exitCode : 1;
}
