/**
 * Which columns a table has after a MERGE, and where those of the source go.
 *
 * Promise: pure; without schema evolution the table keeps its columns, `*` needs each of them in the source, and no field of a struct is left
 * out without a word; with it, columns and fields of structs that the source has and a clause sets are added, and `*` sets what the source
 * has: the others keep their values in rows that are updated, and are NULL in rows that are new.
 * Source: Databricks, "Schema evolution syntax for merge"; Delta, `ResolveDeltaMergeInto`.
 */
import { struct, type DataType, type Field, type StructType } from '../../core/schema.ts';
import { quoteIdent, quoteString } from '../../engine/quoting.ts';
import { duckdbType } from '../../engine/types.ts';
import { fitted } from '../fit.ts';
import type { SourceColumn } from './assignments.ts';
import type { InsertClause, RowClause } from './merge-sql.ts';

export interface MergeClauses {
  readonly whenMatched?: readonly RowClause[];
  readonly whenNotMatched?: readonly InsertClause[];
  /** Columns, and fields of structs, that the source has and the table lacks are added when a clause sets them. @default false */
  readonly withSchemaEvolution?: boolean;
}

/** @throws SluiceError `SCHEMA_INCOMPATIBLE` for a column that `*` cannot take over */
export function schemaAfter(
  current: StructType,
  source: readonly SourceColumn[],
  { whenMatched = [], whenNotMatched = [], withSchemaEvolution = false }: MergeClauses,
  { table, widen }: { readonly table: string; readonly widen: boolean },
): StructType {
  const sets = [
    ...whenMatched.flatMap((clause) => ('set' in clause ? [clause.set] : [])),
    ...whenNotMatched.map(({ values }) => values),
  ];
  const takesAll = sets.includes('*');
  const named = new Set(sets.flatMap((set) => (set === '*' ? [] : Object.keys(set))).map((name) => name.toLowerCase()));
  const known = new Set(current.fields.map(({ name }) => name.toLowerCase()));
  const taken = source.flatMap(({ name, type }): Field[] => {
    const isKnown = known.has(name.toLowerCase());
    const isTaken = takesAll || (!isKnown && named.has(name.toLowerCase()));
    if (type === undefined || !isTaken || (!isKnown && !withSchemaEvolution)) return [];
    return [{ name, type, nullable: true, metadata: {} }];
  });
  const fit = { table, evolve: withSchemaEvolution, widen, option: 'withSchemaEvolution', isPartial: true };
  return taken.length === 0 ? current : fitted(current, struct(taken), fit);
}

/** The source's value of a column, in the place of one that a row has: fields that the source lacks stay as they are. */
export function updatedValue(target: Field, before: DataType | undefined, source: SourceColumn): string {
  const value = `source.${quoteIdent(source.name)}`;
  const old = `target.${quoteIdent(target.name)}`;
  return before === undefined ? value : merged(value, source.type, old, before, target.type);
}

function merged(value: string, from: DataType | undefined, old: string, before: DataType, to: DataType): string {
  if (from?.kind !== 'struct' || to.kind !== 'struct' || before.kind !== 'struct' || !keepsAny(from, before))
    return value;
  const parts = to.fields.map((field) => {
    const [own, was] = [fieldOf(from, field.name), fieldOf(before, field.name)];
    const kept = was === undefined ? 'NULL' : extracted(old, was.name);
    const set = own && extracted(value, own.name);
    const part =
      set === undefined ? kept : was === undefined ? set : merged(set, own?.type, kept, was.type, field.type);
    return `${quoteIdent(field.name)} := CAST(${part} AS ${duckdbType(field.type)})`;
  });
  // What stays of the old struct keeps it from being NULL, as in Spark.
  return `CASE WHEN ${value} IS NOT NULL OR ${old} IS NOT NULL THEN struct_pack(${parts.join(', ')}) END`;
}

/** Whether a struct has fields, at any depth, that the source's lacks. */
function keepsAny(from: StructType, before: StructType): boolean {
  return before.fields.some((was) => {
    const own = fieldOf(from, was.name);
    return (
      own === undefined || (own.type.kind === 'struct' && was.type.kind === 'struct' && keepsAny(own.type, was.type))
    );
  });
}

function fieldOf({ fields }: StructType, name: string): Field | undefined {
  return fields.find((field) => field.name.toLowerCase() === name.toLowerCase());
}

function extracted(struct: string, field: string): string {
  return `struct_extract(${struct}, ${quoteString(field)})`;
}
