/**
 * MERGE: rows of a source update, delete and insert rows of the table, all in one commit.
 *
 * Promise: all or nothing; the source is read once, also when the merge is made anew; a row of the table that several rows of
 * the source would change is an error, never a matter of chance; rows are counted before anything is committed.
 * Source: Databricks, "MERGE INTO".
 */
import { SluiceError } from '../../core/errors.ts';
import { operate, type Attempt, type OperatedOnRows } from '../operation.ts';
import type { Snapshot } from '../snapshot.ts';
import type { SourceColumn } from './assignments.ts';
import { fileCounts, vectorMetrics } from './mark.ts';
import {
  checkUnique,
  countOf,
  INSERTS,
  match,
  MERGE_TABLES,
  PLACES,
  SOURCE,
  touchedBy,
  type MergeOptions,
} from './merge-match.ts';
import { mergeConditions } from './merge-prune.ts';
import { schemaAfter } from './merge-schema.ts';
import { OWN, predicatesOf } from './merge-sql.ts';
import { writeMerged } from './merge-write.ts';
import { checkStable, inTransaction } from './stable.ts';
import { tellStep } from './steps.ts';
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
export async function mergeInto(parts: OperatedOnRows, options: MergeOptions): Promise<MergeResult> {
  const { session, table } = parts;
  await checkStable(session, expressionsOf(options), table.location);
  try {
    tellStep(options, 'reading the source');
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
  parts: OperatedOnRows,
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
  tellStep(options, 'finding rows');
  await match(session, snapshot, target.relation, options, source);
  await checkUnique(session, snapshot, whenMatched);
  const touched = await touchedBy(session, clauses, target.files);
  const inserted = await countOf(session, `SELECT count(*) AS n FROM ${INSERTS}`);
  const { add, changes, staged } = await writeMerged(parts, snapshot, {
    options,
    schema,
    clauses,
    source,
    touched,
    inserted,
  });
  const removed = touched.map(({ file }) => file);
  const deleted = sum(touched.map((one) => one.deleted));
  const updated = sum(touched.map((one) => one.taken)) - deleted;
  const counts = fileCounts(removed, add);
  const result = { inserted, updated, deleted, ...counts };
  const isSame = schema === snapshot.schema;
  if (removed.length === 0 && add.length === 0 && isSame) return { change: undefined, staged, result };
  return {
    result,
    staged,
    change: {
      operation: 'MERGE',
      mode: 'rewrite',
      add,
      remove: removed,
      changes,
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
        numTargetFilesAdded: String(counts.filesAdded),
        numTargetFilesRemoved: String(counts.filesRemoved),
        numTargetChangeFilesAdded: String(changes.length),
        ...vectorMetrics('numTarget', removed, add),
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
