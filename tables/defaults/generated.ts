/**
 * Generated columns: their values come from the other columns of their row.
 *
 * Promise: a row never has another value in such a column than its expression gives. They are computed from columns that are not generated.
 * Source: Delta protocol, "Generated Columns"; Delta, `GeneratedColumn`, `UpdateExpressionsSupport`.
 */
import { struct, type Field, type StructType } from '../../core/schema.ts';
import { quoteIdent } from '../../engine/quoting.ts';
import type { Session } from '../../engine/session.ts';
import { refuseNull } from '../not-null.ts';
import type { Rule } from '../rules/rules.ts';
import { checkResult, toValue } from '../rules/value.ts';
import { defaultOf, isGenerated } from './columns.ts';
import { ofColumn } from './values.ts';

/**
 * What some columns are computed by, as SQL over the others of the table; those that are not generated: nothing.
 * @param wanted some columns of the table
 * @throws SluiceError `UNSUPPORTED_FEATURE` naming the column, and what of its expression sluice does not take
 */
export async function generatedValues(
  session: Session,
  wanted: readonly Field[],
  { fields }: StructType,
  table: string,
): Promise<Map<string, string>> {
  const others = othersOf(fields);
  const values = new Map<string, string>();
  for (const field of wanted) {
    const found = defaultOf(field);
    if (found?.kind !== 'generated') continue;
    const value = await toValue(session, found.expression, others, field.type).catch((error: unknown) => {
      throw ofColumn(error, nameOf(field), table);
    });
    values.set(field.name, value);
  }
  return values;
}

/** Whether generated columns of a new table are such as every engine takes. @throws SluiceError `UNSUPPORTED_FEATURE` */
export async function checkGenerated(session: Session, schema: StructType, table: string): Promise<void> {
  await generatedValues(session, schema.fields, schema, table);
  for (const field of schema.fields) {
    const found = defaultOf(field);
    if (found?.kind !== 'generated') continue;
    await checkResult(session, found.expression, othersOf(schema.fields), field.type).catch((error: unknown) => {
      throw ofColumn(error, nameOf(field), table);
    });
  }
}

function othersOf(fields: readonly Field[]): StructType {
  return struct(fields.filter((field) => !isGenerated(field)));
}

function nameOf({ name }: Field): string {
  return `the generated column ${name}`;
}

/** Rows that bring values for generated columns must bring those. @param rows the columns that they bring */
export async function generatedRules(
  session: Session,
  rows: readonly Field[],
  schema: StructType,
  table: string,
): Promise<Rule[]> {
  const there = new Set(rows.map(({ name }) => name.toLowerCase()));
  const given = schema.fields.filter((field) => there.has(field.name.toLowerCase()));
  const values = await generatedValues(session, given, schema, table);
  return [...values].map(([name, value]) => ({
    name: `generated column ${name}`,
    expression: `${name} <=> ${expressionOf(name, schema)}`,
    condition: `${quoteIdent(name)} IS NOT DISTINCT FROM ${value}`,
  }));
}

function expressionOf(name: string, { fields }: StructType): string {
  const field = fields.find((one) => one.name === name);
  const found = field && defaultOf(field);
  return found?.kind === 'generated' ? found.expression : '';
}

/**
 * The rows of a query with generated columns computed from what the rows are now.
 * @param query with all columns, and whatever `when` looks at
 * @param when the condition under which a column is computed; else it stays
 */
export function recomputed(
  query: string,
  { fields }: StructType,
  values: ReadonlyMap<string, string>,
  when: (name: string) => string = () => 'true',
): string {
  if (values.size === 0) return query;
  const columns = fields.map((field) => {
    const name = quoteIdent(field.name);
    const value = values.get(field.name);
    return value === undefined ? name : `CASE WHEN ${when(field.name)} THEN ${value} ELSE ${name} END AS ${name}`;
  });
  return `SELECT ${columns.join(', ')} FROM (${query}) AS r`;
}

/** The rows of a query with generated columns that they lack. @param query with all other columns */
export function computed(query: string, missing: readonly Field[], values: ReadonlyMap<string, string>): string {
  const columns = missing.flatMap((field) => {
    const value = values.get(field.name);
    return value === undefined ? [] : [`, ${refuseNull(value, field)} AS ${quoteIdent(field.name)}`];
  });
  return columns.length === 0 ? query : `SELECT *${columns.join('')} FROM (${query}) AS r`;
}
