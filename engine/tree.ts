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
    const name = String(node['table_name']);
    const schema = String(node['schema_name'] ?? '');
    if (schema === '' && ctes.has(name.toLowerCase())) return;
    const at = node['at_clause'];
    refs.push({
      catalog: String(node['catalog_name'] ?? ''),
      schema,
      name,
      location: locationOf(node),
      at: isJsonObject(at) ? { unit: String(at['unit']), value: at['expr'] ?? null } : undefined,
      node,
    });
  });
  return refs;
}

/** Every table function that a tree calls in a FROM clause. */
export function tableFunctions(tree: Json): TableFunction[] {
  const found: TableFunction[] = [];
  walk(tree, new Set(), (node) => {
    const call = node['function'];
    if (node['type'] !== 'TABLE_FUNCTION' || !isJsonObject(call)) return;
    const args = Array.isArray(call['children']) ? (call['children'] as readonly Json[]) : [];
    found.push({
      name: String(call['function_name']),
      schema: String(call['schema'] ?? ''),
      location: locationOf(node) ?? locationOf(call),
      arguments: args.filter(isJsonObject),
      node,
    });
  });
  return found;
}

/** Visits every object of a tree, with the names of the common table expressions that are in sight there. */
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
  const inner = withCtes(tree['cte_map'], ctes);
  visit(tree as TreeNode, inner);
  for (const child of Object.values(tree)) if (child !== undefined) walk(child, inner, visit);
}

function withCtes(map: Json | undefined, outer: ReadonlySet<string>): ReadonlySet<string> {
  const list = isJsonObject(map) && Array.isArray(map['map']) ? (map['map'] as readonly Json[]) : [];
  if (list.length === 0) return outer;
  return new Set([...outer, ...list.map((entry) => (isJsonObject(entry) ? String(entry['key']).toLowerCase() : ''))]);
}

function locationOf(node: { readonly [key: string]: Json | undefined }): number | undefined {
  const location = node['query_location'];
  return typeof location === 'number' ? location : undefined;
}
