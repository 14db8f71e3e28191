/**
 * Where the SQL of Databricks and Spark says the same as DuckDB in other words: what to put instead.
 *
 * Promise: only spellings and type names change. TIMESTAMP means what it means in Spark, a point in time (DuckDB's
 * TIMESTAMPTZ), so that a table has the same types whichever engine runs the statement; TIMESTAMP_NTZ is DuckDB's TIMESTAMP.
 */
import { isKeyword, isSymbol, type Token } from '../../core/sql-tokens.ts';
import { quoteIdent } from '../../engine/quoting.ts';
import type { Edit } from '../../core/edits.ts';

const TYPE_NAMES: Readonly<Record<string, string>> = {
  TIMESTAMP: 'TIMESTAMPTZ',
  TIMESTAMP_LTZ: 'TIMESTAMPTZ',
  TIMESTAMP_NTZ: 'TIMESTAMP',
  BYTE: 'TINYINT',
};

/** @example dialectEdits(tokenize('CAST(a AS TIMESTAMP)')) // TIMESTAMP → TIMESTAMPTZ */
export function dialectEdits(tokens: readonly Token[]): Edit[] {
  const inType = typeTokens(tokens);
  return tokens.flatMap((token, i) => {
    const { start, end } = token;
    if (token.kind === 'name' && token.text.startsWith('`')) return [{ start, end, text: quoteIdent(token.value) }];
    if (token.kind !== 'word') return [];
    const name = TYPE_NAMES[token.text.toUpperCase()];
    const next = tokens[i + 1];
    const isType = inType.has(token)
      ? !isKeyword(next, 'WITH') && !isKeyword(next, 'WITHOUT')
      : next?.kind === 'string';
    const afterDot = isSymbol(tokens[i - 1], '.') || isKeyword(tokens[i - 1], 'AS');
    if (name === undefined || !isType || (afterDot && !inType.has(token))) return [];
    return [{ start, end, text: name }];
  });
}

/** The words that stand where a type does: after `::`, and after AS in CAST and TRY_CAST. */
function typeTokens(tokens: readonly Token[]): ReadonlySet<Token> {
  const found = new Set<Token>();
  const casts: number[] = [];
  let depth = 0;
  for (const [i, token] of tokens.entries()) {
    if (isSymbol(token, '(')) {
      depth++;
      if (isKeyword(tokens[i - 1], 'CAST') || isKeyword(tokens[i - 1], 'TRY_CAST')) casts.push(depth);
    } else if (isSymbol(token, ')')) {
      if (casts.at(-1) === depth) casts.pop();
      depth--;
    } else if (isSymbol(token, '::') || (isKeyword(token, 'AS') && casts.at(-1) === depth)) {
      for (const word of typeAt(tokens, i + 1)) found.add(word);
    }
  }
  return found;
}

/** The type that begins at `at`: a word, and what its brackets hold (field names apart). */
function typeAt(tokens: readonly Token[], at: number): Token[] {
  const first = tokens[at];
  if (first === undefined) return [];
  if (!isSymbol(tokens[at + 1], '(')) return [first];
  const inside: Token[] = [first];
  let depth = 0;
  for (let i = at + 1; i < tokens.length; i++) {
    const token = tokens[i];
    if (token === undefined) break;
    if (isSymbol(token, '(')) depth++;
    else if (isSymbol(token, ')') && --depth === 0) break;
    else if (!isFieldName(tokens, i)) inside.push(token);
  }
  return inside;
}

/** In STRUCT(timestamp TIMESTAMP) the first word of each part is a name. */
function isFieldName(tokens: readonly Token[], i: number): boolean {
  const before = tokens[i - 1];
  const next = tokens[i + 1];
  return (isSymbol(before, '(') || isSymbol(before, ',')) && (next?.kind === 'word' || next?.kind === 'name');
}
