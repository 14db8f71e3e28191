/**
 * Columns of no type, which Spark makes of `SELECT NULL AS x`: no data file has them.
 *
 * Promise: pure; they are left out of what is read, at the top and inside of structs, as Spark leaves them out.
 */
import { isJsonObject, type Json } from '../../core/json.ts';

/** A schema as JSON without them; the same object when it has none. */
export function withoutVoid(schema: Json): Json {
  if (!isJsonObject(schema) || schema['type'] !== 'struct' || !Array.isArray(schema['fields'])) return schema;
  const fields = schema['fields'] as readonly Json[];
  const kept = fields.flatMap((field) => {
    if (!isJsonObject(field) || field['type'] === 'void') return isJsonObject(field) ? [] : [field];
    const type = withoutVoid(field['type'] ?? null);
    return type === (field['type'] ?? null) ? [field] : [{ ...field, type }];
  });
  const isSame = kept.length === fields.length && kept.every((field, i) => field === fields[i]);
  // A struct of nothing has no values to tell apart: it stays as it is, and is refused by name.
  return isSame || kept.length === 0 ? schema : { ...schema, fields: kept };
}
