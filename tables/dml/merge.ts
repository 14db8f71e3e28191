/**
 * MERGE: rows of a source update, delete and insert rows of the table, all in one commit.
 *
 * Promise: all or nothing; the source is read once, also when the merge is made anew; a row of the table that several rows of
 * the source would change is an error, never a matter of chance; rows are counted before anything is committed.
 * Source: Databricks, "MERGE INTO".
 */
import { SluiceError } from '../../core/errors.ts';
import { quoteIdent } from '../../engine/quoting.ts';
import type { Session } from '../../engine/session.ts';
import { textOf } from '../../engine/values.ts';
import type { AddFile } from '../log/actions.ts';
import { operate, type Attempt, type OperatedWithRows } from '../operation.ts';
import type { Condition } from '../prune.ts';
import type { Snapshot } from '../snapshot.ts';
import { clauseOf, columnsOf, OWN, type InsertClause, type RowClause } from './merge-sql.ts';
import { groups } from './rewrite.ts';
import { checkStable, inTransaction } from './stable.ts';

export interface MergeOptions {
  /** A query; its rows are called `source`. */
  readonly source: string;
  /** SQL over `target` and `source`. */
  readonly on: string;
  readonly whenMatched?: readonly RowClause[];
  readonly whenNotMatched?: readonly InsertClause[];
  /** Rows of the table that no row of the source belongs to; over `target` alone. */
  readonly whenNotMatchedBySource?: readonly RowClause[];
  /** Conjuncts of `on` that files of the table can be left out by. */
  readonly prune?: readonly Condition[];
  /** Aborted to stop before the commit. */
  readonly signal?: AbortSignal;
}

export interface MergeResult {
  /** The version that was made; undefined when nothing was to be done. */
  readonly version: bigint | undefined;
  readonly inserted: bigint;
  readonly updated: bigint;
  readonly deleted: bigint;
  readonly filesAdded: number;
  readonly filesRemoved: number;
}

const SOURCE = '__sluice_merge_source';
const PAIRS = '__sluice_merge_pairs';
const ACTIONS = '__sluice_merge_actions';
const INSERTS = '__sluice_merge_inserts';
const PLACES = { file: OWN.file, row: OWN.row };

/** @throws SluiceError `MERGE_AMBIGUOUS`, `SQL_INVALID`, `UNKNOWN_COLUMN`, `VALUE_OUT_OF_RANGE`, `COMMIT_CONTENTION`, `STORAGE_*` */
export async function mergeInto(parts: OperatedWithRows, options: MergeOptions): Promise<MergeResult> {
  const { session, table } = parts;
  await checkStable(session, expressionsOf(options), table.location);
  try {
    await session.run(
      `CREATE OR REPLACE TEMP TABLE ${SOURCE} AS SELECT *, row_number() OVER () AS ${OWN.source} FROM (${options.source}\n) AS s`,
    );
    const columns = (await session.describe(`FROM ${SOURCE}`)).map(({ name }) => name).slice(0, -1);
    return await operate({ ...parts, signal: options.signal }, 'rows', (snapshot) =>
      inTransaction(session, () => attempt(parts, snapshot, options, columns)),
    );
  } finally {
    for (const table of [SOURCE, PAIRS, ACTIONS, INSERTS]) await session.run(`DROP TABLE IF EXISTS ${table}`);
  }
}

function expressionsOf({
  on,
  whenMatched = [],
  whenNotMatched = [],
  whenNotMatchedBySource = [],
}: MergeOptions): string[] {
  const clauses = [...whenMatched, ...whenNotMatched, ...whenNotMatchedBySource];
  const values = clauses.flatMap((clause) => {
    const set = 'set' in clause ? clause.set : 'values' in clause ? clause.values : {};
    return set === '*' ? [] : Object.values(set);
  });
  return [on, ...clauses.flatMap(({ condition }) => condition ?? []), ...values];
}

