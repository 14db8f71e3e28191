/**
 * Which files a MERGE can leave unread: those that no row of the source can belong to.
 *
 * Promise: every condition holds for each row of the table that some row of the source belongs to. Comparisons of `on` with a
 * constant count, and equalities with a column of the source in the same type: then the least and the greatest value of the
 * source are the bounds.
 */
import { isJsonObject, type Json } from '../../core/json.ts';
import { sameType, type DataType } from '../../core/schema.ts';
import { quoteIdent } from '../../engine/quoting.ts';
import type { Session } from '../../engine/session.ts';
import { findPredicates, toConditions, type Predicate } from '../conditions.ts';
import type { Condition } from '../prune.ts';
import type { Snapshot } from '../snapshot.ts';

/** @param source the name of the table that has the rows of the source */
export async function mergeConditions(
  session: Session,
  { schema }: Snapshot,
  on: string,
  source: string,
): Promise<readonly Condition[]> {
  // A column of that name could be meant instead of the table.
  if (schema.fields.some(({ name }) => ['target', 'source'].includes(name.toLowerCase()))) return [];
  const tree = await session.serialize(`SELECT * FROM target, source WHERE (${on}\n)`);
  const constant = [...findPredicates(tree)].flatMap(([node, predicates]) =>
    node['table_name'] === 'target' ? predicates : [],
  );
  const columns = await session.describe(`FROM ${source}`);
  const types = new Map(columns.map(({ name, type }) => [name.toLowerCase(), { name, type }] as const));
  if (types.has('target') || types.has('source')) return [];
  const bounds: Predicate[] = [];
  for (const pair of equalities(tree)) {
    const target = schema.fields.find(({ name }) => name.toLowerCase() === pair.target);
    const other = types.get(pair.source);
    if (target === undefined || other?.type === undefined || !sameType(target.type, other.type)) continue;
    const column = quoteIdent(other.name);
    const [row] = await session.rows(
      `SELECT min(${column})::VARCHAR AS least, max(${column})::VARCHAR AS most FROM ${source}`,
    );
    for (const [op, text] of [
      ['>=', row?.['least']],
      ['<=', row?.['most']],
    ] as const) {
      // prettier-ignore
      const literal = typeof text === 'string' ? literalOf(text, target.type) : undefined;
      if (literal !== undefined) bounds.push({ column: pair.target, qualifier: undefined, op, literal });
    }
  }
  return toConditions([...constant, ...bounds], schema);
}

interface Pair {
  readonly target: string;
  readonly source: string;
}

/** `target.a = source.b` of a conjunction, either way round; names in lower case. */
function equalities(tree: Json): Pair[] {
  const [statement] = isJsonObject(tree) && Array.isArray(tree['statements']) ? (tree['statements'] as Json[]) : [];
  const node = isJsonObject(statement) ? statement['node'] : undefined;
  return isJsonObject(node) ? equalitiesOf(node['where_clause']) : [];
}

function equalitiesOf(node: Json | undefined): Pair[] {
  if (!isJsonObject(node)) return [];
  if (node['type'] === 'CONJUNCTION_AND') {
    return Array.isArray(node['children']) ? (node['children'] as Json[]).flatMap(equalitiesOf) : [];
  }
  if (node['type'] !== 'COMPARE_EQUAL') return [];
  const sides = [columnOf(node['left']), columnOf(node['right'])];
  const target = sides.find((side) => side?.table === 'target')?.column;
  const source = sides.find((side) => side?.table === 'source')?.column;
  return target === undefined || source === undefined ? [] : [{ target, source }];
}

function columnOf(node: Json | undefined): { readonly table: string; readonly column: string } | undefined {
  if (!isJsonObject(node) || node['class'] !== 'COLUMN_REF' || !Array.isArray(node['column_names'])) return undefined;
  const [table, column, ...more] = (node['column_names'] as Json[]).map((name) =>
    typeof name === 'string' ? name.toLowerCase() : '',
  );
  return table === undefined || column === undefined || more.length > 0 ? undefined : { table, column };
}

function literalOf(text: string, type: DataType): Predicate['literal'] | undefined {
  if (type.kind === 'decimal') return { kind: 'decimal', text };
  if (type.kind !== 'primitive') return undefined;
  switch (type.name) {
    case 'long':
    case 'integer':
    case 'short':
    case 'byte':
      return { kind: 'integer', value: BigInt(text) };
    case 'date':
      return { kind: 'text', value: text, cast: 'DATE' };
    case 'string':
      return { kind: 'text', value: text, cast: undefined };
    // Their text may round, or name a zone.
    case 'float':
    case 'double':
    case 'timestamp':
    case 'timestamp_ntz':
    case 'boolean':
    case 'binary':
      return undefined;
  }
}
