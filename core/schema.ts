/**
 * The types of table columns, as Delta Lake names them; every part of sluice speaks of columns in these words.
 *
 * Source: Delta protocol, "Schema Serialization Format".
 */
import { SluiceError } from './errors.ts';
import { isJsonObject, stringifyJson, type Json, type JsonObject } from './json.ts';

export const PRIMITIVES = [
  'string', 'long', 'integer', 'short', 'byte', 'float', 'double', 'boolean', 'binary', 'date', 'timestamp', 'timestamp_ntz',
] as const; // prettier-ignore

export type PrimitiveName = (typeof PRIMITIVES)[number];

export type DataType =
  | { readonly kind: 'primitive'; readonly name: PrimitiveName }
  | { readonly kind: 'decimal'; readonly precision: number; readonly scale: number }
  | { readonly kind: 'array'; readonly element: DataType; readonly containsNull: boolean }
  | { readonly kind: 'map'; readonly key: DataType; readonly value: DataType; readonly valueContainsNull: boolean }
  | StructType;

export interface StructType {
  readonly kind: 'struct';
  readonly fields: readonly Field[];
}

export interface Field {
  readonly name: string;
  readonly type: DataType;
  readonly nullable: boolean;
  /** Column metadata as the log holds it: `comment`, `delta.generationExpression` … */
  readonly metadata: JsonObject;
}

export function primitive(name: PrimitiveName): DataType {
  return { kind: 'primitive', name };
}

export function isPrimitive(type: DataType, name: PrimitiveName): boolean {
  return type.kind === 'primitive' && type.name === name;
}

/** A nullable column. */
export function field(name: string, type: DataType, metadata: JsonObject = {}): Field {
  return { name, type, nullable: true, metadata };
}

export function struct(fields: readonly Field[]): StructType {
  return { kind: 'struct', fields };
}

/** A type, and all that is inside of it, from the outside in. */
export function typesIn(type: DataType): DataType[] {
  switch (type.kind) {
    case 'struct':
      return [type, ...type.fields.flatMap((inner) => typesIn(inner.type))];
    case 'array':
      return [type, ...typesIn(type.element)];
    case 'map':
      return [type, ...typesIn(type.key), ...typesIn(type.value)];
    case 'decimal':
    case 'primitive':
      return [type];
  }
}

/** The fields of all structs in a type, itself among them. */
export function fieldsIn(type: DataType): Field[] {
  return typesIn(type).flatMap((inner) => (inner.kind === 'struct' ? inner.fields : []));
}

export function sameType(a: DataType, b: DataType): boolean {
  if (a.kind === 'primitive') return b.kind === 'primitive' && a.name === b.name;
  if (a.kind === 'decimal') return b.kind === 'decimal' && a.precision === b.precision && a.scale === b.scale;
  if (a.kind === 'array') return b.kind === 'array' && sameType(a.element, b.element);
  if (a.kind === 'map') return b.kind === 'map' && sameType(a.key, b.key) && sameType(a.value, b.value);
  if (b.kind !== 'struct' || a.fields.length !== b.fields.length) return false;
  return a.fields.every((left, i) => {
    const right = b.fields[i];
    return right !== undefined && left.name === right.name && sameType(left.type, right.type);
  });
}

/** Spark's short name of a type, for messages and `DESCRIBE`: `bigint`, `decimal(10,2)`, `array<string>`. */
export function typeName(type: DataType): string {
  switch (type.kind) {
    case 'primitive':
      return SPARK_NAMES[type.name];
    case 'decimal':
      return `decimal(${String(type.precision)},${String(type.scale)})`;
    case 'array':
      return `array<${typeName(type.element)}>`;
    case 'map':
      return `map<${typeName(type.key)},${typeName(type.value)}>`;
    case 'struct':
      return `struct<${type.fields.map((f) => `${f.name}:${typeName(f.type)}`).join(',')}>`;
  }
}

const SPARK_NAMES: Readonly<Record<PrimitiveName, string>> = {
  string: 'string',
  long: 'bigint',
  integer: 'int',
  short: 'smallint',
  byte: 'tinyint',
  float: 'float',
  double: 'double',
  boolean: 'boolean',
  binary: 'binary',
  date: 'date',
  timestamp: 'timestamp',
  timestamp_ntz: 'timestamp_ntz',
};

/** A type as the JSON of the log. Source: Delta protocol, "Schema Serialization Format". */
export function typeToJson(type: DataType): Json {
  switch (type.kind) {
    case 'primitive':
      return type.name;
    case 'decimal':
      return typeName(type);
    case 'array':
      return { type: 'array', elementType: typeToJson(type.element), containsNull: type.containsNull };
    case 'map':
      return {
        type: 'map',
        keyType: typeToJson(type.key),
        valueType: typeToJson(type.value),
        valueContainsNull: type.valueContainsNull,
      };
    case 'struct':
      return {
        type: 'struct',
        fields: type.fields.map((f) => ({
          name: f.name,
          type: typeToJson(f.type),
          nullable: f.nullable,
          metadata: f.metadata,
        })),
      };
  }
}

/**
 * Reads a type from the JSON of the log.
 * @throws SluiceError `UNSUPPORTED_FEATURE` for a type that sluice does not know (for example `variant`).
 */
export function typeFromJson(json: Json | undefined): DataType {
  if (typeof json === 'string') return namedType(json);
  if (isJsonObject(json)) {
    if (json['type'] === 'array') {
      return {
        kind: 'array',
        element: typeFromJson(json['elementType']),
        containsNull: json['containsNull'] !== false,
      };
    }
    if (json['type'] === 'map') {
      return {
        kind: 'map',
        key: typeFromJson(json['keyType']),
        value: typeFromJson(json['valueType']),
        valueContainsNull: json['valueContainsNull'] !== false,
      };
    }
    if (json['type'] === 'struct' && Array.isArray(json['fields'])) {
      return struct((json['fields'] as readonly Json[]).map(fieldFromJson));
    }
  }
  throw new SluiceError('UNSUPPORTED_FEATURE', `unknown column type in the table schema: ${stringifyJson(json)}`);
}

function fieldFromJson(json: Json): Field {
  if (!isJsonObject(json) || typeof json['name'] !== 'string') {
    throw new SluiceError('LOG_CORRUPT', `a column of the table schema has no name: ${stringifyJson(json)}`);
  }
  return {
    name: json['name'],
    type: typeFromJson(json['type']),
    nullable: json['nullable'] !== false,
    metadata: isJsonObject(json['metadata']) ? json['metadata'] : {},
  };
}

function namedType(name: string): DataType {
  const known = PRIMITIVES.find((p) => p === name);
  if (known !== undefined) return primitive(known);
  const decimal = /^decimal\(\s*(\d+)\s*,\s*(\d+)\s*\)$/.exec(name);
  if (decimal !== null) return { kind: 'decimal', precision: Number(decimal[1]), scale: Number(decimal[2]) };
  if (name === 'decimal') return { kind: 'decimal', precision: 10, scale: 0 };
  const feature = name === 'variant' ? ' (reader feature variantType)' : '';
  throw new SluiceError('UNSUPPORTED_FEATURE', `unknown column type in the table schema: ${name}${feature}`, {
    advice: 'Read the table with an engine that knows this type, or drop the column there.',
  });
}