async function attempt(
  parts: OperatedWithRows,
  snapshot: Snapshot,
  options: MergeOptions,
  sourceColumns: readonly string[],
): Promise<Attempt<Omit<MergeResult, 'version'>>> {
  const { session } = parts;
  const { whenMatched = [], whenNotMatchedBySource = [] } = options;
  const clauses = [...whenMatched, ...whenNotMatchedBySource];
  // Rows that the source lacks may be anywhere.
  checkNames(snapshot, sourceColumns);
  const prune = whenNotMatchedBySource.length > 0 ? undefined : options.prune;
  const target = await snapshot.relationWithPlaces(PLACES, prune === undefined ? {} : { where: prune });
  await match(session, target.relation, options).catch((error: unknown) => {
    throw explained(error, snapshot, sourceColumns);
  });
  await checkUnique(session, snapshot, whenMatched);
  const touched = await touchedBy(session, clauses, target.files);
  const inserted = await countOf(session, `SELECT count(*) AS n FROM ${INSERTS}`);
  const add = await written(parts, snapshot, { options, clauses, sourceColumns, touched, inserted });
  const removed = touched.map(({ file }) => file);
  const deleted = sum(touched.map((one) => one.deleted));
  const updated = sum(touched.map((one) => one.taken)) - deleted;
  const result = { inserted, updated, deleted, filesAdded: add.length, filesRemoved: removed.length };
  if (removed.length === 0 && add.length === 0) return { change: undefined, staged: add, result };
  return {
    result,
    staged: add,
    change: {
      operation: 'MERGE',
      mode: 'rewrite',
      add,
      remove: removed,
      read: {
        version: snapshot.version,
        files: [...target.files.values()],
        wouldRead: (file) => prune === undefined || snapshot.canMatch(file, prune),
      },
      operationParameters: { predicate: [options.on] },
      metrics: {
        numTargetRowsInserted: String(inserted),
        numTargetRowsUpdated: String(updated),
        numTargetRowsDeleted: String(deleted),
        numTargetFilesAdded: String(add.length),
        numTargetFilesRemoved: String(removed.length),
      },
    },
  };
}

/** Columns of a merge's own stand beside those of the table and the source. */
function checkNames({ schema, location }: Snapshot, sourceColumns: readonly string[]): void {
  const own: readonly string[] = Object.values(OWN);
  const taken = [...schema.fields.map(({ name }) => name), ...sourceColumns].find((name) =>
    own.includes(name.toLowerCase()),
  );
  if (taken === undefined) return;
  throw new SluiceError('SQL_INVALID', `${location}: a merge needs the column name ${taken} for itself`, {
    advice: 'Rename the column.',
    facts: { table: location, column: taken },
  });
}

function explained(error: unknown, { location, schema }: Snapshot, sourceColumns: readonly string[]): unknown {
  if (!(error instanceof SluiceError && ['SQL_INVALID', 'SQL_SYNTAX'].includes(error.code))) return error;
  const columns = schema.fields.map(({ name }) => name).join(', ');
  return new SluiceError(error.code, `${location}: MERGE: ${error.message.split('\n')[0] ?? ''}`, {
    advice: `target has the columns ${columns}; source has ${sourceColumns.join(', ')}.`,
    facts: { table: location },
    cause: error,
  });
}

/** Who belongs to whom, which clause takes which row, and which rows of the source are new. */
async function match(session: Session, target: string, options: MergeOptions): Promise<void> {
  const { on, whenMatched = [], whenNotMatched = [], whenNotMatchedBySource = [] } = options;
  const place = `target.${OWN.file} AS file, target.${OWN.row} AS row`;
  await session.run(
    `CREATE OR REPLACE TEMP TABLE ${PAIRS} AS SELECT ${place}, source.${OWN.source} AS source, ${clauseOf(whenMatched)} AS clause FROM ${target} AS target JOIN ${SOURCE} AS source ON (${on}\n)`,
  );
  const bySource = `SELECT ${place}, CAST(NULL AS BIGINT) AS source, ${clauseOf(whenNotMatchedBySource, whenMatched.length)} AS clause FROM ${target} AS target WHERE NOT EXISTS (FROM ${PAIRS} AS p WHERE p.file = target.${OWN.file} AND p.row = target.${OWN.row})`;
  const matched = `SELECT file, row, min(source) AS source, min(clause) AS clause FROM ${PAIRS} WHERE clause IS NOT NULL GROUP BY file, row`;
  await session.run(
    `CREATE OR REPLACE TEMP TABLE ${ACTIONS} AS SELECT file, row, source, clause AS ${OWN.clause} FROM (${matched}${whenNotMatchedBySource.length === 0 ? '' : ` UNION ALL ${bySource}`}) WHERE clause IS NOT NULL`,
  );
  await session.run(
    `CREATE OR REPLACE TEMP TABLE ${INSERTS} AS FROM (SELECT source.${OWN.source} AS source, ${clauseOf(whenNotMatched)} AS ${OWN.clause} FROM ${SOURCE} AS source WHERE NOT EXISTS (FROM ${PAIRS} AS p WHERE p.source = source.${OWN.source})) WHERE ${OWN.clause} IS NOT NULL`,
  );
}

