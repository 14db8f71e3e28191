/**
 * The type that Spark gives an expression: generated columns must have exactly that one.
 *
 * Promise: pure; undefined where it is not known. Only for trees that `understood` has taken.
 */
import { isJsonObject, type Json } from '../../core/json.ts';
import { isPrimitive, primitive, sameType, type DataType, type StructType } from '../../core/schema.ts';
import { jsonList, textOf } from './families.ts';
import { isPart } from './functions.ts';

const CAST_TO: Readonly<Record<string, DataType>> = {
  DATE: primitive('date'),
  BIGINT: primitive('long'),
  INTEGER: primitive('integer'),
  DOUBLE: primitive('double'),
  VARCHAR: primitive('string'),
  BOOLEAN: primitive('boolean'),
};
const CONSTANT: Readonly<Record<string, DataType>> = {
  INTEGER: primitive('integer'),
  BIGINT: primitive('long'),
  DOUBLE: primitive('double'),
  VARCHAR: primitive('string'),
};

/** @example resultType(node, schema) // of `year(day)`: integer */
export function resultType(node: Json, schema: StructType): DataType | undefined {
  if (!isJsonObject(node)) return undefined;
  const type = textOf(node['type']);
  if (type === 'COLUMN_REF') return columnType(jsonList(node['column_names']).map(textOf), schema);
  if (type === 'OPERATOR_CAST') return CAST_TO[idOf(node['cast_type'])];
  if (type === 'VALUE_CONSTANT') {
    const { value } = node;
    return isJsonObject(value) && value['is_null'] !== true ? CONSTANT[idOf(value['type'])] : undefined;
  }
  const children = jsonList(node['children']);
  if (type === 'FUNCTION') return functionType(textOf(node['function_name']), children, schema);
  if (type === 'OPERATOR_COALESCE') return common(children, schema);
  if (type === 'CASE_EXPR') {
    const checks = jsonList(node['case_checks']).flatMap((check) => (isJsonObject(check) ? [check['then_expr'] ?? null] : [])); // prettier-ignore
    return common([node['else_expr'] ?? null, ...checks], schema);
  }
  return primitive('boolean');
}

function functionType(name: string, children: readonly Json[], schema: StructType): DataType | undefined {
  if (isPart(name) || name === 'length') return primitive('integer');
  if (['||', 'strftime', 'substring', 'substr'].includes(name)) return primitive('string');
  if (['~~', '!~~'].includes(name)) return primitive('boolean');
  if (name === 'date_trunc') return primitive('timestamp');
  const types = children.map((child) => resultType(child, schema));
  if (types.some((one) => one === undefined)) return undefined;
  return ['double', 'long', 'integer'].flatMap((wide) => types.find((one) => one !== undefined && isPrimitive(one, wide as 'long')) ?? [])[0]; // prettier-ignore
}

function common(nodes: readonly Json[], schema: StructType): DataType | undefined {
  const types = nodes.flatMap((node) => (isNull(node) ? [] : [resultType(node, schema)]));
  const [first] = types;
  return first !== undefined && types.every((one) => one !== undefined && sameType(one, first)) ? first : undefined;
}

function isNull(node: Json): boolean {
  const value = isJsonObject(node) ? node['value'] : undefined;
  return isJsonObject(value) && value['is_null'] === true;
}

function columnType(names: readonly string[], schema: StructType): DataType | undefined {
  let type: DataType | undefined = schema;
  for (const name of names) {
    const fields: StructType['fields'] = type?.kind === 'struct' ? type.fields : [];
    type = fields.find((field) => field.name.toLowerCase() === name.toLowerCase())?.type;
  }
  return type;
}

function idOf(type: Json | undefined): string {
  return isJsonObject(type) ? textOf(type['id']) : '';
}
