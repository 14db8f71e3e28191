/**
 * The hidden column of a stream: there when it is named, left out of `SELECT *`.
 *
 * Stars are given an EXCLUDE for it, which only they need that stand right over the stream.
 */
import type { Edit } from '../../core/edits.ts';
import { isJsonObject, type Json } from '../../core/json.ts';
import { isKeyword, isSymbol, tokenize, type Token } from '../../core/sql-tokens.ts';
import { quoteIdent } from '../../engine/quoting.ts';
import { textOf, utf8Offsets, walk } from '../../engine/tree.ts';

/** What stands in the place of the stream while DuckDB's parser reads the query. */
export const STREAM_NAME = '__sluice_stream';

/**
 * The edits that leave `hidden` out of every star over the stream.
 * @param sql the text that `tree` was made from
 * @param defaultAlias how the stream is called where the query gives no alias
 */
export function hiddenColumnEdits(sql: string, tree: Json, hidden: string, defaultAlias: string): Edit[] {
  const tokens = tokenize(sql);
  const offsetOf = utf8Offsets(sql);
  const edits = new Map<number, Edit>();
  walk(tree, new Set(), (node) => {
    const alias = node['type'] === 'SELECT_NODE' ? streamAlias(node['from_table'], defaultAlias) : undefined;
    if (alias === undefined) return;
    const column = `${quoteIdent(alias)}.${quoteIdent(hidden)}`;
    for (const star of starsOf(node['select_list'])) {
      const relation = textOf(star['relation_name']);
      if (relation !== '' && relation.toLowerCase() !== alias.toLowerCase()) continue;
      const location = star['query_location'];
      const at = typeof location === 'number' ? tokens.findIndex((token) => token.end > offsetOf(location)) : -1;
      const edit = starEdit(tokens, at, relation === '' ? column : quoteIdent(hidden)) ?? fromFirst(tokens, column);
      if (edit !== undefined) edits.set(edit.start, edit);
    }
  });
  return [...edits.values()];
}

/** How the stream is called in a FROM, when it stands there itself and not in a subquery. */
function streamAlias(from: Json | undefined, defaultAlias: string): string | undefined {
  if (!isJsonObject(from)) return undefined;
  if (from['type'] === 'BASE_TABLE' && from['table_name'] === STREAM_NAME) return textOf(from['alias']) || defaultAlias;
  if (from['type'] !== 'JOIN') return undefined;
  return streamAlias(from['left'], defaultAlias) ?? streamAlias(from['right'], defaultAlias);
}

/** The stars of a select list, not those of subqueries in it. */
function starsOf(list: Json | undefined): { readonly [key: string]: Json | undefined }[] {
  if (Array.isArray(list)) return (list as readonly Json[]).flatMap(starsOf);
  if (!isJsonObject(list) || list['type'] === 'SUBQUERY') return [];
  if (list['class'] === 'STAR') return [list];
  return Object.values(list).flatMap(starsOf);
}

/** After the `*` of `*`, `o.*`, `COLUMNS(*)`, `COLUMNS(o.*)`: into the EXCLUDE that is there, or a new one. */
function starEdit(tokens: readonly Token[], at: number, column: string): Edit | undefined {
  const star = [0, 2, 4].map((ahead) => at + ahead).find((i) => at >= 0 && isSymbol(tokens[i], '*'));
  const token = star === undefined ? undefined : tokens[star];
  if (star === undefined || token === undefined) return undefined;
  const [exclude, next] = [tokens[star + 1], tokens[star + 2]];
  if (!isKeyword(exclude, 'EXCLUDE') || next === undefined) {
    return { start: token.end, end: token.end, text: ` EXCLUDE (${column})` };
  }
  return isSymbol(next, '(')
    ? { start: next.end, end: next.end, text: `${column}, ` }
    : { start: next.start, end: next.end, text: `(${column}, ${next.text})` };
}

/** `FROM STREAM t …` without a SELECT: the star is not in the text. */
function fromFirst(tokens: readonly Token[], column: string): Edit | undefined {
  const stream = tokens.findIndex((token) => token.value === STREAM_NAME);
  const from = tokens.slice(0, stream).findLast((token) => isKeyword(token, 'FROM'));
  return from && { start: from.start, end: from.start, text: `SELECT * EXCLUDE (${column}) ` };
}