/** Several rows of the source may only ever agree to delete a row. */
async function checkUnique(session: Session, { location }: Snapshot, clauses: readonly RowClause[]): Promise<void> {
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

interface Touched {
  readonly file: AddFile;
  readonly taken: bigint;
  readonly deleted: bigint;
}

async function touchedBy(
  session: Session,
  clauses: readonly RowClause[],
  files: ReadonlyMap<string, AddFile>,
): Promise<Touched[]> {
  const rows = await session.rows(
    `SELECT file, count(*) AS taken, count(*) FILTER (${isDelete(clauses)}) AS deleted FROM ${ACTIONS} AS a GROUP BY file`,
  );
  return rows.map(({ file: path, taken, deleted }) => {
    const file = files.get(textOf(path));
    if (file === undefined) throw new SluiceError('INTERNAL', `no file of the table is ${textOf(path)}`);
    return { file, taken: BigInt(textOf(taken)), deleted: BigInt(textOf(deleted)) };
  });
}

interface Rows {
  readonly options: MergeOptions;
  readonly clauses: readonly RowClause[];
  readonly sourceColumns: readonly string[];
  readonly touched: readonly Touched[];
  readonly inserted: bigint;
}

async function written(
  { table, session }: OperatedWithRows,
  snapshot: Snapshot,
  { options, clauses, sourceColumns, touched, inserted }: Rows,
): Promise<AddFile[]> {
  const { schema, partitionColumns, location } = snapshot;
  const changed = columnsOf(schema.fields, clauses, sourceColumns, (column) => `target.${column}`, location);
  const created = columnsOf(schema.fields, options.whenNotMatched ?? [], sourceColumns, () => 'NULL', location);
  const bySource = (to: string): string => `JOIN ${SOURCE} AS source ON source.${OWN.source} = ${to}.source`;
  const added: AddFile[] = [];
  const stage = async (query: string, wanted: bigint): Promise<void> => {
    const staged = await table.stage(session, query, { schema, partitionColumns });
    added.push(...staged);
    const found = sum(staged.map(({ rows = 0n }) => rows));
    if (found === wanted) return;
    throw new SluiceError('QUERY_FAILED', `${location}: ${String(found)} rows came out, not ${String(wanted)}`, {
      advice: 'Nothing was changed. Please report it.',
      facts: { table: location, version: snapshot.version },
    });
  };
  try {
    for (const group of groups(touched)) {
      const { relation } = await snapshot.relationWithPlaces(PLACES, { files: group.map(({ file }) => file) });
      const rows = `FROM ${relation} AS target LEFT JOIN ${ACTIONS} AS a ON a.file = target.${OWN.file} AND a.row = target.${OWN.row} LEFT ${bySource('a')} WHERE a.${OWN.clause} IS NULL OR NOT (${isDelete(clauses)})`;
      const all = await countOf(session, `SELECT count(*) AS n FROM ${relation}`);
      await stage(`SELECT ${changed} ${rows}`, all - sum(group.map(({ deleted }) => deleted)));
    }
    if (inserted > 0n) await stage(`SELECT ${created} FROM ${INSERTS} AS a ${bySource('a')}`, inserted);
    return added;
  } catch (error) {
    await table.discard(added).catch(() => undefined);
    throw error;
  }
}

function isDelete(clauses: readonly RowClause[]): string {
  const numbers = clauses.flatMap((clause, i) => ('delete' in clause ? [String(i)] : []));
  return numbers.length === 0 ? 'false' : `a.${quoteIdent(OWN.clause)} IN (${numbers.join(', ')})`;
}

async function countOf(session: Session, query: string): Promise<bigint> {
  const [row] = await session.rows(query);
  return BigInt(textOf(row?.['n']));
}

function sum(counts: readonly bigint[]): bigint {
  return counts.reduce((a, b) => a + b, 0n);
}
