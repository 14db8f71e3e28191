/**
 * DELETE: rows go, all of them in one commit.
 *
 * Promise: all or nothing; when others change what was read meanwhile, the whole is made anew from what there is then.
 * Source: Databricks, "DELETE FROM".
 */
import { operate, type Attempt, type OperatedWithRows } from '../operation.ts';
import type { Snapshot } from '../snapshot.ts';
import { rewriteFiles, type RewriteResult } from './rewrite.ts';
import { checkStable, inTransaction } from './stable.ts';
import { isTaken, pruned, touchedFiles, type RowCondition } from './touched.ts';

/** @throws SluiceError `SQL_INVALID`, `TABLE_APPEND_ONLY`, `UNSUPPORTED_FEATURE`, `COMMIT_CONTENTION`, `STORAGE_*` */
export async function deleteRows(parts: OperatedWithRows, options: RowCondition): Promise<RewriteResult> {
  if (options.where !== undefined) await checkStable(parts.session, [options.where], parts.table.location);
  return operate({ ...parts, signal: options.signal }, 'rows', (snapshot) =>
    inTransaction(parts.session, () => withoutRows(parts, snapshot, options)),
  );
}

/** The table without the rows that a condition takes: as an attempt of this operation, or as a part of another. */
export async function withoutRows(
  parts: OperatedWithRows,
  snapshot: Snapshot,
  options: RowCondition,
): Promise<Attempt<Omit<RewriteResult, 'version'>>> {
  const condition = await pruned(parts.session, snapshot, options);
  const touched = await touchedFiles(parts.session, snapshot, condition);
  const query = (relation: string): string => `SELECT * FROM ${relation} AS t WHERE NOT ${isTaken(condition)}`;
  return rewriteFiles(parts, snapshot, touched, { operation: 'DELETE', condition, query });
}
