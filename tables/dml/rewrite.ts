/**
 * Rows that are changed or deleted: their files are written anew (copy-on-write), or, where the table has deletion vectors, stay as they
 * are while a vector takes the rows out (merge-on-read). Other files are left alone.
 *
 * Promise: every row that is not meant stays as it is: the rows are counted before anything is committed.
 */
import type { Change } from '../change.ts';
import type { AddFile } from '../log/actions.ts';
import { bytesOf, type Attempt, type OperatedOnRows } from '../operation.ts';
import { unusedName } from '../relation.ts';
import type { Snapshot } from '../snapshot.ts';
import { changeMetrics, recordsChanges } from './change-data.ts';
import { fileCounts, marksRows, vectorMetrics, type Places } from './mark.ts';
import { staging, type Written } from './staging.ts';
import { tellStep } from './steps.ts';
import { TakenSql } from './taken-sql.ts';
import type { PrunedCondition, Touched } from './touched.ts';
import { sum } from './shared.ts';

export interface RewriteResult {
  /** The version that was made; undefined when no row was meant. */
  readonly version: bigint | undefined;
  /** How many rows were deleted, or updated. */
  readonly rows: bigint;
  readonly filesAdded: number;
  readonly filesRemoved: number;
}

export interface Rewrite {
  readonly operation: 'DELETE' | 'UPDATE';
  readonly condition: PrunedCondition;
  /** New values of columns, in rows that are taken; without it such rows go. */
  readonly values?: ReadonlyMap<string, string>;
  /** Columns that are computed from the others of their row then. */
  readonly computed?: ReadonlyMap<string, string>;
}

/** So much is read for one new file. */
const GROUP_BYTES = 128n * 2n ** 20n;

export async function rewriteFiles(
  parts: OperatedOnRows,
  snapshot: Snapshot,
  touched: readonly Touched[],
  rewrite: Rewrite,
): Promise<Attempt<Omit<RewriteResult, 'version'>>> {
  const { operation, condition, values } = rewrite;
  const removed = touched.map(({ file }) => file);
  const rows = takenOf(touched);
  const { add, changes, staged } = await written(parts, snapshot, touched, rewrite);
  const counts = fileCounts(removed, add);
  const result = { rows, ...counts };
  if (removed.length === 0) return { change: undefined, staged, result };
  const change: Change = {
    operation,
    mode: 'rewrite',
    add,
    remove: removed,
    changes,
    read: {
      version: snapshot.version,
      files: removed,
      wouldRead: (file) => snapshot.canMatch(file, condition.prune),
    },
    operationParameters: { predicate: condition.where === undefined ? [] : [condition.where] },
    metrics: {
      [values === undefined ? 'numDeletedRows' : 'numUpdatedRows']: String(rows),
      numAddedFiles: String(counts.filesAdded),
      numRemovedFiles: String(counts.filesRemoved),
      ...vectorMetrics('num', removed, add),
      ...changeMetrics(changes),
    },
  };
  return { change, staged, result };
}

/** What takes the place of the files: new ones, or themselves with other deletion vectors; and the changes of rows, if they are kept. */
async function written(
  parts: OperatedOnRows,
  snapshot: Snapshot,
  touched: readonly Touched[],
  rewrite: Rewrite,
): Promise<Written> {
  const { schema, partitionColumns } = snapshot;
  const sql = new TakenSql(schema, rewrite);
  const [isDelete, marks] = [rewrite.values === undefined, marksRows(snapshot)];
  // Files that go as a whole, and vectors that grow, say themselves which rows went.
  const records = recordsChanges(snapshot) && (!isDelete || (!marks && touched.some(keepsRows)));
  const advice = 'The condition must give the same answer each time: has it random() or now() in it?';
  return staging(parts, snapshot, { shape: { schema, partitionColumns }, records, advice }, async (to) => {
    const all = groups(touched);
    for (const [i, group] of all.entries()) {
      tellStep(rewrite.condition, 'writing rows', i + 1, all.length);
      const some = group.filter(keepsRows);
      if (marks && some.length > 0) await to.mark(some, await places(snapshot, some, sql));
      if (marks && !isDelete) await to.rows(sql.news(await relationOf(snapshot, group)), takenOf(group));
      const kept = isDelete ? some : group;
      if (!marks && kept.length > 0) {
        await to.rows(sql.all(await relationOf(snapshot, kept)), rowsOf(kept) - (isDelete ? takenOf(kept) : 0n));
      }
      await to.record(async () => sql.changes(await relationOf(snapshot, group)));
    }
  });
}

function keepsRows({ taken, rows }: Touched): boolean {
  return taken < rows;
}

function takenOf(touched: readonly Touched[]): bigint {
  return sum(touched.map(({ taken }) => taken));
}

function rowsOf(touched: readonly Touched[]): bigint {
  return sum(touched.map(({ rows }) => rows));
}

async function relationOf(snapshot: Snapshot, touched: readonly Touched[]): Promise<string> {
  return snapshot.relation({ files: touched.map(({ file }) => file) });
}

async function places(snapshot: Snapshot, touched: readonly Touched[], sql: TakenSql): Promise<Places> {
  const names = {
    file: unusedName(snapshot.schema, '__sluice_path'),
    row: unusedName(snapshot.schema, '__sluice_row'),
  };
  const { relation, files } = await snapshot.relationWithPlaces(names, { files: touched.map(({ file }) => file) });
  return { ...names, files, query: sql.places(relation, names) };
}

/** Files that are written anew together: what is read for one new file is bounded. */
export function groups<T extends { readonly file: AddFile }>(files: readonly T[]): T[][] {
  const all: T[][] = [];
  let group: T[] = [];
  for (const file of files) {
    group.push(file);
    if (bytesOf(group.map((one) => one.file)) < GROUP_BYTES) continue;
    all.push(group);
    group = [];
  }
  return group.length === 0 ? all : [...all, group];
}
