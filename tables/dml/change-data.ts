/**
 * Changes of rows, written beside the change itself: what a table that keeps a change data feed (`delta.enableChangeDataFeed`) owes those
 * who follow it.
 *
 * Promise: a version that has any such file has all of its changes in them, since readers look at nothing else then. Where files only come
 * and go, or deletion vectors grow, the changes follow from that and none are written.
 * Source: Delta protocol, "Add CDC File", "Change Data Files".
 */
import { field, primitive, struct } from '../../core/schema.ts';
import { quoteIdent, quoteString } from '../../engine/quoting.ts';
import type { AddFile } from '../log/actions.ts';
import { isActive } from '../log/features.ts';
import type { OperatedWithRows } from '../operation.ts';
import type { Snapshot } from '../snapshot.ts';
import type { Shape } from '../write.ts';

export type ChangeType = 'insert' | 'update_preimage' | 'update_postimage' | 'delete';

/** The column that says what became of a row. */
export const CHANGE_TYPE = field('_change_type', primitive('string'));

/** Whether changes of rows of this table are to be recorded. */
export function recordsChanges({ protocol, metadata }: Snapshot): boolean {
  return isActive('changeDataFeed', { protocol, metadata });
}

/** The column of a query over changes. @example changedAs('delete') // `'delete' AS "_change_type"` */
export function changedAs(type: ChangeType): string {
  return `${quoteString(type)} AS ${quoteIdent(CHANGE_TYPE.name)}`;
}

/**
 * Writes the changes that some queries give, each with the table's columns and `CHANGE_TYPE`.
 * @param shape of the table after the change
 */
export async function stageChanges(
  { table, session }: OperatedWithRows,
  { schema, partitionColumns }: Shape,
  queries: readonly string[],
): Promise<AddFile[]> {
  if (queries.length === 0) return [];
  const columns = [...schema.fields, CHANGE_TYPE];
  const names = columns.map(({ name }) => quoteIdent(name)).join(', ');
  const all = queries.map((query) => `SELECT ${names} FROM (${query}) AS c`).join(' UNION ALL ');
  return table.stage(session, all, { schema: struct(columns), partitionColumns, areChanges: true });
}

/** What Spark calls them. */
export function changeMetrics(changes: readonly AddFile[]): Readonly<Record<string, string>> {
  const bytes = changes.reduce((sum, file) => sum + file.bytes, 0n);
  return { numAddedChangeFiles: String(changes.length), changeFileBytes: String(bytes) };
}
