/**
 * Files that have rows to change are written anew (copy-on-write), the others are left alone.
 *
 * Promise: every row that is not meant stays as it is: the rows are counted before anything is committed.
 */
import { SluiceError } from '../../core/errors.ts';
import type { Change } from '../change.ts';
import type { AddFile } from '../log/actions.ts';
import { bytesOf, type Attempt, type OperatedWithRows } from '../operation.ts';
import type { Snapshot } from '../snapshot.ts';
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
  /** From a relation of old rows to the new ones. */
  readonly query: (relation: string) => string;
}

/** So much is read for one new file. */
const GROUP_BYTES = 128n * 2n ** 20n;

export async function rewriteFiles(
  parts: OperatedWithRows,
  snapshot: Snapshot,
  touched: readonly Touched[],
  rewrite: Rewrite,
): Promise<Attempt<Omit<RewriteResult, 'version'>>> {
  const { operation, condition } = rewrite;
  const isDelete = operation === 'DELETE';
  const removed = touched.map(({ file }) => file);
  const kept = isDelete ? touched.filter((file) => file.taken < file.rows) : touched;
  const add = await written(parts, snapshot, kept, rewrite);
  const rows = sum(touched.map((file) => file.taken));
  const result = { rows, filesAdded: add.length, filesRemoved: removed.length };
  if (removed.length === 0) return { change: undefined, staged: add, result };
  const change: Change = {
    operation,
    mode: 'rewrite',
    add,
    remove: removed,
    read: {
      version: snapshot.version,
      files: removed,
      wouldRead: (file) => snapshot.canMatch(file, condition.prune),
    },
    operationParameters: { predicate: condition.where === undefined ? [] : [condition.where] },
    metrics: { [isDelete ? 'numDeletedRows' : 'numUpdatedRows']: String(rows), numAddedFiles: String(add.length) },
  };
  return { change, staged: add, result };
}

async function written(
  { table, session }: OperatedWithRows,
  snapshot: Snapshot,
  files: readonly Touched[],
  { operation, query }: Rewrite,
): Promise<AddFile[]> {
  const { schema, partitionColumns } = snapshot;
  const added: AddFile[] = [];
  try {
    for (const group of groups(files)) {
      const relation = await snapshot.relation({ files: group.map(({ file }) => file) });
      const staged = await table.stage(session, query(relation), { schema, partitionColumns });
      added.push(...staged);
      const gone = operation === 'DELETE' ? sum(group.map((file) => file.taken)) : 0n;
      const wanted = sum(group.map((file) => file.rows)) - gone;
      const found = sum(staged.map(({ rows = 0n }) => rows));
      if (found !== wanted) throw miscounted(snapshot, found, wanted);
    }
    return added;
  } catch (error) {
    await table.discard(added).catch(() => undefined);
    throw error;
  }
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

function miscounted({ location, version }: Snapshot, found: bigint, wanted: bigint): SluiceError {
  return new SluiceError('QUERY_FAILED', `${location}: ${String(found)} rows came out, not ${String(wanted)}`, {
    advice: 'Nothing was changed. The condition must give the same answer each time: has it random() or now() in it?',
    facts: { table: location, version },
  });
}
