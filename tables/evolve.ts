/**
 * How a table's schema takes the schema of new rows.
 *
 * Promise: pure; an append only ever adds nullable columns (also inside structs), and everything else is refused with a
 * difference that a person can read. Source: Delta protocol, "Schema Serialization Format"; delta.io, "Automatic schema
 * update" and "Column names".
 */
import { SluiceError } from '../core/errors.ts';
import { stringifyJson } from '../core/json.ts';
import { sameType, struct, typeName, typeToJson, type DataType, type Field, type StructType } from '../core/schema.ts';
import { isMappingKey } from './column-mapping.ts';
import { defaultOf } from './defaults/columns.ts';
import { widensByItself } from './widening.ts';

/** Spark refuses these in column names unless column mapping is on. */
const FORBIDDEN = /[ ,;{}()\n\t=]/;

export interface NamesOf {
  readonly table: string;
  /** With column mapping a name may have any characters. @default false */
  readonly anyName?: boolean;
  /** Whether columns grow to the wider types of the rows (`delta.enableTypeWidening`). @default false */
  readonly widen?: boolean;
}

/**
 * The schema after an append of rows with the schema `rows`; the same object when nothing is new.
 * @throws SluiceError `SCHEMA_INCOMPATIBLE`
 */
export function evolved(current: StructType, rows: StructType, names: NamesOf): StructType {
  const { table } = names;
  const problems: string[] = [];
  const merged = mergeFields(current, rows, '', { problems, widen: names.widen ?? false });
  if (problems.length > 0) {
    throw new SluiceError('SCHEMA_INCOMPATIBLE', `${table}: the rows do not fit the table: ${problems.join('; ')}`, {
      advice:
        'Cast or rename the columns in the query; or delete the folder of the table to build it anew with the new schema.',
      facts: { table, differences: problems },
    });
  }
  if (merged !== current) checkNames(merged, names);
  return merged;
}

/** The schema after an overwrite: the new one, or the old with what it says beside names and types where those agree. */
export function replaced(current: StructType, rows: StructType, names: NamesOf): StructType {
  const plain = rows.fields.every((field) => Object.keys(field.metadata).every(isMappingKey));
  const sameNulls = rows.fields.every((field, i) => field.nullable === current.fields[i]?.nullable);
  if (plain && sameNulls && sameType(current, rows)) return current;
  checkNames(rows, names);
  return stringifyJson(typeToJson(current)) === stringifyJson(typeToJson(rows)) ? current : rows;
}

/** @throws SluiceError `SCHEMA_INCOMPATIBLE` for names that other readers of Delta tables stumble over. */
export function checkNames(schema: StructType, { table, anyName = false }: NamesOf): void {
  const refuse = (name: string, why: string): never => {
    throw new SluiceError('SCHEMA_INCOMPATIBLE', `${table}: the column ${JSON.stringify(name)} ${why}`, {
      advice:
        'Give it a name of its own in the query: … AS name; with column mapping (delta.columnMapping.mode = name) a name may have any characters.',
      facts: { table, column: name },
    });
  };
  const visit = (type: DataType): void => {
    if (type.kind === 'array') visit(type.element);
    if (type.kind === 'map') for (const part of [type.key, type.value]) visit(part);
    if (type.kind !== 'struct') return;
    const seen = new Set<string>();
    for (const field of type.fields) {
      const name = field.name.toLowerCase();
      if (field.name === '' || (!anyName && FORBIDDEN.test(field.name))) {
        refuse(field.name, 'is empty or has one of the characters " ,;{}()=", tab or line break');
      }
      if (seen.has(name)) refuse(field.name, 'is there twice (upper and lower case count as the same)');
      seen.add(name);
      visit(field.type);
    }
  };
  if (schema.fields.length === 0) refuse('', 'is needed: a table has at least one column');
  visit(schema);
}

interface Merging {
  readonly problems: string[];
  readonly widen: boolean;
}

function mergeFields(current: StructType, rows: StructType, prefix: string, merging: Merging): StructType {
  const { problems } = merging;
  const wanted = new Map(rows.fields.map((field) => [field.name, field]));
  let changed = false;
  const fields = current.fields.map((field): Field => {
    const other = wanted.get(field.name);
    if (other === undefined) {
      const isFilled = prefix === '' && defaultOf(field) !== undefined;
      if (!field.nullable && !isFilled)
        problems.push(`${prefix}${field.name} is NOT NULL in the table and missing in the rows`);
      return field;
    }
    const type = mergeType(field.type, other.type, `${prefix}${field.name}`, merging);
    changed ||= type !== field.type;
    return type === field.type ? field : { ...field, type };
  });
  const byLowerName = new Map(current.fields.map((field) => [field.name.toLowerCase(), field.name]));
  for (const field of rows.fields) {
    const known = byLowerName.get(field.name.toLowerCase());
    if (known === field.name) continue;
    if (known !== undefined) problems.push(`${prefix}${field.name} is spelt ${known} in the table`);
    fields.push({ ...field, nullable: true });
    changed = true;
  }
  return changed ? struct(fields) : current;
}

function mergeType(current: DataType, rows: DataType, path: string, merging: Merging): DataType {
  if (current.kind === 'struct' && rows.kind === 'struct') return mergeFields(current, rows, `${path}.`, merging);
  if (current.kind === 'array' && rows.kind === 'array') {
    const element = mergeType(current.element, rows.element, `${path}.element`, merging);
    return element === current.element ? current : { ...current, element };
  }
  if (current.kind === 'map' && rows.kind === 'map' && sameType(current.key, rows.key)) {
    const value = mergeType(current.value, rows.value, `${path}.value`, merging);
    return value === current.value ? current : { ...current, value };
  }
  if (merging.widen && widensByItself(current, rows)) return rows;
  if (!sameType(current, rows)) {
    merging.problems.push(`${path} is ${typeName(current)} in the table and ${typeName(rows)} in the rows`);
  }
  return current;
}
