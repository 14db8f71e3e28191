/**
 * UPDATE: rows get other values, all of them in one commit.
 *
 * Promise: all or nothing; new values are computed from the old ones of their row; a value that does not fit its column is
 * refused. Source: Databricks, "UPDATE".
 */
import { generatedValues } from '../defaults/generated.ts';
import { checkNotSet } from '../defaults/identity.ts';
import { operate, type OperatedOnRows } from '../operation.ts';
import { assigned, NO_SOURCE } from './assignments.ts';
import { rewriteFiles, type RewriteResult } from './rewrite.ts';
import { checkStable, inTransaction } from './stable.ts';
import { TakenSql } from './taken-sql.ts';
import { checkBinds, pruned, touchedFiles, type RowCondition } from './touched.ts';

export interface UpdateOptions extends RowCondition {
  /** Columns, and for each SQL over the columns of its row. */
  readonly set: Readonly<Record<string, string>>;
}

/** @throws SluiceError as `deleteRows`, `UNKNOWN_COLUMN`, `VALUE_OUT_OF_RANGE` for a value that does not fit its column */
export async function updateRows(parts: OperatedOnRows, options: UpdateOptions): Promise<RewriteResult> {
  const { session, table } = parts;
  await checkStable(
    session,
    [...(options.where === undefined ? [] : [options.where]), ...Object.values(options.set)],
    table.location,
  );
  return operate({ ...parts, signal: options.signal }, 'rows', (snapshot) =>
    inTransaction(session, async () => {
      const values = assigned(options.set, snapshot.schema.fields, NO_SOURCE, snapshot.location);
      checkNotSet(
        snapshot.schema.fields.filter(({ name }) => values.has(name)),
        snapshot.location,
      );
      const unset = snapshot.schema.fields.filter(({ name }) => !values.has(name));
      const computed = await generatedValues(session, unset, snapshot.schema, snapshot.location);
      const condition = await pruned(session, snapshot, options);
      const touched = await touchedFiles(session, snapshot, condition);
      const rewrite = { operation: 'UPDATE', condition, values, computed } as const;
      await checkBinds(
        session,
        new TakenSql(snapshot.schema, rewrite).all(await snapshot.relation({ files: [] })),
        snapshot,
      );
      return rewriteFiles(parts, snapshot, touched, rewrite);
    }),
  );
}
