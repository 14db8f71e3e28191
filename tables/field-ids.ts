/**
 * Ids of columns in data files: those that new files get, and SQL that fails a query over files whose columns cannot be found by their
 * physical names.
 *
 * Every engine that writes a table in this mode writes both. A file that was taken over from elsewhere (from an Iceberg table,
 * for example) may have the ids alone: it is refused, since its columns would be read as NULL or as one another.
 * Source: Delta protocol, "Reader Requirements for Column Mapping".
 */
import { fieldsIn, type DataType, type Field, type StructType } from '../core/schema.ts';
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

/** The ids that a new file's columns have, as DuckDB's `FIELD_IDS`. Source: Delta protocol, "Writer Requirements for Column Mapping". */
export function fieldIdsOf(schema: StructType): string | undefined {
  return idsInside(schema);
}

/** Of a type; undefined when nothing in it has an id. */
function idsInside(type: DataType): string | undefined {
  const parts = (entries: readonly (readonly [string, string | undefined])[]): string | undefined => {
    const known = entries.flatMap(([name, ids]) => (ids === undefined ? [] : [`${quoteString(name)}: ${ids}`]));
    return known.length === 0 ? undefined : `{${known.join(', ')}}`;
  };
  switch (type.kind) {
    case 'struct':
      return parts(type.fields.map((field) => [physicalName(field, 'id'), idsOfField(field)]));
    case 'array':
      return parts([['element', idsInside(type.element)]]);
    case 'map':
      return parts([
        ['key', idsInside(type.key)],
        ['value', idsInside(type.value)],
      ]);
    case 'decimal':
    case 'primitive':
      return undefined;
  }
}

function idsOfField(field: Field): string | undefined {
  const [id, inside] = [columnId(field), idsInside(field.type)];
  if (id === undefined || inside === undefined) return id === undefined ? inside : String(id);
  return `{__duckdb_field_id: ${String(id)}, ${inside.slice(1)}`;
}

function idsOf(schema: StructType): (readonly [number, string])[] {
  return fieldsIn(schema).flatMap((field) => {
    const id = columnId(field);
    return id === undefined ? [] : [[id, physicalName(field, 'id')] as const];
  });
}
