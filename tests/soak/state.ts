/** The rows of each batch as one text, computed where the rows are: as `digestOf` does. */
import type { Row } from '../../engine/values.ts';
import { textOf } from '../../engine/values.ts';

/** DuckDB SQL, to be followed by a relation and `GROUP BY b`. */
export const STATE = `SELECT b, count(*)::VARCHAR || ' ' || md5(string_agg(i::VARCHAR || ':' || v::VARCHAR, ',' ORDER BY i)) AS digest FROM`;

export function stateOf(rows: readonly Row[]): Record<string, string> {
  return Object.fromEntries(rows.map(({ b, digest }) => [textOf(b), textOf(digest)]));
}
