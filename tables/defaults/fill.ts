/**
 * Rows as a table has them: with the columns that they lack and that get a value by themselves.
 *
 * Promise: the rows are those of the query, each once.
 */
import type { Field } from '../../core/schema.ts';
import { quoteIdent } from '../../engine/quoting.ts';
import type { Session } from '../../engine/session.ts';
import { refuseNull } from '../not-null.ts';
import { defaultValues, type Valued } from './values.ts';

/** @throws SluiceError `UNSUPPORTED_FEATURE` for a default that sluice does not understand */
export async function filled(
  session: Session,
  query: string,
  missing: readonly Field[],
  valued: Valued,
): Promise<string> {
  const values = await defaultValues(session, missing, valued);
  const columns = missing.map((field) => {
    const value = refuseNull(values.get(field.name) ?? 'NULL', field);
    return `, ${value} AS ${quoteIdent(field.name)}`;
  });
  return columns.length === 0 ? query : `SELECT *${columns.join('')} FROM (${query}) AS r`;
}
