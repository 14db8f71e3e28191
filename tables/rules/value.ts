/**
 * Expressions of a table's log whose values go into a column.
 *
 * Promise: both engines write the same value, or it is refused with what is not known to be the same.
 */
import { sameType, typeName, type DataType, type PrimitiveName, type StructType } from '../../core/schema.ts';
import type { Session } from '../../engine/session.ts';
import { duckdbType } from '../../engine/types.ts';
import { understood } from './expression.ts';
import type { Family } from './families.ts';
import { refuse } from './respelled.ts';
import { resultType } from './result-type.ts';

const WHOLE: readonly PrimitiveName[] = ['byte', 'short', 'integer', 'long'];

/** The types whose columns take values of a family as they are, or by a cast that is the same to both engines. */
const STORED: Readonly<Record<Family, readonly (PrimitiveName | 'decimal')[]>> = {
  small: [...WHOLE, 'double', 'decimal'],
  integer: [...WHOLE, 'double', 'decimal'],
  decimal: ['decimal', 'double'],
  double: ['double'],
  text: ['string'],
  date: ['date'],
  timestamp: ['timestamp'],
  timestamp_ntz: ['timestamp_ntz'],
  boolean: ['boolean'],
  null: [],
  'date text': ['string', 'date'],
  other: [],
};

/**
 * An expression over a table's columns as SQL for DuckDB, cast to the type of the column that it is for.
 * @throws SluiceError `UNSUPPORTED_FEATURE` naming the expression and what of it sluice does not take
 * @example await toValue(session, "'none'", struct([]), primitive('string')) // `CAST(('none') AS VARCHAR)`
 */
export async function toValue(
  session: Session,
  expression: string,
  schema: StructType,
  type: DataType,
): Promise<string> {
  const { sql } = await understood(session, expression, schema, (family) => {
    if (family === 'null') return;
    const kind = type.kind === 'primitive' ? type.name : type.kind === 'decimal' ? type.kind : undefined;
    if (kind === undefined || !STORED[family].includes(kind))
      refuse(`${family} in a column that is ${kind ?? type.kind}`);
  });
  return `CAST((${sql}) AS ${duckdbType(type)})`;
}

/**
 * Whether an expression has exactly the type of the column that it is for, as Spark wants it of generated columns.
 * @throws SluiceError as `toValue`
 */
export async function checkResult(
  session: Session,
  expression: string,
  schema: StructType,
  type: DataType,
): Promise<void> {
  await understood(session, expression, schema, (_, node) => {
    const found = resultType(node, schema);
    if (found === undefined) refuse('the type of its value is not known');
    else if (!sameType(found, type)) refuse(`its value is ${typeName(found)}, and the column ${typeName(type)}`);
  });
}
