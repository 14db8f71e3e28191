/** In which orders the records of a batch name their fields, learnt from those that the fast road did not take. */
import type { DataType, StructType } from '../../core/schema.ts';
import { quoteString } from '../../engine/quoting.ts';
import type { Session } from '../../engine/session.ts';
import { pathInside, type FieldOrders } from './field-orders.ts';

const SAMPLE_ROWS = 1000;
/** Orders kept for each struct; records in rarer ones take the slow road. */
const ORDERS_KEPT = 4;

/**
 * The known orders and those of the sampled records, the most frequent first.
 * @param table has a column `document`, NULL where the value is not UTF-8
 */
export async function learnOrders(
  session: Session,
  table: string,
  schema: StructType,
  known: FieldOrders,
): Promise<FieldOrders> {
  const paths = structPaths(schema, '');
  const sample = `SELECT document FROM ${table} WHERE document IS NOT NULL LIMIT ${String(SAMPLE_ROWS)}`;
  const keys = paths.map(
    ([path], i) =>
      `SELECT ${String(i)} AS path, CASE WHEN json_valid(document) THEN json_keys(document, ${quoteString(path)}) END AS names FROM sample`,
  );
  const rows = await session.rows(
    `WITH sample AS MATERIALIZED (${sample}) SELECT path, names, count(*) AS n FROM (${keys.join(' UNION ALL ')}) ` +
      `WHERE len(names) > 0 GROUP BY ALL ORDER BY path, n DESC, names`,
  );
  const found = new Map<string, readonly (readonly string[])[]>();
  for (const [i, [path, type]] of paths.entries()) {
    const own = new Set(type.fields.map((f) => f.name));
    const seen = rows.filter((row) => row['path'] === i).map((row) => row['names'] as readonly string[]);
    const usable = seen.map((names) => [...new Set(names)].filter((name) => own.has(name)));
    found.set(path, merge([...(known.get(path) ?? []), ...usable.filter((names) => names.length > 0)]));
  }
  return found;
}

/** Without those that another one covers: it starts alike and has the same names in the same order, and more. */
function merge(orders: readonly (readonly string[])[]): readonly (readonly string[])[] {
  const kept: (readonly string[])[] = [];
  for (const order of orders) {
    if (kept.some((other) => covers(other, order))) continue;
    kept.splice(0, kept.length, ...kept.filter((other) => !covers(order, other)), order);
  }
  return kept.slice(0, ORDERS_KEPT);
}

function covers(longer: readonly string[], shorter: readonly string[]): boolean {
  if (longer[0] !== shorter[0]) return false;
  let at = 0;
  for (const name of longer) if (name === shorter[at]) at++;
  return at === shorter.length;
}

/** The record and each struct inside it, by JSON pointer; of lists, the first element. */
function structPaths(type: DataType, path: string): (readonly [string, StructType])[] {
  if (type.kind === 'array') return structPaths(type.element, pathInside(path, '0'));
  if (type.kind !== 'struct') return [];
  const inner = type.fields.flatMap((f) => structPaths(f.type, pathInside(path, f.name)));
  return [[path, type], ...inner];
}
