/**
 * The column list of a statement: names, types, comments, and the expectations among them.
 *
 * Source: Databricks SQL, "CREATE STREAMING TABLE", table_specification.
 */
import { isKeyword, isSymbol, type Token } from '../../core/sql-tokens.ts';
import type { Cursor, Identifier } from './cursor.ts';
import { refuseUnsupported } from './unsupported.ts';

/** What becomes of rows that break an expectation: kept and counted, dropped, or the whole batch refused. */
export type OnViolation = 'warn' | 'drop' | 'fail';

export interface ColumnClause {
  readonly name: Identifier;
  /** The tokens of the type; none where only the name is given. */
  readonly type: readonly Token[];
  readonly notNull: boolean;
  readonly comment: string | undefined;
}

export interface ExpectClause {
  readonly name: Identifier;
  readonly condition: readonly Token[];
  readonly onViolation: OnViolation;
}

export interface ColumnList {
  readonly columns: readonly ColumnClause[];
  readonly expectations: readonly ExpectClause[];
}

/** Reads on after the opening bracket, up to and past the closing one. */
export function columnList(cursor: Cursor, isView: boolean): ColumnList {
  const columns: ColumnClause[] = [];
  const expectations: ExpectClause[] = [];
  do {
    refuseUnsupported(cursor, 'column');
    const first = cursor.peek();
    if (isKeyword(first, 'CONSTRAINT')) {
      if (isView)
        throw cursor.error('a temporary view has no expectations', { advice: 'Put them on the table that reads it.' });
      expectations.push(expectation(cursor, expectations));
    } else columns.push(column(cursor, columns));
  } while (cursor.symbol(','));
  cursor.expectSymbol(')');
  return { columns, expectations };
}

function column(cursor: Cursor, before: readonly ColumnClause[]): ColumnClause {
  const name = cursor.identifier('a column name or CONSTRAINT');
  if (before.some((other) => other.name.value.toLowerCase() === name.value.toLowerCase())) {
    throw cursor.error(`the column ${name.value} is listed twice`, {}, name);
  }
  const type: Token[] = [];
  let [depth, notNull, comment] = [0, false, undefined as string | undefined];
  for (;;) {
    const token = cursor.peek();
    if (depth === 0) {
      refuseUnsupported(cursor, 'column');
      if (token === undefined || isSymbol(token, ',') || isSymbol(token, ')')) break;
      if (cursor.keywords('NOT', 'NULL')) notNull = true;
      else if (cursor.keywords('COMMENT')) comment = cursor.string('a comment').value;
      else if (notNull || comment !== undefined) throw cursor.expected('a comma or )', ['NOT', 'COMMENT']);
      else depth += push(type, cursor);
    } else depth += push(type, cursor);
  }
  return { name, type, notNull, comment };
}

/** Takes one token of a type; gives how much deeper in brackets that is. */
function push(type: Token[], cursor: Cursor): number {
  const token = cursor.next(')');
  type.push(token);
  if (isSymbol(token, '(') || isSymbol(token, '<')) return 1;
  return isSymbol(token, ')') || isSymbol(token, '>') ? -1 : 0;
}

function expectation(cursor: Cursor, before: readonly ExpectClause[]): ExpectClause {
  cursor.expectKeywords('CONSTRAINT');
  const name = cursor.identifier('the name of the expectation');
  if (before.some((other) => other.name.value === name.value)) {
    throw cursor.error(`there are two expectations ${name.value}`, {}, name);
  }
  refuseUnsupported(cursor, 'column');
  cursor.expectKeywords('EXPECT');
  cursor.expectSymbol('(');
  const condition = cursor.untilClosed();
  if (condition.length === 0) throw cursor.error(`the expectation ${name.value} has no condition`, {}, name);
  let onViolation: OnViolation = 'warn';
  if (cursor.keywords('ON', 'VIOLATION')) {
    if (cursor.keywords('DROP', 'ROW')) onViolation = 'drop';
    else if (cursor.keywords('FAIL', 'UPDATE')) onViolation = 'fail';
    else throw cursor.expected('DROP ROW or FAIL UPDATE', ['DROP', 'FAIL']);
  }
  return { name, condition, onViolation };
}
