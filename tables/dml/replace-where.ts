/**
 * The overwrite of the rows that a condition takes (`replaceWhere`): they go as in a DELETE, and the new ones come, in one commit.
 *
 * Promise: every new row meets the condition; each old row that does not stays as it is; a table that keeps a change data feed
 * records both halves or neither.
 */
import { SluiceError } from '../../core/errors.ts';
import type { Change } from '../change.ts';
import type { AddFile } from '../log/actions.ts';
import type { Attempt, OperatedOnRows } from '../operation.ts';
import type { Snapshot } from '../snapshot.ts';
import type { Shape } from '../write.ts';
import { changedAs, stageChanges } from './change-data.ts';
import { withoutRows } from './delete.ts';
import type { RewriteResult } from './rewrite.ts';
import { explained, rowsIn } from './shared.ts';
import { isTaken, type RowCondition } from './touched.ts';

export interface RowReplacement extends RowCondition {
  readonly where: string;
  /** The new rows, staged. */
  readonly add: readonly AddFile[];
  /** What the table is afterwards. */
  readonly target: Shape;
  /** What the change says of itself whatever it replaces. */
  readonly base: Pick<Change, 'operation' | 'partitionColumns' | 'schema' | 'operationParameters'>;
}

/** @throws SluiceError `REPLACE_WHERE_MISMATCH`; what was staged here is deleted then, `add` is not */
export async function replaceRows(
  parts: OperatedOnRows,
  snapshot: Snapshot,
  replacement: RowReplacement,
): Promise<Attempt<Omit<RewriteResult, 'version'>>> {
  const { where, add, base, signal, onStep } = replacement;
  await checkMatch(parts, snapshot, replacement);
  const gone = await withoutRows(parts, snapshot, {
    where,
    ...(signal === undefined ? {} : { signal }),
    ...(onStep === undefined ? {} : { onStep }),
  });
  const { filesRemoved, rows } = gone.result;
  const result = { rows: rowsIn(add), filesAdded: gone.result.filesAdded + add.length, filesRemoved };
  if (add.length === 0 && gone.change === undefined) return { change: undefined, staged: [], result };
  const { metrics, ...change } = gone.change ?? nothingGone(snapshot);
  const inserted = await recorded(parts, snapshot, replacement, change).catch(async (error: unknown) => {
    await parts.table.discard(gone.staged).catch(() => undefined);
    throw error;
  });
  const copied = change.add.filter(({ deletionVector }) => deletionVector === undefined);
  return {
    staged: [...add, ...gone.staged, ...inserted],
    result,
    change: {
      ...change,
      ...base,
      add: [...change.add, ...add],
      changes: [...(change.changes ?? []), ...inserted],
      metrics: { ...metrics, numDeletedRows: String(rows), numCopiedRows: String(rowsIn(copied)) },
      operationParameters: { ...base.operationParameters, predicate: where },
    },
  };
}

/** A version that records that rows went records that rows came. */
async function recorded(
  parts: OperatedOnRows,
  snapshot: Snapshot,
  { add, target }: RowReplacement,
  { changes = [] }: Pick<Change, 'changes'>,
): Promise<AddFile[]> {
  if (changes.length === 0 || add.length === 0) return [];
  const relation = await snapshot.relationOver(target, add);
  return stageChanges(parts, target, [`SELECT *, ${changedAs('insert')} FROM ${relation}`]);
}

/** Rows that came meanwhile would have been replaced. */
function nothingGone({ version }: Snapshot): Change {
  return {
    operation: 'WRITE',
    mode: 'rewrite',
    add: [],
    remove: [],
    read: { version, files: [], wouldRead: () => true },
  };
}

/** Looks at what was written: so the source is read once, and the values are those of the table's types. */
async function checkMatch(
  { session }: OperatedOnRows,
  snapshot: Snapshot,
  { add, target, where: replaceWhere }: RowReplacement,
): Promise<void> {
  const { location } = snapshot;
  const relation = await snapshot.relationOver(target, add);
  const query = `SELECT to_json(t)::VARCHAR AS row FROM ${relation} AS t WHERE NOT ${isTaken({ where: replaceWhere })} LIMIT 1`;
  const [wrong] = await session.rows(query).catch((error: unknown) => {
    const columns = target.schema.fields.map(({ name }) => name).join(', ');
    throw explained(error, `replaceWhere ${replaceWhere}`, location, `The columns are ${columns}.`);
  });
  if (wrong === undefined) return;
  const row = typeof wrong['row'] === 'string' ? wrong['row'] : '';
  throw new SluiceError(
    'REPLACE_WHERE_MISMATCH',
    `${location}: a new row does not meet replaceWhere (${replaceWhere}): ${row}`,
    {
      advice: 'Nothing was changed. Filter the new rows by the same condition, or widen it.',
      facts: { table: location, replaceWhere, row },
    },
  );
}
