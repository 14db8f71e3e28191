/**
 * The values of column defaults, as SQL for DuckDB.
 *
 * Promise: what Spark would write, or refused by name; `current_timestamp()` and `current_date()` are one instant in all of a statement.
 */
import { SluiceError } from '../../core/errors.ts';
import { isPrimitive, struct, type Field } from '../../core/schema.ts';
import type { Session } from '../../engine/session.ts';
import { toValue } from '../rules/value.ts';
import { defaultOf } from './columns.ts';
import { identityValue } from './identity.ts';

export interface Valued {
  readonly table: string;
  /** What `current_timestamp()` is. */
  readonly nowMs: number;
  /** SQL: 0 for the first row that gets a value, 1 for the next, and the same for a row each time. @default as the rows come */
  readonly rowNumber?: string;
}

const AS_THEY_COME = 'row_number() OVER () - 1';

const NOW = /^\s*(?:current_timestamp(?:\s*\(\s*\))?|now\s*\(\s*\))\s*$/i;
const TODAY = /^\s*(?:current_date|curdate)(?:\s*\(\s*\))?\s*$/i;

/** The defaults of columns, by name; of those that have none: nothing. @throws SluiceError as `defaultValue` */
export async function defaultValues(
  session: Session,
  fields: readonly Field[],
  valued: Valued,
): Promise<Map<string, string>> {
  const values = new Map<string, string>();
  for (const field of fields) {
    const found = defaultOf(field);
    if (found?.kind === 'identity') values.set(field.name, identityValue(found, valued.rowNumber ?? AS_THEY_COME));
    if (found?.kind !== 'default') continue;
    values.set(field.name, await defaultValue(session, field, found.expression, valued));
  }
  return values;
}

/**
 * A column's default.
 * @throws SluiceError `UNSUPPORTED_FEATURE` naming the column, and what of its default sluice does not take
 */
async function defaultValue(
  session: Session,
  { name, type }: Field,
  expression: string,
  { table, nowMs }: Valued,
): Promise<string> {
  const instant = new Date(nowMs).toISOString();
  if (NOW.test(expression) && isPrimitive(type, 'timestamp')) return `TIMESTAMPTZ '${instant}'`;
  if (TODAY.test(expression) && isPrimitive(type, 'date')) return `DATE '${instant.slice(0, 10)}'`;
  return toValue(session, expression, struct([]), type).catch((error: unknown) => {
    throw ofColumn(error, `the default of ${name}`, table);
  });
}

/** An error about a column's expression, told so. */
export function ofColumn(error: unknown, what: string, table: string): unknown {
  if (!(error instanceof SluiceError)) return error;
  const { code, message, facts } = error;
  return new SluiceError(code, `${table}: of ${what}, ${message}`, {
    advice: 'Give the column a value in the rows, or write to the table with the engine that made it.',
    facts: { ...facts, table },
    cause: error,
  });
}
