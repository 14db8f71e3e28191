/** The command line of `npm run bench`. */
import { parseArgs } from 'node:util';
import { SluiceError } from '../core/errors.ts';

export const BENCHES = ['ingest', 'latency', 'memory', 'tables', 'delta'] as const;
export type BenchName = (typeof BENCHES)[number];

export interface BenchOptions {
  readonly benches: readonly BenchName[];
  readonly records: number;
  readonly rounds: number;
  /** How long the latency bench produces in each round, its warm-up included. */
  readonly latencySeconds: number;
  /** Live files in the log that the delta bench opens. */
  readonly files: number;
  /** Rows that the delta bench appends and merges into. */
  readonly rows: number;
  readonly spark: boolean;
  /** Whether delta-rs and delta_scan run beside in the delta bench. */
  readonly deltaRs: boolean;
  /** Where the JSON goes; undefined: `.cache/bench/<bench names>.json`. */
  readonly out: string | undefined;
}

export const USAGE = `npm run bench -- [ingest] [latency] [memory] [tables] [delta] [options]      (no name: all of them)
  --records N    records in the topic of ingest, and of the small run of memory (default 1000000)
  --rounds N     how often each side runs, taking turns (default 3)
  --seconds N    how long latency produces in each round (default 40; the first 5 do not count)
  --files N      live files in the log that delta opens (default 100000)
  --rows N       rows that delta appends and merges into (default 10000000)
  --no-spark     leave the Spark peer out (no Python, no download)
  --no-delta-rs  leave delta-rs and delta_scan out of delta (no Python, no download)
  --help         this text
  --out FILE     where the JSON goes (default .cache/bench/NAMES.json)`;

/** @returns undefined when help is asked for. @throws SluiceError `USAGE` */
export function parseOptions(args: readonly string[]): BenchOptions | undefined {
  const { values, positionals } = parsed(args);
  if (values.help) return undefined;
  const unknown = positionals.find((name) => !isBench(name));
  if (unknown !== undefined) throw usage(`there is no bench called ${unknown}`);
  const named = positionals.filter(isBench);
  return {
    benches: named.length === 0 ? BENCHES : BENCHES.filter((name) => named.includes(name)),
    records: positive('records', values.records),
    rounds: positive('rounds', values.rounds),
    latencySeconds: positive('seconds', values.seconds),
    files: positive('files', values.files),
    rows: positive('rows', values.rows),
    spark: !values['no-spark'],
    deltaRs: !values['no-delta-rs'],
    out: values.out,
  };
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        records: { type: 'string', default: '1000000' },
        rounds: { type: 'string', default: '3' },
        seconds: { type: 'string', default: '40' },
        files: { type: 'string', default: '100000' },
        rows: { type: 'string', default: '10000000' },
        'no-spark': { type: 'boolean', default: false },
        'no-delta-rs': { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
        out: { type: 'string' },
      },
    });
  } catch (error) {
    throw usage(error instanceof Error ? error.message : String(error));
  }
}

function isBench(name: string): name is BenchName {
  return BENCHES.some((bench) => bench === name);
}

function positive(name: string, text: string): number {
  const value = Number(text.replaceAll('_', ''));
  if (!Number.isSafeInteger(value) || value < 1) throw usage(`--${name} takes a whole number above 0, not ${text}`);
  return value;
}

function usage(message: string): SluiceError {
  return new SluiceError('USAGE', message, { advice: USAGE });
}
