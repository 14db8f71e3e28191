/**
 * The first half of a MERGE: which rows of the table and of the source belong together, and which clause takes each.
 *
 * Promise: what is decided lies in temporary tables of the session; nothing is written. A row of the table that several rows of the
 * source would change is an error.
 */
import { SluiceError } from '../../core/errors.ts';
import { quoteIdent } from '../../engine/quoting.ts';
import type { Session } from '../../engine/session.ts';
import { textOf } from '../../engine/values.ts';
import type { AddFile } from '../log/actions.ts';
import type { Snapshot } from '../snapshot.ts';
import type { SourceColumn } from './assignments.ts';
import type { MergeClauses } from './merge-schema.ts';
import { clauseOf, OWN, type RowClause } from './merge-sql.ts';
import { explained } from './shared.ts';
import type { Stepwise } from './steps.ts';

export interface MergeOptions extends MergeClauses, Stepwise {
  /** A query; its rows are called `source`. */
  readonly source: string;
  /** SQL over `target` and `source`. */
  readonly on: string;
  /** Rows of the table that no row of the source belongs to; over `target` alone. */
  readonly whenNotMatchedBySource?: readonly RowClause[];
  /** Aborted to stop before the commit. */
  readonly signal?: AbortSignal;
}

/** Rows of the source, with a number for each. */
export const SOURCE = '__sluice_merge_source';
const PAIRS = '__sluice_merge_pairs';
/** Rows of the table that a clause has taken. */
export const ACTIONS = '__sluice_merge_actions';
/** Rows of the source that a clause inserts. */
export const INSERTS = '__sluice_merge_inserts';
export const PLACES = { file: OWN.file, row: OWN.row };
export const MERGE_TABLES = [SOURCE, PAIRS, ACTIONS, INSERTS];

/** Who belongs to whom, which clause takes which row, and which rows of the source are new. */
export async function match(
  session: Session,
  snapshot: Snapshot,
  target: string,
  options: MergeOptions,
  source: readonly SourceColumn[],
): Promise<void> {
  await matched(session, target, options).catch((error: unknown) => {
    const columns = snapshot.schema.fields.map(({ name }) => name).join(', ');
    const advice = `target has the columns ${columns}; source has ${source.map(({ name }) => name).join(', ')}.`;
    throw explained(error, 'MERGE', snapshot.location, advice);
  });
}

async function matched(session: Session, target: string, options: MergeOptions): Promise<void> {
  const { on, whenMatched = [], whenNotMatched = [], whenNotMatchedBySource = [] } = options;
  const place = `target.${OWN.file} AS file, target.${OWN.row} AS row`;
  await session.run(
    `CREATE OR REPLACE TEMP TABLE ${PAIRS} AS SELECT ${place}, source.${OWN.source} AS source, ${clauseOf(whenMatched)} AS clause FROM ${target} AS target JOIN ${SOURCE} AS source ON (${on}\n)`,
  );
  const bySource = `SELECT ${place}, CAST(NULL AS BIGINT) AS source, ${clauseOf(whenNotMatchedBySource, whenMatched.length)} AS clause FROM ${target} AS target WHERE NOT EXISTS (FROM ${PAIRS} AS p WHERE p.file = target.${OWN.file} AND p.row = target.${OWN.row})`;
  const taken = `SELECT file, row, min(source) AS source, min(clause) AS clause FROM ${PAIRS} WHERE clause IS NOT NULL GROUP BY file, row`;
  await session.run(
    `CREATE OR REPLACE TEMP TABLE ${ACTIONS} AS SELECT file, row, source, clause AS ${OWN.clause} FROM (${taken}${whenNotMatchedBySource.length === 0 ? '' : ` UNION ALL ${bySource}`}) WHERE clause IS NOT NULL`,
  );
  await session.run(
    `CREATE OR REPLACE TEMP TABLE ${INSERTS} AS SELECT *, row_number() OVER () - 1 AS ${OWN.insert} FROM (SELECT source.${OWN.source} AS source, ${clauseOf(whenNotMatched)} AS ${OWN.clause} FROM ${SOURCE} AS source WHERE NOT EXISTS (FROM ${PAIRS} AS p WHERE p.source = source.${OWN.source})) WHERE ${OWN.clause} IS NOT NULL`,
  );
}

/** Several rows of the source may only ever agree to delete a row. */
export async function checkUnique(
  session: Session,
  { location }: Snapshot,
  clauses: readonly RowClause[],
): Promise<void> {
  const [only, ...others] = clauses;
  if (only !== undefined && others.length === 0 && 'delete' in only && only.condition === undefined) return;
  const rows = await countOf(
    session,
    `SELECT count(*) AS n FROM (SELECT 1 FROM ${PAIRS} WHERE clause IS NOT NULL GROUP BY file, row HAVING count(*) > 1)`,
  );
  if (rows === 0n) return;
  throw new SluiceError(
    'MERGE_AMBIGUOUS',
    `${location}: several rows of the source would change the same row (${String(rows)} rows)`,
    {
      advice:
        'Nothing was changed. Let the source have one row for each key: SELECT DISTINCT ON (key) … ORDER BY time DESC.',
      facts: { table: location, rows },
    },
  );
}

export interface MergeTouched {
  readonly file: AddFile;
  readonly taken: bigint;
  readonly deleted: bigint;
}

export async function touchedBy(
  session: Session,
  clauses: readonly RowClause[],
  files: ReadonlyMap<string, AddFile>,
): Promise<MergeTouched[]> {
  const rows = await session.rows(
    `SELECT file, count(*) AS taken, count(*) FILTER (${isDelete(clauses)}) AS deleted FROM ${ACTIONS} AS a GROUP BY file`,
  );
  return rows.map(({ file: path, taken, deleted }) => {
    const file = files.get(textOf(path));
    if (file === undefined) throw new SluiceError('INTERNAL', `no file of the table is ${textOf(path)}`);
    return { file, taken: BigInt(textOf(taken)), deleted: BigInt(textOf(deleted)) };
  });
}

/** Whether the clause that has taken a row deletes it. */
export function isDelete(clauses: readonly RowClause[]): string {
  const numbers = clauses.flatMap((clause, i) => ('delete' in clause ? [String(i)] : []));
  return numbers.length === 0 ? 'false' : `a.${quoteIdent(OWN.clause)} IN (${numbers.join(', ')})`;
}

export async function countOf(session: Session, query: string): Promise<bigint> {
  const [row] = await session.rows(query);
  return BigInt(textOf(row?.['n']));
}
