/**
 * NULL where a schema allows none, as SQL: columns declared NOT NULL, fields of structs, elements of arrays, values of maps.
 */
import type { DataType, Field } from '../core/schema.ts';
import { quoteIdent, quoteString } from '../engine/quoting.ts';

/** What the error of such a row begins with. */
export const NULL_REFUSED = 'sluice: NULL in ';

/** A column's expression, made to fail with its name when a value has a NULL that the schema does not allow. */
export function refuseNull(expression: string, field: Field): string {
  const broken = brokenAs(expression, field.type, field.nullable, 0);
  if (broken === undefined) return expression;
  return `CASE WHEN ${broken} THEN error(${quoteString(NULL_REFUSED + field.name)}) ELSE ${expression} END`;
}

/** A condition that is true for rows which break a column's type by a NULL; undefined when none can. */
export function isOwnNull({ name, type, nullable }: Field): string | undefined {
  return brokenAs(quoteIdent(name), type, nullable, 0);
}

/** A condition that is true for a value which breaks its type; undefined when every value is fine. */
function brokenAs(value: string, type: DataType, nullable: boolean, depth: number): string | undefined {
  const inside = brokenInside(value, type, depth);
  const whole = nullable ? undefined : `${value} IS NULL`;
  return inside === undefined ? whole : whole === undefined ? inside : `(${whole} OR ${inside})`;
}

function brokenInside(value: string, type: DataType, depth: number): string | undefined {
  if (type.kind === 'struct') {
    const parts = type.fields.flatMap(
      (field) => brokenAs(`${value}.${quoteIdent(field.name)}`, field.type, field.nullable, depth) ?? [],
    );
    return parts.length === 0 ? undefined : `(${value} IS NOT NULL AND (${parts.join(' OR ')}))`;
  }
  if (type.kind === 'array') return brokenItem(value, type.element, type.containsNull, depth);
  if (type.kind === 'map') return brokenItem(`map_values(${value})`, type.value, type.valueContainsNull, depth);
  return undefined;
}

function brokenItem(list: string, item: DataType, nullable: boolean, depth: number): string | undefined {
  const name = `x${String(depth)}`;
  const broken = brokenAs(name, item, nullable, depth + 1);
  return broken === undefined ? undefined : `(len(list_filter(${list}, lambda ${name}: ${broken})) > 0)`;
}
