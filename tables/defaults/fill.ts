/**
 * Rows as a table has them: with the columns that they lack and that get a value by themselves.
 *
 * Promise: the rows are those of the query, each once.
 */
import type { Field, StructType } from '../../core/schema.ts';
import { quoteIdent } from '../../engine/quoting.ts';
import type { Session } from '../../engine/session.ts';
import { duckdbType } from '../../engine/types.ts';
import { refuseNull } from '../not-null.ts';
import { isGenerated } from './columns.ts';
import { computed, generatedValues } from './generated.ts';
import { defaultValues, type Valued } from './values.ts';

export interface Missing extends Valued {
  /** The columns that the query lacks and that get a value. */
  readonly missing: readonly Field[];
  /** The columns of the query. */
  readonly given: readonly Field[];
  /** Those of the table: what is in neither is NULL. */
  readonly own: StructType;
}

/** @throws SluiceError `UNSUPPORTED_FEATURE` for an expression that sluice does not understand */
export async function filled(session: Session, query: string, parts: Missing): Promise<string> {
  const { missing, given, own, table } = parts;
  if (missing.length === 0) return query;
  const values = await defaultValues(session, missing, parts);
  const plain = missing.filter((field) => !isGenerated(field));
  const columns = plain.map((field) => {
    const value = refuseNull(values.get(field.name) ?? 'NULL', field);
    return `, ${value} AS ${quoteIdent(field.name)}`;
  });
  const whole = `SELECT *${columns.join('')} FROM (${query}) AS r`;
  const generated = await generatedValues(session, missing, own, table);
  if (generated.size === 0) return whole;
  const names = [...given, ...missing].map(({ name }) => quoteIdent(name)).join(', ');
  return `SELECT ${names} FROM (${computed(withNulls(whole, [...given, ...missing], own), missing, generated)}) AS r`;
}

/** Expressions may speak of columns that rows lack. */
function withNulls(query: string, there: readonly Field[], { fields }: StructType): string {
  const names = new Set(there.map(({ name }) => name.toLowerCase()));
  const nulls = fields
    .filter(({ name }) => !names.has(name.toLowerCase()))
    .map(({ name, type }) => `, CAST(NULL AS ${duckdbType(type)}) AS ${quoteIdent(name)}`);
  return nulls.length === 0 ? query : `SELECT *${nulls.join('')} FROM (${query}) AS r`;
}
