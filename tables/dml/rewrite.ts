/**
 * Rows that are changed or deleted: their files are written anew (copy-on-write), or, where the table has deletion vectors, stay as they
 * are while a vector takes the rows out (merge-on-read). Other files are left alone.
 *
 * Promise: every row that is not meant stays as it is: the rows are counted before anything is committed.
 */
import type { Change } from '../change.ts';
import type { AddFile } from '../log/actions.ts';
import { bytesOf, type Attempt, type OperatedOnRows, type StagedFile } from '../operation.ts';
import { unusedName } from '../relation.ts';
import type { Snapshot } from '../snapshot.ts';
import { changeMetrics, recordsChanges, stageChanges } from './change-data.ts';
import { markRows, marksRows, vectorMetrics, type Places } from './mark.ts';
import { TakenSql } from './taken-sql.ts';
import type { PrunedCondition, Touched } from './touched.ts';
import { checkCount, rowsIn, sum } from './shared.ts';

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
  const rows = sum(touched.map((file) => file.taken));
  const { add, changes, staged } = await written(parts, snapshot, touched, rewrite);
  const result = { rows, filesAdded: add.length, filesRemoved: removed.length };
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
      numAddedFiles: String(add.length),
      ...vectorMetrics(removed, add),
      ...changeMetrics(changes),
    },
  };
  return { change, staged, result };
}

export interface Written {
  readonly add: readonly AddFile[];
  readonly changes: readonly AddFile[];
  /** All that was written, the files of deletion vectors too. */
  readonly staged: readonly StagedFile[];
}

/** What takes the place of the files: new ones, or themselves with other deletion vectors; and the changes of rows, if they are kept. */
async function written(
  parts: OperatedOnRows,
  snapshot: Snapshot,
  touched: readonly Touched[],
  rewrite: Rewrite,
): Promise<Written> {
  const { table } = parts;
  const isDelete = rewrite.values === undefined;
  const sql = new TakenSql(snapshot.schema, rewrite);
  const marks = marksRows(snapshot);
  const partly = touched.filter(({ taken, rows }) => taken < rows);
  // Files that go as a whole, and vectors that grow, say themselves which rows went.
  const records = recordsChanges(snapshot) && (!isDelete || (!marks && partly.length > 0));
  const [add, changes, staged]: [AddFile[], AddFile[], StagedFile[]] = [[], [], []];
  try {
    for (const group of groups(touched)) {
      const files = group.map(({ file }) => file);
      const kept = isDelete ? group.filter(({ taken, rows }) => taken < rows) : group;
      const relation = await snapshot.relation({ files: kept.map(({ file }) => file) });
      if (marks) {
        const some = group.filter(({ taken, rows }) => taken < rows);
        const marked = await markRows(parts, snapshot, some, await places(snapshot, some, sql));
        add.push(...marked.add);
        staged.push(...marked.staged);
      }
      const query = marks ? sql.news(relation) : sql.all(relation);
      if (query !== undefined && kept.length > 0) {
        const wanted = sum(kept.map(({ rows, taken }) => (marks ? taken : isDelete ? rows - taken : rows)));
        const news = await table.stage(parts.session, query, snapshot);
        staged.push(...news);
        add.push(...news);
        const advice = 'The condition must give the same answer each time: has it random() or now() in it?';
        checkCount(snapshot, rowsIn(news), wanted, advice);
      }
      if (records) {
        const recorded = await stageChanges(parts, snapshot, sql.changes(await snapshot.relation({ files })));
        staged.push(...recorded);
        changes.push(...recorded);
      }
    }
    return { add, changes, staged };
  } catch (error) {
    await table.discard(staged).catch(() => undefined);
    throw error;
  }
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
