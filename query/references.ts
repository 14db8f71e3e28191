/**
 * Where a statement names tables: what DuckDB's tree says, joined with the tokens of the text, so that each can be replaced in
 * place.
 *
 * Promise: pure; what common table expressions, strings and comments contain is never taken for a table.
 */
import type { Json } from '../core/json.ts';
import { isKeyword, isSymbol, type Token } from '../core/sql-tokens.ts';
import type { SourceText, Span } from '../core/source-text.ts';
import { tableFunctions, tableRefs, walk, type TreeNode } from '../engine/tree.ts';
import { closing } from './brackets.ts';
import type { Travel } from './time-travel.ts';

/** Functions that stand for tables. */
export type TableFunction = 'delta_scan' | 'table_changes';

/** A table, or a call of a function that stands for one. */
export interface Reference {
  readonly kind: 'table' | TableFunction;
  /** `['silver', 'orders']` as written; `['delta_scan']` for a function. */
  readonly parts: readonly string[];
  readonly start: number;
  readonly end: number;
  /** Indexes of its tokens. */
  readonly tokens: { readonly first: number; readonly last: number };
  /** Whether the statement gives it an alias. */
  readonly aliased: boolean;
  readonly travel: Travel | undefined;
  readonly node: TreeNode;
}

/**
 * @param tokens of the original text
 * @param toOffset from the tree's locations (bytes) to offsets in the text
 * @throws SluiceError `SQL_INVALID` for time travel that belongs to no table.
 */
export function findReferences(
  source: SourceText,
  tree: Json,
  tokens: readonly Token[],
  travels: readonly Travel[],
  toOffset: (byte: number) => number,
): Reference[] {
  const tokenAt = new Map(tokens.map((token, i) => [token.start, i]));
  const found: Reference[] = [];
  const add = (
    kind: Reference['kind'],
    parts: readonly string[],
    node: TreeNode,
    first: number,
    last: number,
  ): void => {
    const travel = travels.find((candidate) => belongsTo(tokens, last, candidate));
    found.push({
      kind,
      parts,
      start: tokens[first]?.start ?? 0,
      end: tokens[last]?.end ?? 0,
      tokens: { first, last },
      aliased: typeof node['alias'] === 'string' && node['alias'] !== '',
      travel,
      node,
    });
  };
  const indexOf = (location: number | undefined, what: string): number => {
    const index = location === undefined ? undefined : tokenAt.get(toOffset(location));
    if (index !== undefined) return index;
    const whole = { start: 0, end: source.text.length };
    throw source.error('SQL_INVALID', whole, `cannot find ${what} in the text of the statement`, {
      advice: 'Give the table an alias of its own or move it into a WITH clause, and report this statement.',
    });
  };
  for (const ref of tableRefs(tree)) {
    const parts = [ref.catalog, ref.schema, ref.name].filter((part) => part !== '');
    const first = indexOf(ref.location, parts.join('.'));
    add('table', parts, ref.node, first, first + 2 * (parts.length - 1));
  }
  for (const call of tableFunctions(tree)) {
    const name = call.name.toLowerCase();
    if ((name !== 'delta_scan' && name !== 'table_changes') || call.schema !== '') continue;
    const first = indexOf(call.location, call.name);
    add(name, [call.name], call.node, first, closing(tokens, first + 1) ?? first);
  }
  const lost = travels.find((travel) => !found.some((reference) => reference.travel === travel));
  if (lost !== undefined) {
    throw source.error('SQL_INVALID', lost, 'time travel stands behind a table only', {
      advice: 'Write it right after the name: FROM silver.orders VERSION AS OF 3 AS o.',
    });
  }
  return found.sort((a, b) => a.start - b.start);
}

/**
 * The `silver.` of every `silver.orders.amount`, for those tables that stand without an alias: what replaces the table has
 * an alias and no schema.
 */
export function findSchemaPrefixes(
  tree: Json,
  tokens: readonly Token[],
  references: readonly Reference[],
  toOffset: (byte: number) => number,
): Span[] {
  const tokenAt = new Map(tokens.map((token, i) => [token.start, i]));
  const found = new Map<number, Span>();
  walk(tree, new Set(), (node) => {
    const names = node['column_names'];
    const location = node['query_location'];
    if (node['class'] !== 'COLUMN_REF' || !Array.isArray(names) || names.length < 3 || typeof location !== 'number')
      return;
    const [schema = '', table = ''] = (names as readonly Json[]).map(String);
    const known = references.some(
      ({ kind, parts, aliased }) => kind === 'table' && !aliased && sameName(parts, [schema, table]),
    );
    const first = tokenAt.get(toOffset(location));
    const [start, end] = first === undefined ? [] : [tokens[first], tokens[first + 2]];
    if (known && start !== undefined && end !== undefined) {
      found.set(start.start, { start: start.start, end: end.start });
    }
  });
  return [...found.values()];
}

/** Whether two names are the same to SQL, which does not mind the case. */
function sameName(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((part, i) => part.toLowerCase() === b[i]?.toLowerCase());
}

/** `t AS OF…`, or with its alias between: `t AS o AS OF…`. */
function belongsTo(tokens: readonly Token[], last: number, travel: Travel): boolean {
  const between = tokens.slice(last + 1, travel.token);
  if (travel.token <= last || between.length > 2) return false;
  const [first, second] = between;
  if (first === undefined) return true;
  const isName = (token: Token | undefined): boolean => token?.kind === 'word' || token?.kind === 'name';
  return second === undefined ? isName(first) && !isSymbol(first, ',') : isKeyword(first, 'AS') && isName(second);
}

/** From locations of the tree to offsets in the text: DuckDB counts bytes of UTF-8, JavaScript UTF-16 units. */
export function offsets(sql: string): (byte: number) => number {
  const bytes = Buffer.from(sql);
  if (bytes.length === sql.length) return (byte) => byte;
  return (byte) => bytes.subarray(0, byte).toString().length;
}
