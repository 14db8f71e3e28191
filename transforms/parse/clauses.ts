/** The clauses between the name of a table and its query: in any order, each at most once. */
import type { Span } from '../../core/source-text.ts';
import { isSymbol, type Token } from '../../core/sql-tokens.ts';
import type { Cursor, Identifier } from './cursor.ts';
import { refuseUnsupported } from './unsupported.ts';

export interface Clauses {
  readonly partitionedBy: readonly Identifier[];
  readonly comment: string | undefined;
  readonly properties: Readonly<Record<string, string>>;
  /** The query after AS. */
  readonly query: readonly Token[];
}

const CLAUSES = ['PARTITIONED BY', 'COMMENT', 'TBLPROPERTIES', 'AS'];

/** Reads the clauses and the query, to the end of the statement. */
export function clauses(cursor: Cursor, isView: boolean): Clauses {
  let partitionedBy: readonly Identifier[] | undefined;
  let comment: string | undefined;
  let properties: Record<string, string> | undefined;
  for (;;) {
    refuseUnsupported(cursor, 'clause');
    const at = cursor.here();
    const once = (given: unknown, clause: string): void => {
      if (isView && clause !== 'COMMENT') throw cursor.error(`a temporary view has no ${clause}`, {}, at);
      if (given !== undefined) throw cursor.error(`${clause} is given twice`, {}, at);
    };
    if (cursor.keywords('PARTITIONED')) {
      once(partitionedBy, 'PARTITIONED BY');
      cursor.expectKeywords('BY');
      partitionedBy = partitionColumns(cursor);
    } else if (cursor.keywords('COMMENT')) {
      once(comment, 'COMMENT');
      comment = cursor.string('a comment').value;
    } else if (cursor.keywords('TBLPROPERTIES')) {
      once(properties, 'TBLPROPERTIES');
      properties = tableProperties(cursor);
    } else if (cursor.keywords('USING')) {
      if (!cursor.keywords('DELTA')) throw cursor.expected('DELTA: every table is a Delta table', ['DELTA']);
    } else if (cursor.keywords('AS')) {
      const query = cursor.rest();
      if (query.length === 0) throw cursor.expected('a query after AS');
      return { partitionedBy: partitionedBy ?? [], comment, properties: properties ?? {}, query };
    } else if (cursor.atEnd) {
      throw cursor.error('the statement has no query', { advice: 'Write AS SELECT … at its end.' });
    } else
      throw cursor.expected(
        CLAUSES.join(', ').replace(/, AS$/, ' or AS'),
        CLAUSES.flatMap((c) => c.split(' ')),
      );
  }
}

function partitionColumns(cursor: Cursor): Identifier[] {
  const columns: Identifier[] = [];
  cursor.expectSymbol('(');
  do {
    const column = cursor.identifier('a column name');
    if (!isSymbol(cursor.peek(), ',') && !isSymbol(cursor.peek(), ')')) {
      throw cursor.error('PARTITIONED BY takes column names only', {
        advice: `Compute the column in the query: SELECT *, … AS ${column.value}.`,
      });
    }
    columns.push(column);
  } while (cursor.symbol(','));
  cursor.expectSymbol(')');
  return columns;
}

function tableProperties(cursor: Cursor): Record<string, string> {
  const properties: Record<string, string> = {};
  cursor.expectSymbol('(');
  do {
    const at = cursor.here();
    const key =
      cursor.peek()?.kind === 'string'
        ? cursor.next('a key').value
        : cursor.qualifiedName('the name of a property').parts.join('.');
    cursor.symbol('=');
    const value = cursor.peek();
    const isValue = value?.kind === 'string' || value?.kind === 'number' || /^(true|false)$/i.test(value?.text ?? '');
    if (!isValue) throw cursor.expected(`a value for ${key}`);
    if (properties[key] !== undefined) throw cursor.error(`the property ${key} is given twice`, {}, at);
    if (/^sluice\./i.test(key)) throw cursor.error(`properties that begin with sluice. are sluice's own`, {}, at);
    refuseProperty(cursor, key, at);
    properties[key] = cursor.next('a value').value;
  } while (cursor.symbol(','));
  cursor.expectSymbol(')');
  return properties;
}

/** Properties that would promise something that sluice does not do. */
const REFUSED_PROPERTIES: Readonly<Record<string, string>> = {
  'delta.columnmapping.mode': 'column mapping',
  'delta.enabledeletionvectors': 'deletion vectors',
  'delta.enablechangedatafeed': 'the change data feed',
  'delta.enablerowtracking': 'row tracking',
};

function refuseProperty(cursor: Cursor, key: string, at: Span): void {
  const isProtocol = /^delta\.(feature\.|min(reader|writer)version$)/i.test(key);
  const feature = isProtocol ? `the property ${key}` : REFUSED_PROPERTIES[key.toLowerCase()];
  if (feature === undefined) return;
  throw cursor.error(`sluice does not write tables with ${feature}`, { advice: `Leave ${key} out.` }, at);
}
