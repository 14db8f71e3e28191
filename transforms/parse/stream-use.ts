/**
 * `STREAM` in a FROM clause: `STREAM(t)`, `STREAM t`, `STREAM read_kafka(…)`, `STREAM(generate(…))`.
 *
 * DuckDB's parser does not know it, so it is cut out before that parser sees the query, and a name stands in its place.
 */
import type { Span } from '../../core/source-text.ts';
import { isKeyword, isSymbol, type Token } from '../../core/sql-tokens.ts';
import { Cursor, type Identifier, type QualifiedName } from './cursor.ts';
import type { Script } from './script.ts';

/** A value given to an option of a source: `name => value`. */
export interface Argument {
  readonly name: Identifier;
  readonly value: string | number | boolean;
  readonly at: Span;
}

export type StreamUse = Span &
  (
    | { readonly kind: 'table'; readonly table: QualifiedName }
    | { readonly kind: 'function'; readonly name: Identifier; readonly arguments: readonly Argument[] }
  );

/** Words that may follow a table, so a table called stream is still possible. */
const AFTER_TABLE = new Set(
  'WHERE GROUP ORDER HAVING LIMIT QUALIFY WINDOW JOIN LEFT RIGHT INNER FULL CROSS NATURAL ASOF SEMI ANTI POSITIONAL ON USING AS UNION EXCEPT INTERSECT SELECT TABLESAMPLE OFFSET'.split(
    ' ',
  ),
);

/**
 * Every `STREAM …` in the tokens of a query.
 * @throws SluiceError `SQL_SYNTAX` when an argument cannot be read.
 */
export function findStreams(script: Script, tokens: readonly Token[]): StreamUse[] {
  const found: StreamUse[] = [];
  for (let i = 0; i < tokens.length; i++) {
    const token = tokens[i];
    if (token === undefined || !isKeyword(token, 'STREAM') || !standsForTable(tokens, i)) continue;
    const cursor = new Cursor(script, tokens.slice(i + 1));
    const inBrackets = cursor.symbol('(');
    const use = streamed(cursor);
    const end = inBrackets ? cursor.expectSymbol(')').end : use.end;
    found.push({ ...use, start: token.start, end });
    while ((tokens[i + 1]?.start ?? end) < end) i++;
  }
  return found;
}

function streamed(cursor: Cursor): StreamUse {
  const first = cursor.here();
  const name = cursor.qualifiedName('a table or a source such as read_kafka(…)');
  if (!cursor.symbol('(')) return { kind: 'table', table: name, start: name.start, end: name.end };
  const args = namedArguments(cursor);
  const end = cursor.expectSymbol(')').end;
  return {
    kind: 'function',
    name: { value: name.parts.join('.').toLowerCase(), start: first.start, end: name.end },
    arguments: args,
    start: first.start,
    end,
  };
}

function namedArguments(cursor: Cursor): Argument[] {
  const args: Argument[] = [];
  if (isSymbol(cursor.peek(), ')')) return args;
  do {
    const start = cursor.here().start;
    const parts =
      cursor.peek()?.kind === 'string'
        ? { parts: [cursor.next('the name of an option').value], end: cursor.here().start }
        : cursor.qualifiedName('the name of an option');
    const name = { value: parts.parts.join('.'), start, end: parts.end };
    if (args.some((other) => other.name.value.toLowerCase() === name.value.toLowerCase())) {
      throw cursor.error(`the option ${name.value} is given twice`, {}, name);
    }
    if (!cursor.symbol('=>')) throw cursor.expected(`=> and a value after ${name.value}`);
    const at = cursor.here();
    const value = literal(cursor, name.value);
    args.push({ name, value, at });
  } while (cursor.symbol(','));
  return args;
}

function literal(cursor: Cursor, option: string): string | number | boolean {
  const minus = cursor.symbol('-');
  const token = cursor.peek();
  if (token?.kind === 'number') {
    const value = Number(cursor.next('a number').text.replaceAll('_', ''));
    return minus ? -value : value;
  }
  if (!minus && token?.kind === 'string') return cursor.next('a text').value;
  if (!minus && cursor.keywords('TRUE')) return true;
  if (!minus && cursor.keywords('FALSE')) return false;
  throw cursor.error(`the value of ${option} must be a text in single quotes, a number, TRUE or FALSE`);
}

function standsForTable(tokens: readonly Token[], at: number): boolean {
  const next = tokens[at + 1];
  const isStart = isSymbol(next, '(') || next?.kind === 'name' || next?.kind === 'word';
  if (next === undefined || !isStart || (next.kind === 'word' && AFTER_TABLE.has(next.text.toUpperCase())))
    return false;
  const before = tokens[at - 1];
  if (isKeyword(before, 'FROM') || isKeyword(before, 'JOIN')) return true;
  return isSymbol(before, ',') && inFromClause(tokens, at);
}

/** Looks back, over bracketed parts, for the word that began the clause. */
function inFromClause(tokens: readonly Token[], at: number): boolean {
  let depth = 0;
  for (let i = at - 1; i >= 0; i--) {
    const token = tokens[i];
    if (isSymbol(token, ')')) depth++;
    else if (isSymbol(token, '(') && --depth < 0) return false;
    else if (depth === 0 && isKeyword(token, 'FROM')) return true;
    else if (depth === 0 && ['SELECT', 'WHERE', 'BY', 'HAVING'].some((word) => isKeyword(token, word))) return false;
  }
  return false;
}
