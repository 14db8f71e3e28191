/**
 * The slow road: records that the fast one did not take, judged field by field, in one query over a table of them.
 *
 * Promise: each record gets either an error code or its columns; what does not fit a column, and what has none, is in the
 * rescued data column as the JSON that it was. Nothing here can make DuckDB throw, whatever the bytes are.
 */
import { typeName, type Field, type StructType } from '../../core/schema.ts';
import { quoteIdent, quoteString } from '../../engine/quoting.ts';
import { fitOf, structureOf } from './fits.ts';
import { isLenient, marked, skeleton, unmarked, unmarkedName } from './json-text.ts';

/** Columns of the slow table besides those of the raw record. */
export interface SlowRecords {
  /** A table: `rid` (row id in the raw table), `document` (the value as text, NULL when it is not UTF-8), the raw columns. */
  readonly table: string;
  /** The raw columns, in SQL. */
  readonly record: readonly string[];
}

/** The name of a field's column in the judged table, so that none of the user's can clash. */
export function judgedColumn(index: number): string {
  return `c${String(index)}`;
}

/** `rid`, the raw columns, `error_code`, `error_message`, one column per field and `rescued`. */
export function judgeQuery(slow: SlowRecords, schema: StructType, rescue: boolean): string {
  const { fields } = schema;
  const carried = ['rid', ...slow.record].join(', ');
  const fits = fields.map((f) => fitOf(f.type, `f.${quoteIdent(f.name)}`));
  const values = fits.map((fit, i) => `CASE WHEN ok${i} THEN ${fit.value} END AS ${judgedColumn(i)}`);

  const read = `SELECT ${carried}, document, ${skeleton('document')} AS bones, json_valid(document) AS valid FROM ${slow.table}`;
  const kinds = `SELECT *, ${notAnObject()} AS code FROM (${read})`;
  const docs = `SELECT *, CASE WHEN code IS NULL THEN ${marked('document', 'bones')} END AS doc FROM (${kinds})`;
  const parsed = `SELECT *, json_keys(doc) AS names, from_json(doc, ${structureOf(fields)}) AS f FROM (${docs})`;
  const fitted = `SELECT *, ${fits.map((fit, i) => `${fit.fits} AS ok${i}`).join(', ')} FROM (${parsed})`;
  const misfits = fields.map((f, i) => `CASE WHEN NOT ok${i} THEN ${misfit(f)} END`);
  const missing = fields.map((f) => missingIn(f)).filter((sql) => sql !== undefined);
  const known = `[${fields.map((f) => quoteString(f.name)).join(', ')}]`;
  const found =
    `SELECT *, list_filter([${misfits.join(', ')}], lambda m: m IS NOT NULL) AS misfits, ` +
    `[${missing.join(', ')}]::VARCHAR[] AS missing, ` +
    `list_filter(names, lambda n: NOT list_contains(${known}, n)) AS unknown FROM (${fitted})`;
  const verdict = `SELECT *, coalesce(code, ${fieldError(fields, rescue)}) AS error_code FROM (${found})`;
  return (
    `SELECT ${carried}, error_code, ${message()} AS error_message, ${values.join(', ')}, ${rescued()} AS rescued ` +
    `FROM (${verdict})`
  );
}

function notAnObject(): string {
  return (
    `CASE WHEN "value" IS NULL THEN 'NULL_VALUE' WHEN document IS NULL THEN 'NOT_UTF8' ` +
    `WHEN NOT valid OR ${isLenient('bones')} THEN 'MALFORMED_JSON' ` +
    `WHEN json_type(document) <> 'OBJECT' THEN 'NOT_AN_OBJECT' END`
  );
}

function misfit(field: Field): string {
  const [name, type] = [quoteString(field.name), quoteString(typeName(field.type))];
  return `{'name': ${name}, 'type': ${type}, 'json': f.${quoteIdent(field.name)}::VARCHAR}`;
}

/** The name of a NOT NULL field that has no value, else NULL. */
function missingIn(field: Field): string | undefined {
  if (field.nullable) return undefined;
  return `CASE WHEN f.${quoteIdent(field.name)} IS NULL THEN ${quoteString(field.name)} END`;
}

