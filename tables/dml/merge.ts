/**
 * MERGE: rows of a source update, delete and insert rows of the table, all in one commit.
 *
 * Promise: all or nothing; the source is read once, also when the merge is made anew; a row of the table that several rows of
 * the source would change is an error, never a matter of chance; rows are counted before anything is committed.
 * Source: Databricks, "MERGE INTO".
 */
import { SluiceError } from '../../core/errors.ts';
import type { Field, StructType } from '../../core/schema.ts';
import { quoteIdent } from '../../engine/quoting.ts';
import type { AddFile } from '../log/actions.ts';
import { operate, type Attempt, type OperatedWithRows } from '../operation.ts';
import type { Snapshot } from '../snapshot.ts';
import type { SourceColumn, Star } from './assignments.ts';
import {
  ACTIONS,
  checkUnique,
  countOf,
  INSERTS,
  isDelete,
  match,
  MERGE_TABLES,
  PLACES,
  SOURCE,
  touchedBy,
  type MergeOptions,
  type MergeTouched,
} from './merge-match.ts';
import { mergeConditions } from './merge-prune.ts';
import { schemaAfter, updatedValue } from './merge-schema.ts';
import { columnsOf, OWN, predicatesOf, type RowClause } from './merge-sql.ts';
import { groups } from './rewrite.ts';
import { checkStable, inTransaction } from './stable.ts';
import { sum } from './shared.ts';
import { mayWiden } from '../widening.ts';

export interface MergeResult {
  /** The version that was made; undefined when nothing was to be done. */
  readonly version: bigint | undefined;
  readonly inserted: bigint;
  readonly updated: bigint;
  readonly deleted: bigint;
  readonly filesAdded: number;
  readonly filesRemoved: number;
}

/** @throws SluiceError `MERGE_AMBIGUOUS`, `SQL_INVALID`, `UNKNOWN_COLUMN`, `VALUE_OUT_OF_RANGE`, `COMMIT_CONTENTION`, `STORAGE_*` */
export async function mergeInto(parts: OperatedWithRows, options: MergeOptions): Promise<MergeResult> {
  const { session, table } = parts;
  await checkStable(session, expressionsOf(options), table.location);
  try {
    await session.run(
      `CREATE OR REPLACE TEMP TABLE ${SOURCE} AS SELECT *, row_number() OVER () AS ${OWN.source} FROM (${options.source}\n) AS s`,
    );
    const columns = (await session.describe(`FROM ${SOURCE}`)).slice(0, -1);
    return await operate({ ...parts, signal: options.signal }, 'rows', (snapshot) =>
      inTransaction(session, () => attempt(parts, snapshot, options, columns)),
    );
  } finally {
    for (const name of MERGE_TABLES) await session.run(`DROP TABLE IF EXISTS ${name}`);
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
  source: readonly SourceColumn[],
): Promise<Attempt<Omit<MergeResult, 'version'>>> {
  const { session } = parts;
  const { whenMatched = [], whenNotMatchedBySource = [] } = options;
  const clauses = [...whenMatched, ...whenNotMatchedBySource];
  checkNames(
    snapshot,
    source.map(({ name }) => name),
  );
  const schema = schemaAfter(snapshot.schema, source, options, {
    table: snapshot.location,
    widen: mayWiden(snapshot.properties),
  });
  // Rows that the source lacks may be anywhere.
  const prune = whenNotMatchedBySource.length > 0 ? [] : await mergeConditions(session, snapshot, options.on, SOURCE);
  const target = await snapshot.relationWithPlaces(PLACES, { where: prune });
  await match(session, snapshot, target.relation, options, source);
  await checkUnique(session, snapshot, whenMatched);
  const touched = await touchedBy(session, clauses, target.files);
  const inserted = await countOf(session, `SELECT count(*) AS n FROM ${INSERTS}`);
  const add = await written(parts, snapshot, { options, schema, clauses, source, touched, inserted });
  const removed = touched.map(({ file }) => file);
  const deleted = sum(touched.map((one) => one.deleted));
  const updated = sum(touched.map((one) => one.taken)) - deleted;
  const result = { inserted, updated, deleted, filesAdded: add.length, filesRemoved: removed.length };
  const isSame = schema === snapshot.schema;
  if (removed.length === 0 && add.length === 0 && isSame) return { change: undefined, staged: add, result };
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
        wouldRead: (file) => snapshot.canMatch(file, prune),
      },
      ...(isSame ? {} : { schema }),
      operationParameters: {
        predicate: [options.on],
        matchedPredicates: predicatesOf(whenMatched),
        notMatchedPredicates: predicatesOf(options.whenNotMatched ?? []),
        notMatchedBySourcePredicates: predicatesOf(whenNotMatchedBySource),
      },
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

interface Rows {
  readonly options: MergeOptions;
  /** Of the table after the merge. */
  readonly schema: StructType;
  readonly clauses: readonly RowClause[];
  readonly source: readonly SourceColumn[];
  readonly touched: readonly MergeTouched[];
  readonly inserted: bigint;
}

async function written(
  { table, session }: OperatedWithRows,
  snapshot: Snapshot,
  { options, schema, clauses, source, touched, inserted }: Rows,
): Promise<AddFile[]> {
  const { partitionColumns, location } = snapshot;
  const isPartial = options.withSchemaEvolution === true;
  const before = new Map(snapshot.schema.fields.map((field) => [field.name, field.type]));
  const kept = ({ name }: Field): string => (before.has(name) ? `target.${quoteIdent(name)}` : 'NULL');
  const update: Star = { source, isPartial, value: (field, own) => updatedValue(field, before.get(field.name), own) };
  const insert: Star = { source, isPartial, value: (_, own) => `source.${quoteIdent(own.name)}` };
  const changed = columnsOf(schema.fields, clauses, update, kept, location);
  const created = columnsOf(schema.fields, options.whenNotMatched ?? [], insert, () => 'NULL', location);
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
