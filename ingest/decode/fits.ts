/**
 * What fits a column: the rules, as SQL over one JSON value.
 *
 * Promise: a value that fits is kept as it is. Integers are whole numbers in range; a decimal has no more digits than its
 * type (numbers and texts of numbers alike, as Spark has it); booleans are `true` and `false`; times are ISO 8601, without
 * zone they are UTC for `timestamp`, and `timestamp_ntz` takes none with a zone; a date has no time; binary is Base64;
 * a struct has no other fields than the schema's. A string column takes any JSON, as its text. What a type cannot hold by
 * its nature is cut to it: a double's rounding, and digits of a second beyond microseconds.
 * Source: Spark's JacksonParser, where it loses nothing.
 */
import type { DataType, Field } from '../../core/schema.ts';
import { quoteIdent, quoteString } from '../../engine/quoting.ts';
import { duckdbType } from '../../engine/types.ts';
import { numberText, stringText, unmarked, unmarkedName } from './json-text.ts';

export interface Fit {
  /** SQL: whether the value fits; true for null. */
  readonly fits: string;
  /** SQL: the value; NULL for null, and for a scalar that does not fit. */
  readonly value: string;
}

/** `json` is a column or lambda parameter of type JSON, out of a marked document, NULL for null or nothing. */
export function fitOf(type: DataType, json: string, depth = 0): Fit {
  switch (type.kind) {
    case 'array': {
      const item = `e${String(depth)}`;
      const element = fitOf(type.element, item, depth + 1);
      const items = `CASE WHEN json_type(${json}) = 'ARRAY' THEN from_json(${json}, '["JSON"]') END`;
      return {
        fits: nullOr(json, `coalesce(len(list_filter(${items}, lambda ${item}: NOT (${element.fits}))) = 0, false)`),
        value: `list_transform(${items}, lambda ${item}: ${element.value})`,
      };
    }
    case 'map': {
      const item = `e${String(depth)}`;
      const key = mapKey(type.key, `${item}.key`);
      const value = fitOf(type.value, `${item}.value`, depth + 1);
      const entries = `CASE WHEN ${objectOnce(json)} THEN map_entries(from_json(${json}, '"MAP(VARCHAR, JSON)"')) END`;
      const misfit = `lambda ${item}: (${key}) IS NULL OR NOT (${value.fits})`;
      const distinct = `len(list_distinct(list_transform(${entries}, lambda ${item}: ${key}))) = len(${entries})`;
      return {
        fits: nullOr(json, `coalesce(len(list_filter(${entries}, ${misfit})) = 0 AND ${distinct}, false)`),
        value: `map_from_entries(list_transform(${entries}, lambda ${item}: struct_pack(k := ${key}, v := ${value.value})))`,
      };
    }
    case 'struct': {
      const parts = `p${String(depth)}`;
      const fields = type.fields.map((f) => fitOfField(f, `${parts}.${quoteIdent(f.name)}`, depth + 1));
      const parsed = `CASE WHEN json_type(${json}) = 'OBJECT' THEN from_json(${json}, ${structureOf(type.fields)}) END`;
      const all = fields.map((fit) => `(${fit.fits})`).join(' AND ');
      const packed = type.fields.map((f, i) => `${quoteIdent(f.name)} := ${fields[i]?.value ?? 'NULL'}`).join(', ');
      const known = `list_has_all([${type.fields.map((f) => quoteString(f.name)).join(', ')}], json_keys(${json}))`;
      return {
        fits: nullOr(
          json,
          `coalesce(${objectOnce(json)} AND ${known} AND list_transform([${parsed}], lambda ${parts}: ${all})[1], false)`,
        ),
        value:
          `CASE WHEN json_type(${json}) = 'OBJECT' ` +
          `THEN list_transform([${parsed}], lambda ${parts}: struct_pack(${packed}))[1] END`,
      };
    }
    default: {
      const value = scalar(type, json);
      return { fits: nullOr(json, `(${value}) IS NOT NULL`), value };
    }
  }
}

/** As `fitOf`; a NOT NULL field does not fit null. */
function fitOfField(field: Field, json: string, depth: number): Fit {
  const fit = fitOf(field.type, json, depth);
  return field.nullable ? fit : { ...fit, fits: `${json} IS NOT NULL AND ${fit.fits}` };
}

/** The structure for `from_json` that gives each field's JSON. */
export function structureOf(fields: readonly Field[]): string {
  return quoteString(JSON.stringify(Object.fromEntries(fields.map((f) => [f.name, 'JSON']))));
}

