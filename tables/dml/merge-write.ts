/**
 * The second half of a MERGE: rows that clauses have taken become what the clauses say, new rows are written, and changes of rows are
 * recorded where the table keeps them.
 *
 * Promise: rows that no clause took stay as they are, in files written anew or under a larger deletion vector; what was written is counted
 * before anything is committed, and deleted when it fails.
 */
import type { Field, StructType } from '../../core/schema.ts';
import { quoteIdent, quoteString } from '../../engine/quoting.ts';
import { textOf } from '../../engine/values.ts';
import { generatedValues, recomputed } from '../defaults/generated.ts';
import { checkNotBrought, checkNotSet, marksAfter } from '../defaults/identity.ts';
import { defaultValues } from '../defaults/values.ts';
import type { AddFile } from '../log/actions.ts';
import type { OperatedOnRows } from '../operation.ts';
import type { Snapshot } from '../snapshot.ts';
import type { SourceColumn, Star } from './assignments.ts';
import { changedAs, recordsChanges } from './change-data.ts';
import { marksRows } from './mark.ts';
import {
  ACTIONS,
  countOf,
  INSERTS,
  isDelete,
  PLACES,
  SOURCE,
  type MergeOptions,
  type MergeTouched,
} from './merge-match.ts';
import { updatedValue } from './merge-schema.ts';
import { columnsOf, OWN, setBySome, unsetBy, type RowClause } from './merge-sql.ts';
import { groups } from './rewrite.ts';
import { sum } from './shared.ts';
import { staging, type Staging, type Written } from './staging.ts';
import { tellStep } from './steps.ts';

export interface Merged {
  readonly options: MergeOptions;
  /** Of the table after the merge. */
  readonly schema: StructType;
  readonly clauses: readonly RowClause[];
  readonly source: readonly SourceColumn[];
  readonly touched: readonly MergeTouched[];
  readonly inserted: bigint;
}

export async function writeMerged(parts: OperatedOnRows, snapshot: Snapshot, merged: Merged): Promise<Written> {
  const { schema, clauses, touched, inserted } = merged;
  const shape = { schema, partitionColumns: snapshot.partitionColumns };
  const sql = await columnsFor(parts, snapshot, merged);
  const [goes, marks] = [isDelete(clauses), marksRows(snapshot)];
  // Vectors that grow, and files of new rows, say themselves which rows went and came.
  const records = recordsChanges(snapshot) && touched.some(({ taken, deleted }) => !marks || taken > deleted);
  return staging(parts, snapshot, { shape, records, advice: 'Please report it.' }, async (to) => {
    const rewritten = groups(touched);
    const writes = rewritten.length + (inserted > 0n ? 1 : 0);
    for (const [i, group] of rewritten.entries()) {
      tellStep(merged.options, 'writing rows', i + 1, writes);
      const places = await snapshot.relationWithPlaces(PLACES, { files: group.map(({ file }) => file) });
      const rows = (join: 'JOIN' | 'LEFT JOIN'): string =>
        `FROM ${places.relation} AS target ${join} ${ACTIONS} AS a ON a.file = target.${OWN.file} AND a.row = target.${OWN.row} LEFT ${sql.bySource}`;
      const [taken, deleted] = [sum(group.map((one) => one.taken)), sum(group.map((one) => one.deleted))];
      if (marks) {
        await markTaken(to, parts, group, places);
        if (taken > deleted) await to.rows(sql.changed(`${rows('JOIN')} WHERE NOT (${goes})`), taken - deleted);
      } else {
        const all = await countOf(parts.session, `SELECT count(*) AS n FROM ${places.relation}`);
        const kept = `WHERE a.${OWN.clause} IS NULL OR NOT (${goes})`;
        await to.rows(sql.changed(`${rows('LEFT JOIN')} ${kept}`), all - deleted);
      }
      await to.record(() => [
        `SELECT ${sql.kept}, ${changedAs('update_preimage')} ${rows('JOIN')} WHERE NOT (${goes})`,
        `SELECT *, ${changedAs('update_postimage')} FROM (${sql.changed(`${rows('JOIN')} WHERE NOT (${goes})`)}) AS n`,
        `SELECT ${sql.kept}, ${changedAs('delete')} ${rows('JOIN')} WHERE ${goes}`,
      ]);
    }
    if (inserted === 0n) return;
    tellStep(merged.options, 'writing rows', writes, writes);
    const news = `FROM ${INSERTS} AS a ${sql.bySource}`;
    await to.rows(sql.created(news), inserted, sql.identities);
    await to.record(() => [`SELECT *, ${changedAs('insert')} FROM (${sql.created(news)}) AS n`]);
  });
}

