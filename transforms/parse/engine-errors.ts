/** DuckDB's complaints about a query, at their place in the file that the user wrote. */
import { SluiceError } from '../../core/errors.ts';
import type { Span } from '../../core/source-text.ts';
import type { Token } from '../../core/sql-tokens.ts';
import { suggest } from '../../core/suggest.ts';
import { explainEngineError } from '../../engine/explain.ts';
import type { Script } from './script.ts';

export interface QueryPlace {
  readonly script: Script;
  /** The tokens of the query, in the script. */
  readonly tokens: readonly Token[];
  /** From the place that DuckDB tells to the place in the script. */
  readonly originOf: (position: number) => number;
  /** Columns that the query can name. */
  readonly columns?: readonly string[];
}

const KEYWORDS = [
  'SELECT',
  'FROM',
  'WHERE',
  'GROUP',
  'HAVING',
  'ORDER',
  'LIMIT',
  'JOIN',
  'UNION',
  'QUALIFY',
  'BETWEEN',
  'DISTINCT',
];

/** The same failure told where the user can mend it; what is not about the query comes back as it was. */
export function atQuery(error: unknown, place: QueryPlace): unknown {
  if (!(error instanceof SluiceError) || error.facts['file'] !== undefined) return error;
  if (error.code !== 'SQL_SYNTAX' && error.code !== 'SQL_INVALID') return error;
  const { code, what, advice, name } = explainEngineError(error, place.columns);
  const position = error.facts['position'];
  const index =
    typeof position === 'number'
      ? indexAt(place.tokens, place.originOf(position))
      : place.tokens.findIndex((token) => token.value.toLowerCase() === name?.toLowerCase());
  const span = place.tokens[index] ?? endOf(place.tokens, position);
  const hint = code === 'SQL_SYNTAX' ? (misspelt(place.tokens, index) ?? advice) : advice;
  return place.script.error(code, span, what, { advice: hint, cause: error });
}

function indexAt(tokens: readonly Token[], offset: number): number {
  return tokens.findIndex((token) => token.end > offset);
}

/** Without a place: the whole first word of the query; beyond its end: the end. */
function endOf(tokens: readonly Token[], position: unknown): Span {
  const first = tokens[0] ?? { start: 0, end: 0 };
  if (position === undefined) return first;
  const end = tokens.at(-1)?.end ?? 0;
  return { start: end, end };
}

/** DuckDB stumbles at or just after a misspelt keyword, which it took for a name. */
function misspelt(tokens: readonly Token[], index: number): string | undefined {
  const at = index < 0 ? tokens.length : index;
  for (const token of [tokens[at], tokens[at - 1], tokens[at - 2]]) {
    if (token?.kind !== 'word' || token.text.length < 3) continue;
    const word = token.text.toUpperCase();
    const near = KEYWORDS.includes(word) ? undefined : suggest(word, KEYWORDS);
    if (near !== undefined && Math.abs(near.length - word.length) <= 1) return `Did you mean ${near}?`;
  }
  return undefined;
}
