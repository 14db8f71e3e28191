/**
 * Time travel in the words of Databricks, Spark and DuckDB, cut out of a statement before DuckDB parses it.
 *
 * `t VERSION AS OF 3`, `t TIMESTAMP AS OF '2026-01-02'` (also with FOR, SYSTEM_VERSION, SYSTEM_TIME), `t@v3`,
 * `t AT (VERSION => 3)`, `t AT (TIMESTAMP => now() - INTERVAL 1 DAY)`.
 *
 * Promise: pure; a word is taken for time travel only where the whole form is there, so columns may be called `version`.
 */
import { isKeyword, isSymbol, type Token } from '../core/sql-tokens.ts';
import { closing } from './brackets.ts';

export interface Travel {
  readonly unit: 'version' | 'timestamp';
  /** The SQL of the version or the time. */
  readonly expression: string;
  readonly start: number;
  readonly end: number;
  /** Index of its first token. */
  readonly token: number;
}

/** @example findTravels("SELECT * FROM t VERSION AS OF 3", tokens)[0]?.expression // '3' */
export function findTravels(sql: string, tokens: readonly Token[]): Travel[] {
  const travels: Travel[] = [];
  for (let i = 0; i < tokens.length; i++) {
    const found = asOf(tokens, i) ?? atClause(tokens, i) ?? atVersion(tokens, i);
    if (found === undefined) continue;
    const [first, last] = [tokens[i], tokens[found.last]];
    const [from, to] = [tokens[found.from], tokens[found.to]];
    if (first === undefined || last === undefined || from === undefined || to === undefined) continue;
    travels.push({
      unit: found.unit,
      expression: sql.slice(from.start, to.end).replace(/^v(?=\d+$)/i, ''),
      start: first.start,
      end: last.end,
      token: i,
    });
    i = found.last;
  }
  return travels;
}

/** Indexes of tokens: those of the expression, and the last one of the clause. */
interface Found {
  readonly unit: Travel['unit'];
  readonly from: number;
  readonly to: number;
  readonly last: number;
}

const UNITS: Readonly<Record<string, Travel['unit']>> = {
  VERSION: 'version',
  SYSTEM_VERSION: 'version',
  TIMESTAMP: 'timestamp',
  SYSTEM_TIME: 'timestamp',
};

/** `[FOR] VERSION AS OF 3`. The word `version` may be a column, so the whole form must be there. */
function asOf(tokens: readonly Token[], start: number): Found | undefined {
  const at = isKeyword(tokens[start], 'FOR') ? start + 1 : start;
  const unit = unitOf(tokens[at]);
  if (unit === undefined || !isKeyword(tokens[at + 1], 'AS') || !isKeyword(tokens[at + 2], 'OF')) return undefined;
  const from = at + 3;
  const to = endOfPrimary(tokens, from);
  return to === undefined ? undefined : { unit, from, to, last: to };
}

/** `AT (VERSION => 3)`. */
function atClause(tokens: readonly Token[], start: number): Found | undefined {
  const unit = unitOf(tokens[start + 2]);
  if (!isKeyword(tokens[start], 'AT') || !isSymbol(tokens[start + 1], '(') || unit === undefined) return undefined;
  const arrow = isSymbol(tokens[start + 3], '=>') || isSymbol(tokens[start + 3], ':=');
  const last = closing(tokens, start + 1);
  if (!arrow || last === undefined || last < start + 5) return undefined;
  return { unit, from: start + 4, to: last - 1, last };
}

/** `t@v3`, with nothing between. */
function atVersion(tokens: readonly Token[], start: number): Found | undefined {
  const [before, at, version] = [tokens[start - 1], tokens[start], tokens[start + 1]];
  if (before === undefined || version === undefined || at === undefined || !isSymbol(at, '@')) return undefined;
  const together = before.end === at.start && at.end === version.start && version.kind === 'word';
  if (!together || !/^v\d+$/i.test(version.text)) return undefined;
  return { unit: 'version', from: start + 1, to: start + 1, last: start + 1 };
}

function unitOf(token: Token | undefined): Travel['unit'] | undefined {
  return token?.kind === 'word' ? UNITS[token.text.toUpperCase()] : undefined;
}

/** What may stand behind a select list that ends in `version AS of`. */
const AFTER_SELECT = [
  'FROM',
  'WHERE',
  'GROUP',
  'HAVING',
  'QUALIFY',
  'UNION',
  'EXCEPT',
  'INTERSECT',
  'ORDER',
  'LIMIT',
  'OFFSET',
];

/** The last token of a literal, `(…)`, `f(…)`, `TIMESTAMP '…'`, or undefined when there is none of these. */
function endOfPrimary(tokens: readonly Token[], at: number): number | undefined {
  const [token, next] = [tokens[at], tokens[at + 1]];
  if (token?.kind === 'number' || token?.kind === 'string') return at;
  if (isSymbol(token, '(')) return closing(tokens, at);
  if (token?.kind !== 'word' || AFTER_SELECT.includes(token.text.toUpperCase())) return undefined;
  if (isSymbol(next, '(')) return closing(tokens, at + 1);
  const isTyped = next?.kind === 'string' && ['TIMESTAMP', 'TIMESTAMPTZ', 'DATE'].includes(token.text.toUpperCase());
  return isTyped ? at + 1 : undefined;
}
