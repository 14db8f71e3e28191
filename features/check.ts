/**
 * Feature sets checked before anything is exported, and before the tables have any rows or are even made.
 *
 * Promise: what passes here fails at an export for its data only.
 */
import type { StructType } from '../core/schema.ts';
import { quoteIdent } from '../engine/quoting.ts';
import type { Session } from '../engine/session.ts';
import { duckdbType } from '../engine/types.ts';
import type { FeatureSet } from './feature-set.ts';
import { exportColumns, tablesOf, unknownTable } from './plan.ts';

export interface CheckParts {
  readonly session: Session;
  /** Every table that there is or will be, as `schema.table`. */
  readonly names: readonly string[];
  /** The columns of one of them. */
  readonly schemaOf: (name: string) => Promise<StructType | undefined>;
}

/**
 * Looks that every table and column is there and that every expression fits.
 * @throws SluiceError `UNKNOWN_TABLE`, `UNKNOWN_COLUMN`, `FEATURE_SET_INVALID`, with the place in the definition
 * @example await checkFeatureSet(set, { session, names: ['silver.orders'], schemaOf: () => Promise.resolve(schema) });
 */
export async function checkFeatureSet(set: FeatureSet, { session, names, schemaOf }: CheckParts): Promise<void> {
  const schemas = new Map<string, StructType>();
  for (const [table, path] of tablesOf(set)) {
    const known = names.find((name) => name.toLowerCase() === table.toLowerCase());
    const schema = known === undefined ? undefined : await schemaOf(known);
    if (schema === undefined) throw unknownTable(set, table, path, names);
    schemas.set(table, schema);
  }
  const schemaHere = (table: string): StructType => schemas.get(table) ?? { kind: 'struct', fields: [] };
  await exportColumns(set, {
    session,
    schemaOf: schemaHere,
    relationOf: (table) => emptyRelation(schemaHere(table)),
  });
}

function emptyRelation({ fields }: StructType): string {
  const columns = fields.map(({ name, type }) => `CAST(NULL AS ${duckdbType(type)}) AS ${quoteIdent(name)}`);
  return `(SELECT ${columns.join(', ')} WHERE false)`;
}
