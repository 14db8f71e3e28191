/** What a table costs without any source: small commits, and a table that has many files. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock } from '../core/clock.ts';
import { SluiceError } from '../core/errors.ts';
import { systemRandom } from '../core/random.ts';
import { field, primitive, struct } from '../core/schema.ts';
import { Engine } from '../engine/engine.ts';
import { DeltaTable, type TableParts } from '../tables/index.ts';
import { progress } from './progress.ts';
import { figure, type BenchResult } from './report.ts';
import type { Setting } from './setting.ts';
import { percentile } from './stats.ts';

const COMMITS = 2000;
const ROWS = 200;
const SCHEMA = struct([
  field('id', primitive('long')),
  field('customer', primitive('string')),
  field('amount', { kind: 'decimal', precision: 10, scale: 2 }),
  field('ts', primitive('timestamp')),
]);

interface Times {
  readonly firstMs: number[];
  readonly lastMs: number[];
  readonly openMs: number[];
  readonly sumMs: number[];
}

export async function benchTables({ folder }: Setting, rounds: number): Promise<BenchResult> {
  const times: Times = { firstMs: [], lastMs: [], openMs: [], sumMs: [] };
  const p50: number[] = [];
  const p99: number[] = [];
  const engine = await Engine.open({ memoryLimit: '300MB', threads: 2 });
  const parts: TableParts = { engine, clock: systemClock, random: systemRandom };
  try {
    for (let round = 1; round <= rounds; round++) {
      const location = join(folder, 'small-commits');
      const commitMs = await smallCommits(location, parts);
      p50.push(percentile(commitMs, 50));
      p99.push(percentile(commitMs, 99));
      times.firstMs.push(percentile(commitMs.slice(0, COMMITS / 10), 50));
      times.lastMs.push(percentile(commitMs.slice(-COMMITS / 10), 50));
      await openAndSum(location, parts, times);
      await rm(location, { recursive: true });
      progress(`tables: ${String(COMMITS)} commits, p50 ${String(p50.at(-1)?.toFixed(1))} ms`);
    }
  } finally {
    engine.close();
  }
  return {
    bench: 'tables',
    about:
      `${COMMITS.toLocaleString('en')} commits of ${String(ROWS)} rows one after the other, checkpoints included: Parquet ` +
      'written, everything fsynced, the log entry linked. Then the table of as many files opened by a handle that knows nothing of it.',
    figures: [
      ...figure(`commit of ${String(ROWS)} rows, p50`, 'ms', p50),
      ...figure(`commit of ${String(ROWS)} rows, p99`, 'ms', p99),
      ...figure('… p50 of the first tenth', 'ms', times.firstMs),
      ...figure('… p50 of the last tenth', 'ms', times.lastMs),
      ...figure(`open a table of ${COMMITS.toLocaleString('en')} files`, 'ms', times.openMs),
      ...figure('… and sum a column of it', 'ms', times.sumMs),
    ],
  };
}

async function smallCommits(location: string, parts: TableParts): Promise<number[]> {
  const table = DeltaTable.at(location, parts);
  const session = await parts.engine.session();
  const commitMs: number[] = [];
  for (let i = 0; i < COMMITS; i++) {
    const query =
      `SELECT ${String(i * ROWS)} + range AS id, 'customer-' || (range * 7919 % 1000) AS customer, ` +
      `(range * 31 % 10000) / 100 AS amount, TIMESTAMPTZ '2026-01-01 00:00:00+00' + INTERVAL 1 SECOND * range AS ts ` +
      `FROM range(${String(ROWS)})`;
    const startMs = performance.now();
    const add = await table.stage(session, query, { schema: SCHEMA, partitionColumns: [] });
    const result = await table.commit({
      operation: 'STREAMING UPDATE',
      mode: 'append',
      add,
      schema: SCHEMA,
      txn: new Map([['bench', BigInt(i + 1)]]),
      expect: new Map([['bench', i === 0 ? undefined : BigInt(i)]]),
    });
    commitMs.push(performance.now() - startMs);
    if (result.kind === 'conflict') throw new SluiceError('INTERNAL', `${location}: commit ${String(i)} was lost`);
  }
  session.close();
  return commitMs;
}

async function openAndSum(location: string, parts: TableParts, times: Times): Promise<void> {
  const session = await parts.engine.session();
  const startMs = performance.now();
  const snapshot = await DeltaTable.at(location, parts).snapshot();
  times.openMs.push(performance.now() - startMs);
  if (snapshot.files.length !== COMMITS) throw new SluiceError('INTERNAL', `${location}: files are missing`);
  const sumStartMs = performance.now();
  const [row] = await session.rows(`SELECT count(*) AS n, sum(amount) AS amount FROM ${await snapshot.relation()}`);
  times.sumMs.push(performance.now() - sumStartMs);
  if (row?.['n'] !== BigInt(COMMITS * ROWS)) throw new SluiceError('INTERNAL', `${location}: rows are missing`);
  session.close();
}
