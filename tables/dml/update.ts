/**
 * UPDATE: rows get other values, all of them in one commit.
 *
 * Promise: all or nothing; new values are computed from the old ones of their row; a value that does not fit its column is
 * refused. Source: Databricks, "UPDATE".
 */
import { quoteIdent } from '../../engine/quoting.ts';
import { duckdbType } from '../../engine/types.ts';
import { operate, type OperatedWithRows } from '../operation.ts';
import { assigned, NO_SOURCE } from './assignments.ts';
import { rewriteFiles, type RewriteResult } from './rewrite.ts';
import { checkStable, inTransaction } from './stable.ts';
import { checkBinds, isTaken, pruned, touchedFiles, type RowCondition } from './touched.ts';

export interface UpdateOptions extends RowCondition {
  /** Columns, and for each SQL over the columns of its row. */
  readonly set: Readonly<Record<string, string>>;
}

/** @throws SluiceError as `deleteRows`, `UNKNOWN_COLUMN`, `VALUE_OUT_OF_RANGE` for a value that does not fit its column */
export async function updateRows(parts: OperatedWithRows, options: UpdateOptions): Promise<RewriteResult> {
  const { session, table } = parts;
  await checkStable(
    session,
    [...(options.where === undefined ? [] : [options.where]), ...Object.values(options.set)],
    table.location,
  );
  return operate({ ...parts, signal: options.signal }, 'rows', (snapshot) =>
    inTransaction(session, async () => {
      const values = assigned(options.set, snapshot.schema.fields, NO_SOURCE, snapshot.location);
      const condition = await pruned(session, snapshot, options);
      const touched = await touchedFiles(session, snapshot, condition);
      const columns = snapshot.schema.fields.map(({ name, type }) => {
        const column = quoteIdent(name);
        const value = values.get(name);
        if (value === undefined) return column;
        return `CASE WHEN ${isTaken(options)} THEN CAST((${value}\n) AS ${duckdbType(type)}) ELSE ${column} END AS ${column}`;
      });
      const query = (relation: string): string => `SELECT ${columns.join(', ')} FROM ${relation} AS t`;
      await checkBinds(session, query(await snapshot.relation({ files: [] })), snapshot);
      return rewriteFiles(parts, snapshot, touched, { operation: 'UPDATE', condition, query });
    }),
  );
}
