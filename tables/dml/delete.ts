/**
 * DELETE: rows go, all of them in one commit.
 *
 * Promise: all or nothing; when others change what was read meanwhile, the whole is made anew from what there is then.
 * Source: Databricks, "DELETE FROM".
 */
import { operate, type Attempt, type OperatedOnRows } from '../operation.ts';
import type { Snapshot } from '../snapshot.ts';
import { rewriteFiles, type RewriteResult } from './rewrite.ts';
import { checkStable, inTransaction } from './stable.ts';
import { pruned, touchedFiles, type RowCondition } from './touched.ts';

/** @throws SluiceError `SQL_INVALID`, `TABLE_APPEND_ONLY`, `UNSUPPORTED_FEATURE`, `COMMIT_CONTENTION`, `STORAGE_*` */
export async function deleteRows(parts: OperatedOnRows, options: RowCondition): Promise<RewriteResult> {
  if (options.where !== undefined) await checkStable(parts.session, [options.where], parts.table.location);
  return operate({ ...parts, signal: options.signal }, 'rows', (snapshot) =>
    inTransaction(parts.session, () => withoutRows(parts, snapshot, options)),
  );
}

/** The table without the rows that a condition takes: as an attempt of this operation, or as a part of another. */
export async function withoutRows(
  parts: OperatedOnRows,
  snapshot: Snapshot,
  options: RowCondition,
): Promise<Attempt<Omit<RewriteResult, 'version'>>> {
  const condition = await pruned(parts.session, snapshot, options);
  const touched = await touchedFiles(parts.session, snapshot, condition);
  return rewriteFiles(parts, snapshot, touched, { operation: 'DELETE', condition });
}
