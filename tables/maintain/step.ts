/** One commit of an OPTIMIZE: files of a table that other files take the place of, row for row. */
import { SluiceError } from '../../core/errors.ts';
import type { Session } from '../../engine/session.ts';
import { textOf } from '../../engine/values.ts';
import type { AddFile } from '../log/actions.ts';
import { bytesOf, type Attempt, type Steps } from '../operation.ts';
import type { Snapshot } from '../snapshot.ts';

export interface Step {
  readonly added: readonly AddFile[];
  readonly removed: readonly AddFile[];
  /** What is still to be written anew. */
  readonly leftBytes: bigint;
}

export interface StepReasons {
  readonly where?: string | undefined;
  readonly zOrderBy?: readonly string[];
  /** Of a clustered table. */
  readonly clusterBy?: readonly string[];
  /** Whether it is only there for the deleted rows to go: other engines call that REORG. @default false */
  readonly purge?: boolean;
  /** Whether nobody asked for it. @default false */
  readonly auto?: boolean;
}

/** The step as a commit that changes no row: nobody who follows the table reads it. */
export function stepAttempt(
  snapshot: Snapshot,
  step: Step,
  { where, zOrderBy = [], clusterBy, purge = false, auto = false }: StepReasons,
): Attempt<Step> {
  const { added, removed } = step;
  const predicate = where === undefined ? [] : [where];
  if (removed.length === 0) return { change: undefined, staged: added, result: step };
  return {
    result: step,
    staged: added,
    change: {
      operation: purge ? 'REORG' : 'OPTIMIZE',
      mode: 'rewrite',
      dataChange: false,
      add: added,
      remove: removed,
      read: { version: snapshot.version, files: removed, wouldRead: () => false },
      operationParameters: purge
        ? { predicate, applyPurge: true }
        : { predicate, zOrderBy, ...(clusterBy === undefined ? {} : { clusterBy }), auto },
      metrics: {
        numAddedFiles: String(added.length),
        numAddedBytes: String(bytesOf(added)),
        numRemovedBytes: String(bytesOf(removed)),
      },
    },
  };
}

export async function countRows(session: Session, relation: string): Promise<bigint> {
  const [counted] = await session.rows(`SELECT count(*) AS n FROM ${relation}`);
  return BigInt(textOf(counted?.['n']));
}

/** @throws SluiceError `INTERNAL` when rows were lost or made; the files are deleted */
export async function checkRows(
  table: Steps,
  { location, version }: Snapshot,
  added: readonly AddFile[],
  before: bigint,
): Promise<void> {
  const rows = added.reduce((sum, file) => sum + (file.rows ?? 0n), 0n);
  if (rows === before) return;
  await table.discard(added);
  throw new SluiceError('INTERNAL', `${location}: ${String(before)} rows became ${String(rows)}`, {
    advice: 'Nothing was changed. Please report it.',
    facts: { table: location, version },
  });
}
