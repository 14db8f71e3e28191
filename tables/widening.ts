/**
 * Type widening: which types a column may grow to, and what its metadata then says of the types that older files have.
 *
 * Promise: pure. Source: Delta protocol, "Type Widening"; Delta, `TypeWidening`, `TypeWideningMetadata`.
 */
import { type Json, type JsonObject } from '../core/json.ts';
import { sameType, typeToJson, type DataType, type Field, type StructType } from '../core/schema.ts';
import { isOn, type Properties } from './log/properties.ts';

const CHANGES = 'delta.typeChanges';
const WHOLE: readonly string[] = ['byte', 'short', 'integer', 'long'];

/** Whether columns of a table may be widened. */
export function mayWiden(configuration: Properties): boolean {
  return isOn(configuration, 'delta.enableTypeWidening');
}

/** Whether ALTER may make one type of another: each value has the same meaning in both. */
export function canWiden(from: DataType, to: DataType): boolean {
  if (widensByItself(from, to)) return true;
  if (from.kind !== 'primitive' || !WHOLE.includes(from.name)) return false;
  if (to.kind === 'primitive') return to.name === 'double' && from.name !== 'long';
  return to.kind === 'decimal' && to.precision - to.scale >= (from.name === 'long' ? 20 : 10);
}

/** Whether rows of the wider type widen a column by themselves, when the schema may evolve. */
export function widensByItself(from: DataType, to: DataType): boolean {
  if (from.kind === 'decimal') {
    const grows = to.kind === 'decimal' && to.scale >= from.scale && to.precision - to.scale >= from.precision - from.scale; // prettier-ignore
    return grows && !sameType(from, to);
  }
  if (from.kind !== 'primitive' || to.kind !== 'primitive') return false;
  const [a, b] = [WHOLE.indexOf(from.name), WHOLE.indexOf(to.name)];
  if (a >= 0 && b > a) return true;
  return (from.name === 'float' && to.name === 'double') || (from.name === 'date' && to.name === 'timestamp_ntz');
}

/** The schema with what is new of its columns' types beside those of the schema before; the same object when nothing was widened. */
export function withTypeChanges(schema: StructType, before: StructType): StructType {
  const known = new Map(before.fields.map((field) => [field.name.toLowerCase(), field]));
  const fields = schema.fields.map((field): Field => {
    const old = known.get(field.name.toLowerCase());
    if (old === undefined || old.type === field.type) return field;
    const type = inside(field.type, old.type);
    const changes = changesIn(old.type, field.type, []);
    if (changes.length === 0) return type === field.type ? field : { ...field, type };
    const earlier = field.metadata[CHANGES];
    const all: readonly Json[] = [...(Array.isArray(earlier) ? (earlier as readonly Json[]) : []), ...changes];
    return { ...field, type, metadata: { ...field.metadata, [CHANGES]: all } };
  });
  return fields.every((field, i) => field === schema.fields[i]) ? schema : { ...schema, fields };
}

/** Fields of structs have metadata of their own. */
function inside(type: DataType, before: DataType): DataType {
  if (type.kind === 'struct' && before.kind === 'struct') return withTypeChanges(type, before);
  if (type.kind === 'array' && before.kind === 'array') {
    const element = inside(type.element, before.element);
    return element === type.element ? type : { ...type, element };
  }
  if (type.kind !== 'map' || before.kind !== 'map') return type;
  const [key, value] = [inside(type.key, before.key), inside(type.value, before.value)];
  return key === type.key && value === type.value ? type : { ...type, key, value };
}

function changesIn(from: DataType, to: DataType, path: readonly string[]): JsonObject[] {
  if (from.kind === 'array' && to.kind === 'array') return changesIn(from.element, to.element, [...path, 'element']);
  if (from.kind === 'map' && to.kind === 'map')
    return [...changesIn(from.key, to.key, [...path, 'key']), ...changesIn(from.value, to.value, [...path, 'value'])];
  if (sameType(from, to) || !canWiden(from, to)) return [];
  const fieldPath = path.length === 0 ? {} : { fieldPath: path.join('.') };
  return [{ fromType: typeToJson(from), toType: typeToJson(to), ...fieldPath }];
}
