/**
 * Columns, and what is inside of them, by their paths: `customer.address.zip`, `tags.element`, `facts.key`.
 *
 * Promise: pure; names are found whatever their case, and one that is not there is refused with the one that was meant.
 */
import { SluiceError } from '../../core/errors.ts';
import { struct, type DataType, type Field, type StructType } from '../../core/schema.ts';
import { nameAdvice } from '../../core/suggest.ts';

/** The names from the column down; a text has dots between them, and names with other characters in "double quotes" or `backquotes`. */
export type ColumnPath = string | readonly string[];

/** @throws SluiceError `UNKNOWN_COLUMN` for a text that is no path */
export function partsOf(path: ColumnPath, table: string): readonly string[] {
  if (typeof path !== 'string') return path;
  const parts = [...path.matchAll(/(?:"((?:[^"]|"")+)"|`((?:[^`]|``)+)`|([^."`]+))(\.|$)/gy)];
  if (parts.map(([text]) => text).join('') === path && parts.at(-1)?.[4] === '') {
    return parts.map(([, double, back, plain = '']) => double?.replaceAll('""', '"') ?? back?.replaceAll('``', '`') ?? plain.trim()); // prettier-ignore
  }
  throw new SluiceError('UNKNOWN_COLUMN', `${table}: not the name of a column: ${path}`, {
    advice: 'Write it as amount, or customer.zip for a field of a struct; a name with other characters as "odd, name".',
    facts: { table, column: path },
  });
}

/** The path as Delta's history has it. Source: Spark, `UnresolvedAttribute.name`. */
export function pathText(parts: readonly string[]): string {
  return parts.map((part) => (part.includes('.') ? `\`${part}\`` : part)).join('.');
}

/**
 * The schema with the struct that a path leads to made anew.
 * @param path empty for the columns of the table themselves
 * @throws SluiceError `UNKNOWN_COLUMN`
 */
export function withStruct(
  schema: StructType,
  path: readonly string[],
  table: string,
  change: (fields: readonly Field[]) => readonly Field[],
): StructType {
  const inType = (type: DataType, rest: readonly string[]): DataType => {
    const [name, ...below] = rest;
    if (name === undefined) {
      if (type.kind === 'struct') return struct(change(type.fields));
      throw unknown(path, `${pathText(path)} is no struct`, [], table);
    }
    return withPart(type, name, path, table, (part) => inType(part, below));
  };
  return inType(schema, path) as StructType;
}

/** The schema with one field made anew. @throws SluiceError `UNKNOWN_COLUMN` */
export function withField(
  schema: StructType,
  path: readonly string[],
  table: string,
  change: (field: Field) => Field,
): StructType {
  const last = path.at(-1) ?? '';
  return withStruct(schema, path.slice(0, -1), table, (fields) => {
    const field = fieldNamed(fields, last, path, table);
    return fields.map((one) => (one === field ? change(field) : one));
  });
}

/** The schema with the type at a path made anew; of lists that is `element`, of maps `key` and `value`. @throws SluiceError `UNKNOWN_COLUMN` */
export function withType(
  schema: StructType,
  path: readonly string[],
  table: string,
  change: (type: DataType) => DataType,
): StructType {
  const inType = (type: DataType, rest: readonly string[]): DataType => {
    const [name, ...below] = rest;
    return name === undefined ? change(type) : withPart(type, name, path, table, (part) => inType(part, below));
  };
  return inType(schema, path) as StructType;
}

/** The field at a path; undefined for the elements of lists and the keys and values of maps. @throws SluiceError `UNKNOWN_COLUMN` */
export function fieldAt(schema: StructType, path: readonly string[], table: string): Field | undefined {
  let [type, field]: [DataType, Field | undefined] = [schema, undefined];
  for (const name of path) {
    const parent: DataType = type;
    field = parent.kind === 'struct' ? fieldNamed(parent.fields, name, path, table) : undefined;
    let part: DataType | undefined = field?.type;
    withPart(parent, name, path, table, (found) => {
      part ??= found;
      return found;
    });
    type = part ?? parent;
  }
  return field;
}

/** The path as the schema spells it. @throws SluiceError `UNKNOWN_COLUMN` */
export function spelt(schema: StructType, path: readonly string[], table: string): string[] {
  return path.map((name, i) => fieldAt(schema, path.slice(0, i + 1), table)?.name ?? name.toLowerCase());
}

export function fieldNamed(fields: readonly Field[], name: string, path: readonly string[], table: string): Field {
  const found = fields.find((field) => field.name.toLowerCase() === name.toLowerCase());
  if (found !== undefined) return found;
  throw unknown(path, `there is no column ${pathText(path)}`, fields.map((field) => field.name), table); // prettier-ignore
}

function withPart(
  type: DataType,
  name: string,
  path: readonly string[],
  table: string,
  change: (type: DataType) => DataType,
): DataType {
  if (type.kind === 'struct') {
    const field = fieldNamed(type.fields, name, path, table);
    return struct(type.fields.map((one) => (one === field ? { ...field, type: change(field.type) } : one)));
  }
  const part = name.toLowerCase();
  if (type.kind === 'array' && part === 'element') return { ...type, element: change(type.element) };
  if (type.kind === 'map' && part === 'key') return { ...type, key: change(type.key) };
  if (type.kind === 'map' && part === 'value') return { ...type, value: change(type.value) };
  const names = type.kind === 'array' ? ['element'] : type.kind === 'map' ? ['key', 'value'] : [];
  throw unknown(path, `there is no column ${pathText(path)}`, names, table);
}

function unknown(path: readonly string[], message: string, names: readonly string[], table: string): SluiceError {
  return new SluiceError('UNKNOWN_COLUMN', `${table}: ${message}`, {
    advice: nameAdvice(path.at(-1) ?? '', names),
    facts: { table, column: pathText(path) },
  });
}
