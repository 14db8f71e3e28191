/**
 * Columns that get a value where rows bring none.
 *
 * Promise: pure. Source: Delta protocol, "Default Columns", "Generated Columns", "Identity Columns".
 */
import { SluiceError } from '../../core/errors.ts';
import { stringifyJson } from '../../core/json.ts';
import type { Field, StructType } from '../../core/schema.ts';
import { identityOf, type Identity } from './identity.ts';

/** How a column gets its value; expressions are Spark's SQL. */
export type ColumnDefault =
  /** `generated`: from the others of its row, and never otherwise. */
  { readonly kind: 'default' | 'generated'; readonly expression: string } | Identity;

const GENERATED = 'delta.generationExpression';
const DEFAULT = 'CURRENT_DEFAULT';

/**
 * What a column gets where rows do not have it; undefined: NULL.
 * @throws SluiceError `UNSUPPORTED_FEATURE` for an identity that is told only in part
 */
export function defaultOf(field: Field): ColumnDefault | undefined {
  const { [GENERATED]: generated, [DEFAULT]: expression } = field.metadata;
  const identity = identityOf(field);
  if (identity !== undefined) return identity;
  if (typeof generated === 'string') return { kind: 'generated', expression: generated };
  return typeof expression === 'string' ? { kind: 'default', expression } : undefined;
}

export function isGenerated(field: Field): boolean {
  return defaultOf(field)?.kind === 'generated';
}

/** The columns that rows do not have, and that get a value all the same. @param rows the columns of the rows */
export function columnsToFill({ fields }: StructType, rows: StructType): Field[] {
  const there = new Set(rows.fields.map(({ name }) => name.toLowerCase()));
  return fields.filter((field) => !there.has(field.name.toLowerCase()) && defaultOf(field) !== undefined);
}

/**
 * Whether columns that get values by themselves may be so from now on.
 * @param before undefined for a table that is to be created
 * @throws SluiceError `SCHEMA_INCOMPATIBLE` for columns that others wrote rows of
 */
export function checkDefaults(
  { fields }: StructType,
  before: StructType | undefined,
  { table, hasFiles }: { readonly table: string; readonly hasFiles: boolean },
): void {
  for (const field of fields) {
    if (defaultOf(field) === undefined) continue;
    const old = before?.fields.find(({ name }) => name === field.name);
    if (before === undefined ? hasFiles : key(old) !== key(field)) throw tooLate(field, table);
  }
}

/** For a column that is to get values by itself in rows that are there. */
export function tooLate({ name }: Field, table: string): SluiceError {
  return new SluiceError('SCHEMA_INCOMPATIBLE', `${table}: ${name} can only be declared so when the table is created`, {
    advice: 'Create the table first (DeltaTable.create), with all columns that get values by themselves.',
    facts: { table, column: name },
  });
}

/** The same for the same defaults: rows that were given others must not get in. */
export function defaultsKey({ fields }: StructType): string {
  const found = fields.filter((field) => defaultOf(field) !== undefined);
  return found
    .map((field) => stringifyJson([field.name, key(field), identityOf(field)?.highWaterMark ?? null]))
    .join('');
}

/** What is said of a column, but how far its values have come. */
function key(field: Field | undefined): string {
  const found = field && defaultOf(field);
  return found === undefined ? '' : stringifyJson({ ...found, highWaterMark: undefined });
}
