/**
 * What a syntax tree of DuckDB (`Session.serialize`) says about tables: which are read, and where they stand in the text.
 *
 * Promise: names of common table expressions are not taken for tables, at any depth. The nodes given are the tree's own, so
 * a caller may change them and write the tree back to SQL.
 */
import { isJsonObject, type Json } from '../core/json.ts';

/** A node that may be changed in place. */
export type TreeNode = Record<string, Json | undefined>;

export interface TableRef {
  readonly catalog: string;
  readonly schema: string;
  readonly name: string;
  /** Offset in the SQL, in bytes of its UTF-8 text; undefined where DuckDB does not tell. */
  readonly location: number | undefined;
  /** `t AT (VERSION => 3)`: its unit and the expression's node. */
  readonly at: { readonly unit: string; readonly value: Json } | undefined;
  readonly node: TreeNode;
}

export interface TableFunction {
  readonly name: string;
  readonly schema: string;
  readonly location: number | undefined;
  /** Arguments in order; named ones come as COMPARE_EQUAL or with an alias, as DuckDB's parser gives them. */
  readonly arguments: readonly TreeNode[];
  readonly node: TreeNode;
}

/** Every table that a tree reads, in the order of the text; the same table twice comes twice. */
export function tableRefs(tree: Json): TableRef[] {
  const refs: TableRef[] = [];
  walk(tree, new Set(), (node, ctes) => {
    if (node['type'] !== 'BASE_TABLE') return;
    const name = textOf(node['table_name']);
    const schema = textOf(node['schema_name']);
    if (schema === '' && ctes.has(name.toLowerCase())) return;
    const at = node['at_clause'];
    refs.push({
      catalog: textOf(node['catalog_name']),
      schema,
      name,
      location: locationOf(node),
      at: isJsonObject(at) ? { unit: textOf(at['unit']), value: at['expr'] ?? null } : undefined,
      node,
    });
  });
  return refs.sort(byLocation);
}

/** Every table function that a tree calls in a FROM clause. */
export function tableFunctions(tree: Json): TableFunction[] {
  const found: TableFunction[] = [];
  walk(tree, new Set(), (node) => {
    const call = node['function'];
    if (node['type'] !== 'TABLE_FUNCTION' || !isJsonObject(call)) return;
    const args = Array.isArray(call['children']) ? (call['children'] as readonly Json[]) : [];
    found.push({
      name: textOf(call['function_name']),
      schema: textOf(call['schema']),
      location: locationOf(node) ?? locationOf(call),
      arguments: args.filter(isJsonObject),
      node,
    });
  });
  return found.sort(byLocation);
}

/**
 * Visits every object of a tree, with the names of the common table expressions that are in sight there. One that is not
 * recursive does not see itself: `WITH t AS (SELECT * FROM t) …` reads a table.
 */
export function walk(
  tree: Json,
  ctes: ReadonlySet<string>,
  visit: (node: TreeNode, ctes: ReadonlySet<string>) => void,
): void {
  if (Array.isArray(tree)) {
    for (const item of tree as readonly Json[]) walk(item, ctes, visit);
    return;
  }
  if (!isJsonObject(tree)) return;
  let inSight = ctes;
  for (const { name, recursive, value } of cteEntries(tree['cte_map'])) {
    const withOwn = new Set([...inSight, name]);
    walk(value, recursive ? withOwn : inSight, visit);
    inSight = withOwn;
  }
  visit(tree, inSight);
  for (const [key, child] of Object.entries(tree)) {
    if (child !== undefined && key !== 'cte_map') walk(child, inSight, visit);
  }
}

export interface CteEntry {
  /** In lower case. */
  readonly name: string;
  readonly recursive: boolean;
  readonly value: TreeNode;
  /** The query's own node. */
  readonly query: TreeNode;
}

/** The common table expressions that stand before a query, given its `cte_map`. */
export function cteEntries(map: Json | undefined): CteEntry[] {
  const list = isJsonObject(map) && Array.isArray(map['map']) ? (map['map'] as readonly Json[]) : [];
  return list.flatMap((entry) => {
    if (!isJsonObject(entry) || !isJsonObject(entry['value'])) return [];
    const { value } = entry;
    const query = isJsonObject(value['query']) && isJsonObject(value['query']['node']) ? value['query']['node'] : {};
    const name = textOf(entry['key']).toLowerCase();
    return [{ name, recursive: query['type'] === 'RECURSIVE_CTE_NODE', value, query }];
  });
}

/** From the locations of a tree, which count bytes of UTF-8, to offsets in the text, which count UTF-16 units. */
export function utf8Offsets(sql: string): (byte: number) => number {
  const bytes = Buffer.from(sql);
  if (bytes.length === sql.length) return (byte) => byte;
  return (byte) => bytes.subarray(0, byte).toString().length;
}

function locationOf(node: { readonly [key: string]: Json | undefined }): number | undefined {
  const location = node['query_location'];
  return typeof location === 'number' ? location : undefined;
}

/** A text of the tree; anything else is ''. */
export function textOf(value: Json | undefined): string {
  return typeof value === 'string' ? value : '';
}

function byLocation(
  a: { readonly location: number | undefined },
  b: { readonly location: number | undefined },
): number {
  return (a.location ?? Infinity) - (b.location ?? Infinity) || 0;
}
