/** Brackets among tokens, and parts of a text made blank: pure helpers of the query dialect. */
import { isSymbol, type Token } from '../core/sql-tokens.ts';

/** The token that closes the parenthesis at `open`; undefined when there is none, or none closes it. */
export function closing(tokens: readonly Token[], open: number): number | undefined {
  if (!isSymbol(tokens[open], '(')) return undefined;
  let depth = 0;
  for (let i = open; i < tokens.length; i++) {
    if (isSymbol(tokens[i], '(')) depth++;
    if (isSymbol(tokens[i], ')') && --depth === 0) return i;
  }
  return undefined;
}

/** The arguments of a call, each as its tokens, given what stands between the parentheses. */
export function splitArguments(tokens: readonly Token[]): Token[][] {
  const groups: Token[][] = [[]];
  let depth = 0;
  for (const token of tokens) {
    if (['(', '[', '{'].some((open) => isSymbol(token, open))) depth++;
    if ([')', ']', '}'].some((close) => isSymbol(token, close))) depth--;
    if (depth === 0 && isSymbol(token, ',')) groups.push([]);
    else groups.at(-1)?.push(token);
  }
  return groups;
}

/** The text with spaces in place of a part of it; lines stay lines, and everything else stays where it is. */
export function blank(sql: string, start: number, end: number): string {
  return sql.slice(0, start) + sql.slice(start, end).replace(/[^\n]/g, ' ') + sql.slice(end);
}
