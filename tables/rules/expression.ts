/**
 * The expressions that a table's log has, which are Spark's SQL, as DuckDB's.
 *
 * Promise: what is taken gives the same answer in both engines for every value; everything else is refused with the part that is
 * not known to. Taken are: columns and fields of structs; numbers, texts without a backslash, dates (`DATE '2026-01-31'`, or the
 * text beside a date), TRUE, FALSE, NULL; AND, OR, NOT, IS [NOT] NULL; =, ==, <=>, <>, !=, <, <=, >, >=, BETWEEN, IN between numbers,
 * texts, dates, booleans or instants; +, - and * of whole numbers and doubles, % of a whole number by one that is written out and not 0; LIKE
 * with a text; CASE, COALESCE, LENGTH and ABS; CONCAT and || of texts, SUBSTRING from a place that is written out; YEAR, QUARTER, MONTH, DAY and
 * DAYOFYEAR of dates and times, HOUR and MINUTE of times, DATE_TRUNC of times, and DATE_FORMAT with the parts yyyy, MM, dd, HH, mm and ss; CAST of dates
 * and times to DATE, of whole numbers to BIGINT, INT, DOUBLE and STRING. Instants are looked at in UTC, whatever zone a session of Spark has.
 */
import { messageOf, SluiceError } from '../../core/errors.ts';
import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts';
import type { DataType, StructType } from '../../core/schema.ts';
import type { Session } from '../../engine/session.ts';
import { isPadded } from '../char-columns.ts';
import { constantFamily, constantOf, DATE, isText, isTime, jsonList, textOf, type Family } from './families.ts';
import { functionFamily } from './functions.ts';
import { refuse, respelled } from './respelled.ts';

const NUMBERS: readonly Family[] = ['small', 'integer', 'decimal', 'double'];
/** What becomes of a whole number by a cast. */
const WHOLE_AS: Readonly<Record<string, Family>> = {
  BIGINT: 'integer',
  INTEGER: 'integer',
  DOUBLE: 'double',
  VARCHAR: 'text',
};
const COMPARISONS = new Set([
  'COMPARE_EQUAL',
  'COMPARE_NOTEQUAL',
  'COMPARE_LESSTHAN',
  'COMPARE_LESSTHANOREQUALTO',
  'COMPARE_GREATERTHAN',
  'COMPARE_GREATERTHANOREQUALTO',
  'COMPARE_NOT_DISTINCT_FROM',
]);

/**
 * A condition over a table's columns as SQL for DuckDB.
 * @throws SluiceError `UNSUPPORTED_FEATURE` naming the expression and what of it sluice does not take
 * @example await toCondition(session, '`amount` <=> 3', schema) // '"amount" IS NOT DISTINCT FROM 3'
 */
export async function toCondition(session: Session, expression: string, schema: StructType): Promise<string> {
  const { sql } = await understood(session, expression, schema, (family) => {
    if (!isCondition(family)) refuse('it is no condition');
  });
  return sql;
}

/** An expression in both engines' meaning: its SQL for DuckDB, and DuckDB's tree of it. */
export interface Understood {
  readonly sql: string;
  readonly node: Json;
}

/**
 * Any expression over a table's columns.
 * @param check throws (`refuse`) for a family that is not wanted
 * @throws SluiceError `UNSUPPORTED_FEATURE` naming the expression and what of it sluice does not take
 */
export async function understood(
  session: Session,
  expression: string,
  schema: StructType,
  check: (family: Family, node: Json) => void,
): Promise<Understood> {
  try {
    const sql = respelled(expression, schema);
    const tree = await session.serialize(`SELECT (${sql}\n)`);
    const [statement] = jsonList(tree['statements']);
    const select = isJsonObject(statement) ? statement['node'] : undefined;
    const [node, ...more] = isJsonObject(select) ? jsonList(select['select_list']) : [];
    if (node === undefined || more.length > 0) return refuse('it is not one expression');
    check(familyOf(node, schema), node);
    return { sql, node };
  } catch (error) {
    throw new SluiceError(
      'UNSUPPORTED_FEATURE',
      `the expression ${expression} is not understood: ${messageOf(error)}`,
      {
        advice: 'Write to the table with the engine that made it, or write the rule in plainer SQL there.',
        facts: { expression },
        cause: error,
      },
    );
  }
}

