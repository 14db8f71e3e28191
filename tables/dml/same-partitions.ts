/**
 * Which files lie in the partitions that new files lie in.
 *
 * Promise: values are compared as values, not as texts: engines write one time or decimal in several ways.
 */
import type { Field } from '../../core/schema.ts';
import { quoteIdent } from '../../engine/quoting.ts';
import type { Session } from '../../engine/session.ts';
import type { AddFile } from '../log/actions.ts';
import { partitionLiteral } from '../partitions.ts';
import type { Snapshot } from '../snapshot.ts';

/** The files of a snapshot in the partitions of others. @example await inPartitionsOf(session, snapshot, staged) */
export async function inPartitionsOf(
  session: Session,
  snapshot: Snapshot,
  others: readonly AddFile[],
): Promise<readonly AddFile[]> {
  const { files } = snapshot;
  if (files.length === 0 || others.length === 0) return [];
  const fields = partitionFields(snapshot);
  const names = fields.map((_, i) => quoteIdent(`p${String(i)}`));
  const values = (all: readonly AddFile[]): string =>
    all
      .map(
        (file, i) =>
          `(${[String(i), ...fields.map((field) => partitionLiteral(snapshot.partitionValue(file, field), field))].join(', ')})`,
      )
      .join(', ');
  const same = names.map((name) => `a.${name} IS NOT DISTINCT FROM b.${name}`).join(' AND ');
  const columns = ['place', ...names].join(', ');
  const rows = await session.rows(
    `SELECT a.place FROM (VALUES ${values(files)}) AS a(${columns}) SEMI JOIN (VALUES ${values(others)}) AS b(${columns}) ON ${same}`,
  );
  const found = new Set(rows.map(({ place }) => Number(place)));
  return files.filter((_, i) => found.has(i));
}

/** Types of which each value has one text. */
const CANONICAL = new Set(['string', 'long', 'integer', 'short', 'byte', 'boolean', 'date']);

/** Whether a file may lie in a partition of one of the others; where texts cannot tell, it may. */
export function partitionsOverlap(snapshot: Snapshot, file: AddFile, others: readonly AddFile[]): boolean {
  const fields = partitionFields(snapshot).filter(({ type }) => type.kind === 'primitive' && CANONICAL.has(type.name));
  const text = (one: AddFile, field: Field): string => snapshot.partitionValue(one, field) ?? '';
  return others.some((other) => fields.every((field) => text(file, field) === text(other, field)));
}

function partitionFields({ schema, partitionColumns }: Snapshot): Field[] {
  return partitionColumns.flatMap((name) => schema.fields.find((field) => field.name === name) ?? []);
}
