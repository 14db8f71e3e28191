/**
 * UPDATE: rows get other values, all of them in one commit.
 *
 * Promise: all or nothing; new values are computed from the old ones of their row; a value that does not fit its column is
 * refused. Source: Databricks, "UPDATE".
 */
import { SluiceError } from '../../core/errors.ts';
import { suggest } from '../../core/suggest.ts';
import { quoteIdent } from '../../engine/quoting.ts';
import { duckdbType } from '../../engine/types.ts';
import { operate, type OperatedWithRows } from '../operation.ts';
import type { Snapshot } from '../snapshot.ts';
import { rewriteFiles, type RewriteResult } from './rewrite.ts';
import { isTaken, touchedFiles, type RowCondition } from './touched.ts';

export interface UpdateOptions extends RowCondition {
  /** Columns, and for each SQL over the columns of its row. */
  readonly set: Readonly<Record<string, string>>;
}

/** @throws SluiceError as `deleteRows`, `UNKNOWN_COLUMN`, `VALUE_OUT_OF_RANGE` for a value that does not fit its column */
export async function updateRows(parts: OperatedWithRows, options: UpdateOptions): Promise<RewriteResult> {
  return operate(parts, async (snapshot) => {
    const values = assignments(snapshot, options.set);
    const touched = await touchedFiles(parts.session, snapshot, options);
    const columns = snapshot.schema.fields.map(({ name, type }) => {
      const column = quoteIdent(name);
      const value = values.get(name);
      if (value === undefined) return column;
      return `CASE WHEN ${isTaken(options)} THEN CAST((${value}\n) AS ${duckdbType(type)}) ELSE ${column} END AS ${column}`;
    });
    const query = (relation: string): string => `SELECT ${columns.join(', ')} FROM ${relation} AS t`;
    return rewriteFiles(parts, snapshot, touched, { operation: 'UPDATE', condition: options, query });
  });
}

/** The columns as the table spells them. */
function assignments({ schema, location }: Snapshot, set: UpdateOptions['set']): Map<string, string> {
  const names = schema.fields.map(({ name }) => name);
  const found = new Map<string, string>();
  for (const [column, value] of Object.entries(set)) {
    const name = names.find((one) => one.toLowerCase() === column.toLowerCase());
    if (name === undefined) {
      const near = suggest(column, names);
      throw new SluiceError('UNKNOWN_COLUMN', `${location} has no column ${column}`, {
        advice: near === undefined ? `There are: ${names.join(', ')}.` : `Did you mean ${near}?`,
        facts: { table: location, column },
      });
    }
    if (found.has(name)) throw new SluiceError('SQL_INVALID', `${location}: the column ${name} is set twice`);
    found.set(name, value);
  }
  return found;
}
