/** What the changes of rows have in common: counts, and errors about SQL that the user wrote. */
import { SluiceError } from '../../core/errors.ts';
import type { AddFile } from '../log/actions.ts';

export function sum(counts: readonly bigint[]): bigint {
  return counts.reduce((a, b) => a + b, 0n);
}

/** How many rows staged files have. */
export function rowsIn(files: readonly AddFile[]): bigint {
  return sum(files.map(({ rows = 0n }) => rows));
}

/** @throws SluiceError `QUERY_FAILED` when other rows came out than those that were meant */
export function checkCount({ location, version }: Counted, found: bigint, wanted: bigint, advice: string): void {
  if (found === wanted) return;
  throw new SluiceError('QUERY_FAILED', `${location}: ${String(found)} rows came out, not ${String(wanted)}`, {
    advice: `Nothing was changed. ${advice}`,
    facts: { table: location, version },
  });
}

interface Counted {
  readonly location: string;
  readonly version: bigint;
}

/** What DuckDB says of a file or a query; undefined for an error that is not its own. */
export function engineText(error: unknown): string | undefined {
  if (!(error instanceof SluiceError) || typeof error.facts['engine'] !== 'string') return undefined;
  return error.message.split('\n')[0];
}

/** An error of DuckDB about a part of the statement, with the table and the columns that there are; others as they are. */
export function explained(error: unknown, part: string, table: string, columns: string): unknown {
  if (!(error instanceof SluiceError && ['SQL_INVALID', 'SQL_SYNTAX'].includes(error.code))) return error;
  return new SluiceError(error.code, `${table}: ${part}: ${error.message.split('\n')[0] ?? ''}`, {
    advice: columns,
    facts: { table },
    cause: error,
  });
}