function fieldError(fields: readonly Field[], rescue: boolean): string {
  const required = fields.filter((f) => !f.nullable).map((f) => quoteString(f.name));
  const unfit = `len(list_filter(misfits, lambda m: list_contains([${required.join(', ')}]::VARCHAR[], m."name"))) > 0`;
  return (
    `CASE WHEN len(names) <> len(list_distinct(names)) THEN 'DUPLICATE_FIELD' ` +
    `WHEN ${rescue ? unfit : 'len(misfits) > 0'} THEN 'TYPE_MISMATCH' ` +
    `WHEN len(list_filter(missing, lambda m: m IS NOT NULL)) > 0 THEN 'NULL_FIELD' ` +
    `${rescue ? '' : `WHEN len(unknown) > 0 THEN 'UNKNOWN_FIELD' `}END`
  );
}

/** The fields that have no column, or do not fit it, in the order of the record. */
function rescued(): string {
  const wanted = `list_contains(unknown, e.key) OR len(list_filter(misfits, lambda m: m."name" = e.key)) > 0`;
  const entries = `list_filter(map_entries(from_json(doc, '"MAP(VARCHAR, JSON)"')), lambda e: ${wanted})`;
  const one = `to_json(${unmarkedName('e.key')})::VARCHAR || ':' || coalesce(${unmarked('e.value')}, 'null')`;
  return (
    `CASE WHEN error_code IS NULL AND len(unknown) + len(misfits) > 0 ` +
    `THEN '{' || array_to_string(list_transform(${entries}, lambda e: ${one}), ',') || '}' END`
  );
}

function message(): string {
  const shown = excerpt('document');
  return (
    `CASE error_code WHEN 'NULL_VALUE' THEN 'the record has no value (a tombstone), so it has no columns' ` +
    `WHEN 'NOT_UTF8' THEN 'the value is not text in UTF-8' || ${registryHint('starts_with(hex("value"), \'00\')')} ` +
    `WHEN 'MALFORMED_JSON' THEN CASE WHEN trim(document) = '' THEN 'the value is empty' ` +
    `WHEN starts_with(document, chr(65279)) THEN 'the value starts with a byte order mark, which JSON does not allow' ` +
    `WHEN valid THEN 'the value has a comma before a closing bracket, NaN or Infinity, which JSON does not allow: ' || ${shown} ` +
    `WHEN starts_with(ltrim(document), '{') AND NOT ends_with(rtrim(document), '}') ` +
    `THEN 'the value is JSON that ends too early: ' || ${shown} ` +
    `ELSE 'the value is not JSON' || ${registryHint('starts_with(document, chr(0))')} || ': ' || ${shown} END ` +
    `WHEN 'NOT_AN_OBJECT' THEN 'the value is JSON, but no object: ' || ${shown} ` +
    `WHEN 'DUPLICATE_FIELD' THEN 'the object names a field twice: ' || ` +
    `list_filter(names, lambda n: len(list_filter(names, lambda o: o = n)) > 1)[1] ` +
    `WHEN 'TYPE_MISMATCH' THEN 'the value of ' || misfits[1]."name" || ' does not fit ' || misfits[1]."type" || ': ' || ` +
    `${excerpt(unmarked('misfits[1]."json"'))} ` +
    `WHEN 'NULL_FIELD' THEN list_filter(missing, lambda m: m IS NOT NULL)[1] || ' is NOT NULL, and the record has no value for it' ` +
    `WHEN 'UNKNOWN_FIELD' THEN 'the schema has no field ' || unknown[1] END`
  );
}

function registryHint(condition: string): string {
  return (
    `CASE WHEN ${condition} THEN ' (it starts with a zero byte, as the values of a schema registry do: Avro, Protobuf, ` +
    `JSON Schema)' ELSE '' END`
  );
}

function excerpt(text: string): string {
  return `CASE WHEN length(${text}) > 80 THEN left(${text}, 80) || '…' ELSE ${text} END`;
}
