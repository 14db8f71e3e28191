/** Figures over several rounds. A single figure says little: each is shown with its smallest and largest. */
import { SluiceError } from '../core/errors.ts';

export interface Spread {
  readonly min: number;
  readonly median: number;
  readonly max: number;
  readonly values: readonly number[];
}

/** @example spread([3, 1, 2]) // { min: 1, median: 2, max: 3, values: [3, 1, 2] } */
export function spread(values: readonly number[]): Spread {
  return { min: percentile(values, 0), median: percentile(values, 50), max: percentile(values, 100), values };
}

/** The value that `percent` of all values do not exceed (nearest rank): a value that was measured, never one in between. */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = Float64Array.from(values).sort();
  const value = sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)];
  if (value === undefined) throw new SluiceError('INTERNAL', 'a percentile of no values');
  return value;
}

/** Round by round, so that what slowed the machine down for a while slows down both sides. */
export function ratios(ours: readonly number[], theirs: readonly number[]): number[] {
  return ours.flatMap((value, round) => {
    const other = theirs[round];
    return other === undefined ? [] : [value / other];
  });
}
