/**
 * Which files have rows that a condition takes, and how many.
 *
 * Promise: a condition that is NULL takes no row, as in SQL's WHERE; files that cannot have such rows are not opened where
 * their statistics or partitions say so.
 */
import { SluiceError } from '../../core/errors.ts';
import { quoteIdent } from '../../engine/quoting.ts';
import type { Session } from '../../engine/session.ts';
import { textOf } from '../../engine/values.ts';
import type { AddFile } from '../log/actions.ts';
import { findPredicates, toConditions } from '../conditions.ts';
import type { Condition } from '../prune.ts';
import { unusedName } from '../relation.ts';
import { explained } from './shared.ts';
import { tellStep, type Stepwise } from './steps.ts';
import type { Snapshot } from '../snapshot.ts';

export interface RowCondition extends Stepwise {
  /** SQL over the table's columns; without it every row is meant. */
  readonly where?: string;
  /** Aborted to stop before the commit. */
  readonly signal?: AbortSignal;
}

export interface PrunedCondition extends RowCondition {
  /** Conjuncts of it that files can be left out by. */
  readonly prune: readonly Condition[];
}

export interface Touched {
  readonly file: AddFile;
  /** How many rows it has, and how many of them are taken. */
  readonly rows: bigint;
  readonly taken: bigint;
}

/** The condition as SQL that is true or false, never NULL. */
export function isTaken({ where }: RowCondition): string {
  return where === undefined ? 'true' : `coalesce((${where}\n), false)`;
}

/** A condition with what the statistics of files can answer of it. */
export async function pruned<T extends RowCondition>(
  session: Session,
  { schema }: Snapshot,
  condition: T,
): Promise<T & PrunedCondition> {
  if (condition.where === undefined) return { ...condition, prune: [] };
  const tree = await session.serialize(`SELECT * FROM t WHERE (${condition.where}\n)`);
  return { ...condition, prune: [...findPredicates(tree).values()].flatMap((found) => toConditions(found, schema)) };
}

/** @throws SluiceError `SQL_INVALID`, `SQL_SYNTAX`, `UNKNOWN_COLUMN` for a condition that is none */
export async function touchedFiles(
  session: Session,
  snapshot: Snapshot,
  condition: PrunedCondition,
): Promise<Touched[]> {
  tellStep(condition, 'finding rows');
  const path = unusedName(snapshot.schema, '__sluice_path');
  const { relation, files } = await snapshot.relationWithPlaces({ file: path }, { where: condition.prune });
  const found = await session
    .rows(
      `SELECT ${quoteIdent(path)} AS path, count(*) FILTER (${isTaken(condition)}) AS taken, count(*) AS rows FROM ${relation} AS t GROUP BY ALL HAVING count(*) FILTER (${isTaken(condition)}) > 0`,
    )
    .catch((error: unknown) => {
      throw explained(error, `WHERE ${condition.where ?? ''}`, snapshot.location, columnsOf(snapshot));
    });
  return found.map(({ path, taken, rows }) => {
    const file = files.get(textOf(path));
    if (file === undefined) throw new SluiceError('INTERNAL', `no file of the table is ${textOf(path)}`);
    return { file, rows: BigInt(textOf(rows)), taken: BigInt(textOf(taken)) };
  });
}

/** @throws SluiceError `SQL_INVALID` when a query over the table's columns means nothing */
export async function checkBinds(session: Session, query: string, snapshot: Snapshot): Promise<void> {
  await session.describe(query).catch((error: unknown) => {
    throw explained(error, 'SET', snapshot.location, columnsOf(snapshot));
  });
}

function columnsOf({ schema }: Snapshot): string {
  return `The columns are ${schema.fields.map(({ name }) => name).join(', ')}.`;
}
