/**
 * The statements of a pipeline file: everything before `AS`. What comes after is for DuckDB's parser (body.ts).
 *
 * Promise: every word is understood or refused with its place; clauses come in any order, each at most once.
 * Source: Databricks SQL, "CREATE STREAMING TABLE", "CREATE MATERIALIZED VIEW", "CREATE TEMPORARY VIEW" of pipelines.
 */
import type { Token } from '../../core/sql-tokens.ts';
import { isKeyword } from '../../core/sql-tokens.ts';
import { clauses, type Clauses } from './clauses.ts';
import { columnList, type ColumnList } from './column-list.ts';
import { Cursor, type QualifiedName } from './cursor.ts';
import type { Script } from './script.ts';
import { refuseUnsupported } from './unsupported.ts';

export type StatementKind = 'streaming_table' | 'materialized_view' | 'view';

export interface Statement extends ColumnList, Clauses {
  readonly script: Script;
  readonly kind: StatementKind;
  readonly name: QualifiedName;
  readonly tokens: readonly Token[];
}

const KINDS = ['STREAMING TABLE', 'MATERIALIZED VIEW', 'TEMPORARY VIEW'];

/**
 * @param tokens of one statement, without its semicolon
 * @throws SluiceError `SQL_SYNTAX` with the place.
 */
export function parseStatement(script: Script, tokens: readonly Token[]): Statement {
  const cursor = new Cursor(script, tokens);
  refuseUnsupported(cursor, 'statement');
  if (!cursor.keywords('CREATE')) throw cursor.expected('CREATE', ['CREATE']);
  const changes = cursor.keywords('OR', 'REFRESH') || cursor.keywords('OR', 'REPLACE');
  if (!changes && isKeyword(cursor.peek(), 'OR')) {
    cursor.next('OR');
    throw cursor.expected('REFRESH or REPLACE after OR', ['REFRESH', 'REPLACE']);
  }
  if (changes) refuseUnsupported(new Cursor(script, [created(tokens), ...tokens.slice(3)]), 'statement');
  const kind = kindAt(cursor);
  cursor.keywords('IF', 'NOT', 'EXISTS');
  const name = cursor.qualifiedName('a name');
  const list = cursor.symbol('(') ? columnList(cursor, kind === 'view') : { columns: [], expectations: [] };
  return { script, kind, name, tokens, ...list, ...clauses(cursor, kind === 'view') };
}

/** `CREATE` of `CREATE OR REFRESH …`, to look at what comes after as if the words between were not there. */
function created(tokens: readonly Token[]): Token {
  return tokens[0] ?? { kind: 'word', text: 'CREATE', value: 'CREATE', start: 0, end: 0 };
}

function kindAt(cursor: Cursor): StatementKind {
  if (cursor.keywords('STREAMING')) {
    cursor.expectKeywords('TABLE');
    return 'streaming_table';
  }
  if (cursor.keywords('MATERIALIZED')) {
    cursor.expectKeywords('VIEW');
    return 'materialized_view';
  }
  if (cursor.keywords('TEMPORARY') || cursor.keywords('TEMP')) {
    cursor.expectKeywords('VIEW');
    return 'view';
  }
  throw cursor.expected(
    `${KINDS.slice(0, -1).join(', ')} or ${KINDS.at(-1) ?? ''}`,
    KINDS.flatMap((k) => k.split(' ')),
  );
}