/** Queries for rows: taken ones as they become, as they were, and new ones; and the way from a row that is taken to its row of the source. */
async function columnsFor(parts: OperatedOnRows, snapshot: Snapshot, merged: Merged) {
  const { options, schema, clauses, source } = merged;
  const { location: table } = snapshot;
  const { session, clock } = parts;
  const isPartial = options.withSchemaEvolution === true;
  const before = new Map(snapshot.schema.fields.map((field) => [field.name, field.type]));
  const kept = ({ name }: Field): string => (before.has(name) ? `target.${quoteIdent(name)}` : 'NULL');
  const update: Star = { source, isPartial, value: (field, own) => updatedValue(field, before.get(field.name), own) };
  const insert: Star = { source, isPartial, value: (_, own) => `source.${quoteIdent(own.name)}` };
  const inserts = options.whenNotMatched ?? [];
  const unset = unsetBy(inserts, schema.fields, insert, table);
  const rowNumber = `a.${OWN.insert}`;
  const values = await defaultValues(session, [...unset.keys()], { table, nowMs: clock.nowMs(), rowNumber });
  checkNotSet(setBySome(clauses, schema.fields, update, table), table);
  checkNotBrought(setBySome(inserts, schema.fields, insert, table), table);
  const query = async (
    columns: string,
    without: ReadonlyMap<Field, readonly number[]>,
  ): Promise<(from: string) => string> => {
    const generated = await generatedValues(session, [...without.keys()], schema, table);
    if (generated.size === 0) return (from) => `SELECT ${columns} ${from}`;
    const numbers = new Map([...without].map(([{ name }, found]) => [name, found.join(', ')]));
    const isComputed = (name: string): string => `${OWN.clause} IN (${numbers.get(name) ?? ''})`;
    return (from) => recomputed(`SELECT ${columns}, a.${OWN.clause} ${from}`, schema, generated, isComputed);
  };
  const columns = columnsOf(schema.fields, clauses, update, kept, table);
  const created = columnsOf(schema.fields, inserts, insert, ({ name }) => values.get(name) ?? 'NULL', table);
  return {
    changed: await query(columns, unsetBy(clauses, schema.fields, update, table)),
    kept: columnsOf(schema.fields, [], update, kept, table),
    created: await query(created, unset),
    /** The last numbers of rows that are inserted. */
    identities: marksAfter([...unset.keys()], merged.inserted),
    bySource: `JOIN ${SOURCE} AS source ON source.${OWN.source} = a.source`,
  };
}

/** Takes the rows that clauses have taken out of the files that keep others. */
async function markTaken(
  to: Staging,
  { session }: OperatedOnRows,
  group: readonly MergeTouched[],
  { relation, files }: { readonly relation: string; readonly files: ReadonlyMap<string, AddFile> },
): Promise<void> {
  const counted = await session.rows(`SELECT ${OWN.file} AS file, count(*) AS n FROM ${relation} AS t GROUP BY ALL`);
  const rowsOf = new Map(counted.map(({ file, n }) => [files.get(textOf(file))?.path, BigInt(textOf(n))]));
  const partly = group.flatMap(({ file, taken }) => {
    const rows = rowsOf.get(file.path) ?? 0n;
    return taken < rows ? [{ file, rows, taken }] : [];
  });
  if (partly.length === 0) return;
  const wanted = new Set(partly.map(({ file }) => file.path));
  const local = [...files].flatMap(([path, file]) => (wanted.has(file.path) ? [quoteString(path)] : []));
  const query = `SELECT file, row FROM ${ACTIONS} WHERE file IN (${local.join(', ')})`;
  await to.mark(partly, { query, file: 'file', row: 'row', files });
}
