/**
 * SQL cut into tokens, for the few forms that DuckDB's parser does not know and for finding where statements end.
 *
 * Promise: tokens carry their exact place in the text, and nothing inside a string, a quoted name or a comment is ever
 * taken for SQL. This is no parser: what a statement means is for DuckDB to say.
 */
import { SluiceError } from './errors.ts';

/** `word`: bare name or keyword; `name`: "quoted" or `backquoted`; `parameter`: `$1`, `$name`; `symbol`: an operator. */
export type TokenKind = 'word' | 'name' | 'string' | 'number' | 'parameter' | 'symbol';

export interface Token {
  readonly kind: TokenKind;
  /** The text as written. */
  readonly text: string;
  /** A name or string without its quotes, otherwise the text. */
  readonly value: string;
  /** Offset of the first character, in UTF-16 units. */
  readonly start: number;
  /** Offset after the last character. */
  readonly end: number;
}

const SPACE = /\s+|--[^\n]*/y;
const WORD = /[\p{L}_][\p{L}\p{N}_$]*/uy;
const NUMBER = /0[xX][\da-fA-F_]+|(?:\d[\d_]*(?:\.[\d_]*)?|\.\d[\d_]*)(?:[eE][+-]?\d+)?/y;
const STRING = /'(?:[^']|'')*'/y;
const ESCAPE_STRING = /[eE]'(?:[^'\\]|\\[\s\S]|'')*'/y;
const NAME = /"(?:[^"]|"")*"/y;
const BACKQUOTED = /`(?:[^`]|``)*`/y;
const DOLLAR_QUOTE = /\$(?:[\p{L}_][\p{L}\p{N}_]*)?\$/uy;
const PARAMETER = /\$[\p{L}\p{N}_]+|\?/uy;
const SYMBOL = /=>|::|->>|->|<=|>=|<>|!=|==|\|\||\*\*|\/\/|:=|[^\s]/uy;

/**
 * Cuts SQL into tokens; white space and comments are left out.
 * @throws SluiceError `SQL_SYNTAX` (facts.position: offset in the text) for a string, name or comment without an end.
 * @example tokenize('SELECT a FROM t').map((t) => t.text) // ['SELECT', 'a', 'FROM', 't']
 */
export function tokenize(sql: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  const matchAt = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    return pattern.exec(sql)?.[0];
  };
  const push = (kind: TokenKind, text: string, value = text): void => {
    tokens.push({ kind, text, value, start: at, end: at + text.length });
    at += text.length;
  };
  while (at < sql.length) {
    const space = matchAt(SPACE);
    if (space !== undefined) {
      at += space.length;
      continue;
    }
    if (sql.startsWith('/*', at)) {
      at = endOfComment(sql, at);
      continue;
    }
    const char = sql[at] ?? '';
    const escaped = matchAt(ESCAPE_STRING);
    if (escaped !== undefined) push('string', escaped, unescape(escaped));
    else if (char === "'") {
      const text = matchAt(STRING) ?? unterminated('string', at);
      push('string', text, text.slice(1, -1).replaceAll("''", "'"));
    } else if (char === '"') {
      const text = matchAt(NAME) ?? unterminated('quoted name', at);
      push('name', text, text.slice(1, -1).replaceAll('""', '"'));
    } else if (char === '`') {
      const text = matchAt(BACKQUOTED) ?? unterminated('quoted name', at);
      push('name', text, text.slice(1, -1).replaceAll('``', '`'));
    } else if (char === '$' && matchAt(DOLLAR_QUOTE) !== undefined) {
      const tag = matchAt(DOLLAR_QUOTE) ?? '';
      const close = sql.indexOf(tag, at + tag.length);
      if (close < 0) unterminated('string', at);
      push('string', sql.slice(at, close + tag.length), sql.slice(at + tag.length, close));
    } else {
      const word = matchAt(WORD);
      const number = word === undefined ? matchAt(NUMBER) : undefined;
      const parameter = word === undefined && number === undefined ? matchAt(PARAMETER) : undefined;
      if (word !== undefined) push('word', word);
      else if (number !== undefined) push('number', number);
      else if (parameter !== undefined) push('parameter', parameter);
      else push('symbol', matchAt(SYMBOL) ?? char);
    }
  }
  return tokens;
}

/** Whether the token is this bare keyword, in any case. */
export function isKeyword(token: Token | undefined, keyword: string): boolean {
  return token?.kind === 'word' && token.text.toUpperCase() === keyword.toUpperCase();
}

/** Whether the token is this operator or punctuation. */
export function isSymbol(token: Token | undefined, symbol: string): boolean {
  return token?.kind === 'symbol' && token.text === symbol;
}

export interface StatementText {
  readonly text: string;
  /** Offset of `text` in the whole. */
  readonly start: number;
}

/**
 * Splits a script at its semicolons; empty statements are left out, and so is the semicolon itself.
 * @example splitStatements("SELECT ';'; SELECT 2").length // 2
 */
export function splitStatements(sql: string): StatementText[] {
  const statements: StatementText[] = [];
  let first: Token | undefined;
  let last: Token | undefined;
  const close = (): void => {
    if (first !== undefined && last !== undefined) {
      statements.push({ text: sql.slice(first.start, last.end), start: first.start });
    }
    first = undefined;
    last = undefined;
  };
  for (const token of tokenize(sql)) {
    if (isSymbol(token, ';')) close();
    else {
      first ??= token;
      last = token;
    }
  }
  close();
  return statements;
}

/** DuckDB's block comments nest, as PostgreSQL's do. */
function endOfComment(sql: string, start: number): number {
  let depth = 0;
  const edge = /\/\*|\*\//g;
  edge.lastIndex = start;
  for (let match = edge.exec(sql); match !== null; match = edge.exec(sql)) {
    depth += match[0] === '/*' ? 1 : -1;
    if (depth === 0) return edge.lastIndex;
  }
  return unterminated('comment', start);
}

function unescape(text: string): string {
  const named: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', b: '\b', f: '\f' };
  return text
    .slice(2, -1)
    .replace(/\\([\s\S])|''/g, (_, char: string | undefined) => (char === undefined ? "'" : (named[char] ?? char)));
}

function unterminated(what: string, position: number): never {
  throw new SluiceError('SQL_SYNTAX', `a ${what} has no end`, {
    advice: `Close the ${what}.`,
    facts: { position },
  });
}