function nullOr(json: string, condition: string): string {
  return `(${json} IS NULL OR ${condition})`;
}

/** An object that names no field twice. */
function objectOnce(json: string): string {
  return `(json_type(${json}) = 'OBJECT' AND len(json_keys(${json})) = len(list_distinct(json_keys(${json}))))`;
}

function mapKey(type: DataType, key: string): string {
  const text = unmarkedName(key);
  if (type.kind === 'primitive' && type.name === 'string') return text;
  const asJson = type.kind === 'primitive' && /^(long|integer|short|byte|double|float|boolean)$/.test(type.name);
  return scalar(type, asJson ? key : `to_json(${key})::VARCHAR`);
}

function scalar(type: DataType, json: string): string {
  if (type.kind === 'decimal') return decimal(type.precision, type.scale, json);
  if (type.kind !== 'primitive') return 'NULL';
  const duckdb = duckdbType(type);
  const text = stringText(json);
  switch (type.name) {
    case 'long':
    case 'integer':
    case 'short':
    case 'byte':
      return `TRY_CAST(regexp_extract(${numberText(json)}, '^(-?[0-9]+)(?:\\.0+)?$', 1) AS ${duckdb})`;
    case 'double':
      return finite(`TRY_CAST(${numberText(json)} AS DOUBLE)`);
    case 'float':
      return finite(`TRY_CAST(TRY_CAST(${numberText(json)} AS DOUBLE) AS FLOAT)`);
    case 'boolean':
      return `CASE ${json}::VARCHAR WHEN 'true' THEN true WHEN 'false' THEN false END`;
    case 'string':
      return `coalesce(${text}, ${unmarked(json)})`;
    case 'binary':
      return `CASE WHEN regexp_full_match(${text}, '${BASE64}') THEN from_base64(${text}) END`;
    case 'date':
      return `TRY_CAST(${matching(text, ISO_DATE)} AS DATE)`;
    case 'timestamp':
      return `TRY_CAST(${withSeconds(matching(text, `${ISO_DATE}(?:${ISO_TIME}(?:${ISO_ZONE})?)?`))} AS TIMESTAMPTZ)`;
    case 'timestamp_ntz':
      return `TRY_CAST(${withSeconds(matching(text, `${ISO_DATE}(?:${ISO_TIME})?`))} AS TIMESTAMP)`;
  }
}

export const BASE64 = '(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?';
const ISO_DATE = '(?:[1-9][0-9]{3}|0[1-9][0-9]{2}|00[1-9][0-9]|000[1-9])-[0-9]{2}-[0-9]{2}';
const ISO_TIME = '[T ](?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:\\.[0-9]{1,9})?)?';
export const ISO_ZONE = 'Z|[-+](?:0[0-9]|1[0-8])(?::?[0-5][0-9])?';

/** The text where it has this form, else NULL. */
function matching(text: string, pattern: string): string {
  return `nullif(regexp_extract(${text}, '^(?:${pattern})$'), '')`;
}

/** DuckDB wants seconds in a time. */
function withSeconds(text: string): string {
  return `regexp_replace(${text}, '([T ][0-9]{2}:[0-9]{2})($|Z|[-+])', '\\1:00\\2')`;
}

function finite(number: string): string {
  return `CASE WHEN isfinite(${number}) THEN ${number} END`;
}

/**
 * Digits after the point beyond the scale must be zero. With an exponent, and at most 15 digits, comparing the doubles
 * tells whether the cast has rounded: two decimals of 15 digits never share one.
 */
function decimal(precision: number, scale: number, json: string): string {
  const text = stringText(json);
  const asText = matching(text, '-?(?:0|[1-9][0-9]*)(?:\\.[0-9]+)?');
  const number = `coalesce(${numberText(json)}, ${asText})`;
  const cast = `TRY_CAST(${number} AS DECIMAL(${String(precision)},${String(scale)}))`;
  const exact = `regexp_full_match(${number}, '-?[0-9]+(?:\\.[0-9]{0,${String(scale)}}0*)?')`;
  const short = `regexp_full_match(${number}, '-?[0-9](?:\\.?[0-9]){0,14}[eE][-+]?[0-9]+')`;
  return `CASE WHEN ${exact} OR (${short} AND ${cast}::DOUBLE = TRY_CAST(${number} AS DOUBLE)) THEN ${cast} END`;
}