function familyOf(node: Json, schema: StructType): Family {
  if (!isJsonObject(node)) return refuse('it is empty');
  const type = textOf(node['type']);
  const parts = (): Family[] => jsonList(node['children']).map((child) => familyOf(child, schema));
  switch (type) {
    case 'COLUMN_REF':
      return columnFamily(jsonList(node['column_names']), schema);
    case 'VALUE_CONSTANT':
      return constantFamily(node['value']);
    case 'OPERATOR_CAST':
      return castFamily(node, schema);
    case 'CONJUNCTION_AND':
    case 'CONJUNCTION_OR':
    case 'OPERATOR_NOT':
      return parts().every(isCondition) ? 'boolean' : refuse('AND, OR and NOT want conditions');
    case 'OPERATOR_IS_NULL':
    case 'OPERATOR_IS_NOT_NULL':
      parts();
      return 'boolean';
    case 'COMPARE_IN':
    case 'COMPARE_NOT_IN':
      return compared(jsonList(node['children']), schema);
    case 'COMPARE_BETWEEN':
      return compared([node['input'], node['lower'], node['upper']], schema);
    case 'OPERATOR_COALESCE':
      return common(parts());
    case 'CASE_EXPR':
      return caseFamily(node, schema);
    case 'FUNCTION':
      return functionFamily(textOf(node['function_name']), parts(), jsonList(node['children']));
    default:
      if (COMPARISONS.has(type)) return compared([node['left'], node['right']], schema);
      return refuse(`${type.toLowerCase()} is not known to be the same`);
  }
}

function columnFamily(names: readonly Json[], schema: StructType): Family {
  let type: DataType = schema;
  let hasBlanks = false;
  for (const name of names.map(textOf)) {
    const fields: StructType['fields'] = type.kind === 'struct' ? type.fields : [];
    const found = fields.find((field) => field.name.toLowerCase() === name.toLowerCase());
    if (found === undefined) return refuse(`there is no column ${names.map(textOf).join('.')}`);
    type = found.type;
    hasBlanks ||= isPadded(found);
  }
  // CHAR(n): a text with blanks after it, to the one and not to the other.
  if (hasBlanks) return 'other';
  if (type.kind === 'decimal') return 'decimal';
  if (type.kind !== 'primitive') return 'other';
  switch (type.name) {
    case 'byte':
    case 'short':
      return 'small';
    case 'integer':
    case 'long':
      return 'integer';
    case 'double':
      return 'double';
    case 'string':
      return 'text';
    case 'date':
      return 'date';
    case 'timestamp':
    case 'timestamp_ntz':
      return type.name;
    case 'boolean':
      return 'boolean';
    // A float beside 0.1 is compared as a float by the one, as a double by the other.
    case 'float':
    case 'binary':
      return 'other';
  }
}

/** `TRUE`, `FALSE` and `DATE '…'` are casts of texts to DuckDB. */
function castFamily(node: JsonObject, schema: StructType): Family {
  const { child = null, cast_type: to, try_cast: isTry } = node;
  const id = isJsonObject(to) ? textOf(to['id']) : '';
  if (isTry === true) return refuse('TRY_CAST');
  const text = textOf(constantOf(child));
  if (id === 'BOOLEAN' && (text === 't' || text === 'f')) return 'boolean';
  if (id === 'DATE' && DATE.test(text)) return 'date';
  const from = familyOf(child, schema);
  if (id === 'DATE' && isTime(from)) return 'date';
  const isWhole = from === 'integer' || from === 'small';
  const found = isWhole ? WHOLE_AS[id] : undefined;
  return found ?? refuse(`CAST of ${from} to ${id}`);
}

function caseFamily(node: JsonObject, schema: StructType): Family {
  const results = [familyOf(node['else_expr'] ?? null, schema)];
  for (const check of jsonList(node['case_checks'])) {
    if (!isJsonObject(check)) return refuse('CASE');
    if (!isCondition(familyOf(check['when_expr'] ?? null, schema))) return refuse('WHEN wants a condition');
    results.push(familyOf(check['then_expr'] ?? null, schema));
  }
  return common(results);
}

/** Which of two comparisons side by side comes first is another matter to each engine, and the tree does not tell of brackets. */
function compared(parts: readonly (Json | undefined)[], schema: StructType): Family {
  for (const part of parts) {
    const type = isJsonObject(part) ? textOf(part['type']) : '';
    if (/^COMPARE_|^OPERATOR_IS_/.test(type)) refuse('a comparison is compared');
  }
  common(parts.map((part) => familyOf(part ?? null, schema)));
  return 'boolean';
}

/** The family that all belong to. */
function common(parts: readonly Family[]): Family {
  const known = parts.filter((part) => part !== 'null');
  const [first = 'null'] = known;
  // Numbers of several families can be compared; what more they can is not looked into.
  if (known.every((part) => NUMBERS.includes(part))) return known.every((part) => part === first) ? first : 'decimal';
  if (known.every(isText)) return 'text';
  const isDate = known.includes('date') && known.every((part) => part === 'date' || part === 'date text');
  if (isDate) return 'date';
  if (first !== 'other' && known.every((part) => part === first)) return first;
  return refuse(parts.join(' beside '));
}

function isCondition(family: Family): boolean {
  return family === 'boolean' || family === 'null';
}
