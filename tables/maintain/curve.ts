/**
 * SQL that orders rows along a Hilbert curve through the values of several columns, so that a file holds rows that are alike in
 * all of them, and its statistics exclude it for most conditions on any.
 *
 * Promise: pure. Values are put into ranges of about equal size (their bounds are given), and the ranges are the coordinates; NULL
 * lies in the first one. Source: Databricks, "ZORDER BY"; Delta's own clustering maps ranges to a curve likewise.
 */
import type { Field } from '../../core/schema.ts';
import { quoteIdent, quoteString } from '../../engine/quoting.ts';
import { duckdbType } from '../../engine/types.ts';
import { hilbertIndex } from './hilbert.ts';

/** The table of a curve has an entry for each cell. */
const CELL_BITS = 16;
/** With more columns a coordinate would have less than two bits. */
export const CURVE_COLUMNS_MOST = 8;

/** How many ranges the values of each column are put into. */
export function rangesOf(columns: number): number {
  return 2 ** bitsOf(columns);
}

/**
 * The place of a row on the curve, as SQL over its columns: two of them, or more.
 * @param bounds for each column the first values of its second range, its third …, in order, as DuckDB's text
 */
export function curvePlace(columns: readonly Field[], bounds: readonly (readonly string[])[]): string {
  const ranges = rangesOf(columns.length);
  const coordinates = columns.map((column, i) => rangeOf(column, bounds[i] ?? []));
  const cell = coordinates.map((range, i) => `${range} * ${String(ranges ** (columns.length - 1 - i))}`).join(' + ');
  return `(${listOf(columns.length)})[1 + ${cell}]`;
}

/** The range of a value by bisection: DuckDB evaluates a branch for the rows that take it alone. */
function rangeOf({ name, type }: Field, bounds: readonly string[]): string {
  const value = quoteIdent(name);
  const within = (from: number, to: number): string => {
    if (from === to) return String(from);
    const middle = (from + to + 1) >> 1;
    const bound = `CAST(${quoteString(bounds[middle - 1] ?? '')} AS ${duckdbType(type)})`;
    return `CASE WHEN ${value} >= ${bound} THEN ${within(middle, to)} ELSE ${within(from, middle - 1)} END`;
  };
  return within(0, bounds.length);
}

function bitsOf(columns: number): number {
  return Math.floor(CELL_BITS / columns);
}

/** The places of all cells, as a list: the last column's coordinate counts up first. */
function listOf(columns: number): string {
  const bits = bitsOf(columns);
  const cells = 2 ** (bits * columns);
  const places: number[] = [];
  for (let cell = 0; cell < cells; cell++) {
    const coordinates: number[] = [];
    for (let i = columns - 1; i >= 0; i--) coordinates.push((cell >> (bits * i)) & (2 ** bits - 1));
    places.push(hilbertIndex(coordinates, bits));
  }
  return `[${places.join(',')}]`;
}
