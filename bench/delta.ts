/**
 * The tables beside delta-rs and DuckDB's delta_scan: opening, a selective query, a large append, small commits, a merge.
 *
 * Promise: the sides take turns, each in a process of its own, and a run whose sides disagree about what they saw is no result.
 */
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { SluiceError } from '../core/errors.ts';
import { Engine } from '../engine/engine.ts';
import { startChild } from './child.ts';
import type { DeltaInput, DeltaResult } from './children/delta.ts';
import { DELTA_CASES, type DeltaCase } from './delta-case.ts';
import { manyAdds, manyFiles, rowsFile, ROWS_PER_FILE } from './delta-tables.ts';
import { runDeltaPeer } from './peers/delta-peer.ts';
import { progress } from './progress.ts';
import { figure, type BenchResult, type Figure } from './report.ts';
import { percentile, ratios } from './stats.ts';

export interface DeltaOptions {
  /** Live files of the checkpoint that is opened; a hundredth as many entries follow it. */
  readonly files: number;
  /** Rows of append and merge; a hundredth as many are merged. The files that are queried have a fifth as many. */
  readonly rows: number;
  /** Whether the others run, too. */
  readonly peers: boolean;
}

const TIMES = 20;
const PEERS: Readonly<Record<DeltaCase, string>> = {
  open: 'delta-rs',
  query: 'delta_scan',
  append: 'delta-rs',
  commit: 'delta-rs',
  merge: 'delta-rs',
};

export async function benchDelta(folder: string, options: DeltaOptions, rounds: number): Promise<BenchResult> {
  const shared = join(folder, 'delta');
  await mkdir(shared, { recursive: true });
  const tables = await prepare(shared, options);
  const figures: Figure[] = [];
  for (const name of DELTA_CASES) {
    const ours: DeltaResult[] = [];
    const theirs: DeltaResult[] = [];
    for (let round = 0; round < rounds; round++) {
      const input = { ...tables, case: name, times: TIMES };
      const [a, b] = await turns(input, shared, round % 2 === 0, options.peers);
      ours.push(a);
      progress(`delta ${name}: sluice ${median(a).toFixed(1)} ms`);
      if (b === undefined) continue;
      if (a.count !== b.count) {
        throw new SluiceError('INTERNAL', `delta ${name}: ${String(a.count)} here, ${String(b.count)} there`);
      }
      theirs.push(b);
      progress(`delta ${name}: ${PEERS[name]} ${median(b).toFixed(1)} ms`);
    }
    figures.push(...compared(name, ours, theirs));
  }
  await rm(shared, { recursive: true });
  return {
    bench: 'delta',
    about:
      `sluice${options.peers ? " beside delta-rs and DuckDB's delta_scan" : ''}: a log of ${options.files.toLocaleString('en')} files, ` +
      `${options.rows.toLocaleString('en')} rows.` +
      (options.peers ? ' × is time of sluice by time of the other: below 1 sluice is faster.' : ''),
    figures,
  };
}

async function prepare(folder: string, { files, rows }: DeltaOptions): Promise<Omit<DeltaInput, 'case' | 'times'>> {
  const engine = await Engine.open();
  const queried = Math.max(1, Math.round(rows / 5 / ROWS_PER_FILE));
  const given = { table: '', rows: join(folder, 'rows.parquet'), changes: join(folder, 'changes.parquet') };
  try {
    await manyAdds(engine, join(folder, 'open'), files, Math.ceil(files / 100));
    await manyFiles(engine, join(folder, 'query'), queried);
    await rowsFile(engine, given.rows, 0, rows);
    const changes = Math.ceil(rows / 100);
    await rowsFile(engine, given.changes, rows - Math.ceil(changes / 2), changes);
  } finally {
    engine.close();
  }
  return { ...given, id: Math.floor((queried * ROWS_PER_FILE) / 2) };
}

async function turns(
  input: DeltaInput,
  folder: string,
  oursFirst: boolean,
  peers: boolean,
): Promise<[DeltaResult, DeltaResult | undefined]> {
  const shared = input.case === 'open' || input.case === 'query';
  const at = (side: string): DeltaInput => ({ ...input, table: join(folder, shared ? input.case : side) });
  const ours = async (): Promise<DeltaResult> => (await startChild<DeltaResult>('delta', at('ours')).done).result;
  const theirs = async (): Promise<DeltaResult | undefined> => (peers ? runDeltaPeer(at('theirs')) : undefined);
  const before = oursFirst ? undefined : await theirs();
  const own = await ours();
  const other = oursFirst ? await theirs() : before;
  for (const side of ['ours', 'theirs']) await rm(join(folder, side), { recursive: true, force: true });
  return [own, other];
}

function compared(name: DeltaCase, ours: readonly DeltaResult[], theirs: readonly DeltaResult[]): Figure[] {
  const our = ours.map(median);
  const their = theirs.map(median);
  const peaks = (results: readonly DeltaResult[]): number[] => results.map(({ peakMiB }) => peakMiB);
  const own = [...figure(`${name}: sluice`, 'ms', our), ...figure(`${name}: peak of sluice`, 'MiB', peaks(ours))];
  if (theirs.length === 0) return own;
  return [
    ...own,
    ...figure(`${name}: ${PEERS[name]}`, 'ms', their),
    ...figure(`${name}: peak of ${PEERS[name]}`, 'MiB', peaks(theirs)),
    ...figure(`${name}: ratio`, '×', ratios(our, their)),
  ];
}

function median({ ms }: DeltaResult): number {
  return percentile(ms, 50);
}
