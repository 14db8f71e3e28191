/**
 * The SQL of a MERGE: which clause takes which row, and what the rows become.
 *
 * Promise: pure; of several clauses the first whose condition is true takes a row, as in every SQL.
 */
import type { JsonObject } from '../../core/json.ts';
import type { Field } from '../../core/schema.ts';
import { quoteIdent } from '../../engine/quoting.ts';
import { duckdbType } from '../../engine/types.ts';
import { assigned, type Assignments, type Star } from './assignments.ts';

/** A row of the table that is in the source (`whenMatched`), or is not (`whenNotMatchedBySource`). */
export type RowClause =
  { readonly condition?: string; readonly set: Assignments } | { readonly condition?: string; readonly delete: true };

/** A row of the source that is not in the table. */
export interface InsertClause {
  readonly condition?: string;
  readonly values: Assignments;
}

/** Names of the columns that a merge puts beside those of the table and the source. */
export const OWN = {
  file: '__sluice_file_of_row',
  row: '__sluice_row_of_file',
  source: '__sluice_row_of_source',
  clause: '__sluice_clause',
  /** Of a row of the source that is inserted. */
  insert: '__sluice_row_of_inserts',
} as const;

/** The number of the first clause whose condition holds, from `first` on; NULL when none does. */
export function clauseOf(clauses: readonly { readonly condition?: string }[], first = 0): string {
  if (clauses.length === 0) return 'CAST(NULL AS INTEGER)';
  const cases = clauses.map(({ condition }, i) => `WHEN ${condition === undefined ? 'true' : `(${condition}\n)`} THEN ${String(first + i)}`);
  return `CASE ${cases.join(' ')} END`;
} // prettier-ignore

/** The columns of rows that clauses have taken; a column that a clause does not set stays what `otherwise` says. */
export function columnsOf(
  fields: readonly Field[],
  clauses: readonly (RowClause | InsertClause)[],
  star: Star,
  otherwise: (column: Field) => string,
  table: string,
): string {
  const sets = clauses.map((clause) => setBy(clause, fields, star, table));
  const columns = fields.map((field) => {
    const { name, type } = field;
    const cases = sets.flatMap((set, i) => {
      const value = set.get(name);
      return value === undefined ? [] : [`WHEN ${String(i)} THEN CAST((${value}\n) AS ${duckdbType(type)})`];
    });
    const kept = `CAST(${otherwise(field)} AS ${duckdbType(type)})`;
    const value = cases.length === 0 ? kept : `CASE a.${OWN.clause} ${cases.join(' ')} ELSE ${kept} END`;
    return `${value} AS ${quoteIdent(name)}`;
  });
  return columns.join(', ');
}

/** The columns that some clauses, which leave a row, do not set, each with the numbers of those clauses. */
export function unsetBy(
  clauses: readonly (RowClause | InsertClause)[],
  fields: readonly Field[],
  star: Star,
  table: string,
): Map<Field, readonly number[]> {
  const sets = clauses.map((clause) => ('delete' in clause ? undefined : setBy(clause, fields, star, table)));
  const found = new Map<Field, readonly number[]>();
  for (const field of fields) {
    const numbers = sets.flatMap((set, i) => (set === undefined || set.has(field.name) ? [] : [i]));
    if (numbers.length > 0) found.set(field, numbers);
  }
  return found;
}

/** The columns that some clause sets. */
export function setBySome(
  clauses: readonly (RowClause | InsertClause)[],
  fields: readonly Field[],
  star: Star,
  table: string,
): Field[] {
  const sets = clauses.map((clause) => setBy(clause, fields, star, table));
  return fields.filter(({ name }) => sets.some((set) => set.has(name)));
}

function setBy(
  clause: RowClause | InsertClause,
  fields: readonly Field[],
  star: Star,
  table: string,
): ReadonlyMap<string, string> {
  if ('delete' in clause) return new Map();
  return assigned('set' in clause ? clause.set : clause.values, fields, star, table);
}

/** Clauses as the history has them. Source: Delta, `DeltaOperations.Merge`. */
export function predicatesOf(clauses: readonly (RowClause | InsertClause)[]): JsonObject[] {
  return clauses.map((clause) => ({
    ...(clause.condition === undefined ? {} : { predicate: clause.condition }),
    actionType: 'delete' in clause ? 'delete' : 'set' in clause ? 'update' : 'insert',
  }));
}
