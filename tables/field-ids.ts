/**
 * Column mapping by id: SQL that fails a query over data files whose columns cannot be found by their physical names.
 *
 * Every engine that writes a table in this mode writes both. A file that was taken over from elsewhere (from an Iceberg table,
 * for example) may have the ids alone: it is refused, since its columns would be read as NULL or as one another.
 * Source: Delta protocol, "Reader Requirements for Column Mapping".
 */
import type { DataType, StructType } from '../core/schema.ts';
import { quoteString } from '../engine/quoting.ts';
import { columnId, physicalName } from './column-mapping.ts';

/** What the error of such a query begins with. */
const REFUSED = 'columnMapping by id: the columns of this file are not named as the table names them: ';

/**
 * A condition that is true, or fails the query.
 * @param files as SQL
 */
export function idsAreAsNamed(schema: StructType, files: readonly string[]): string {
  const columns = idsOf(schema).map(([id, name]) => `(${String(id)}, ${quoteString(name)})`);
  if (columns.length === 0) return 'true';
  const inFiles = `parquet_schema([${files.join(', ')}])`;
  const otherwise = `SELECT s.file_name FROM ${inFiles} AS s JOIN (VALUES ${columns.join(', ')}) AS c(id, name) ON s.field_id = c.id WHERE s.name <> c.name`;
  const without = `SELECT file_name FROM ${inFiles} GROUP BY file_name HAVING count(field_id) = 0`;
  const wrong = `SELECT min(file_name) FROM (${otherwise} UNION ALL ${without})`;
  return `coalesce(error(${quoteString(REFUSED)} || (${wrong})), true)`;
}

function idsOf(type: DataType): (readonly [number, string])[] {
  switch (type.kind) {
    case 'struct':
      return type.fields.flatMap((field) => {
        const id = columnId(field);
        return [...(id === undefined ? [] : [[id, physicalName(field, 'id')] as const]), ...idsOf(field.type)];
      });
    case 'array':
      return idsOf(type.element);
    case 'map':
      return [...idsOf(type.key), ...idsOf(type.value)];
    case 'decimal':
    case 'primitive':
      return [];
  }
}
