/** What a bench found, as a table for people and as JSON. */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Machine } from './machine.ts';
import { spread, type Spread } from './stats.ts';

export interface Figure {
  readonly what: string;
  readonly unit: 'records/s' | 'commits/s' | 'ms' | 'MiB' | '×';
  readonly spread: Spread;
}

export interface BenchResult {
  readonly bench: string;
  /** What was done, and from when to when it was timed. */
  readonly about: string;
  readonly figures: readonly Figure[];
}

export interface Report {
  readonly startedAt: string;
  readonly machine: Machine;
  readonly versions: Readonly<Record<string, string>>;
  readonly benches: readonly BenchResult[];
}

/** One figure out of the values of all rounds; none when there was no round. */
export function figure(what: string, unit: Figure['unit'], values: readonly number[]): Figure[] {
  return values.length === 0 ? [] : [{ what, unit, spread: spread(values) }];
}

/** The report as Markdown, to be read on a terminal and pasted into docs/benchmarks.md alike. */
export function toText({ startedAt, machine, versions, benches }: Report): string {
  const on = `${machine.cpu}, ${String(machine.cores)} cores, ${String(machine.memoryGiB)} GiB, ${machine.platform}`;
  const with_ = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  const head = `${startedAt.slice(0, 10)}, ${on}, load before ${String(machine.loadBefore)}; ${with_.join(', ')}\n`;
  return [head, ...benches.map(benchText)].join('\n');
}

export async function writeJson(file: string, report: Report): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, `${JSON.stringify(report, null, 2)}\n`);
}

function benchText({ bench, about, figures }: BenchResult): string {
  const rows = figures.map(({ what, unit, spread: { min, median, max, values } }) => [
    what,
    unit,
    ...[min, median, max].map((value) => rounded(value, unit)),
    String(values.length),
  ]);
  const all = [[bench, 'unit', 'min', 'median', 'max', 'rounds'], ...rows];
  const widths = (all[0] ?? []).map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  const pad = (cell: string, column: number): string =>
    column < 2 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0);
  const line = (row: readonly string[]): string => `| ${row.map(pad).join(' | ')} |\n`;
  const rule = `|${widths.map((width, column) => (column < 2 ? '-'.repeat(width + 2) : `${'-'.repeat(width + 1)}:`)).join('|')}|\n`;
  const [heading = [], ...body] = all;
  return `${about}\n\n${line(heading)}${rule}${body.map(line).join('')}`;
}

function rounded(value: number, unit: Figure['unit']): string {
  if (unit === 'records/s') return (Math.round(value / 100) * 100).toLocaleString('en');
  if (unit === '×') return value.toFixed(2);
  return value < 100 ? value.toFixed(1) : Math.round(value).toLocaleString('en');
}
