/**
 * The fast road: one regular expression for the records that fit the schema in every way.
 *
 * Promise: what matches is JSON as RFC 8259 has it, names no field twice and none that is unknown, and `from_json` gives each
 * of its values exactly (`fits.ts` would say the same). What does not match may still be good: it takes the slow road.
 *
 * Why: `from_json_strict` takes 1.5, true and "1" for integers, rounds decimals, drops the zone of a TIMESTAMP, passes over
 * unknown fields, takes trailing commas, and within `TRY` one bad record makes 2,047 others 15 times slower. A regular
 * expression reads each byte once and costs less than parsing twice.
 */
import type { DataType, Field, StructType } from '../../core/schema.ts';
import { elementOf, everyWay, inOrders, inside, type FieldOrders, type Place } from './field-orders.ts';
import { BASE64, ISO_ZONE } from './fits.ts';

/** Beyond this, RE2 may refuse the expression or grow slow. */
const LONGEST_PATTERN = 100_000;

/** How many digits always fit. */
export const INTEGER_DIGITS = { long: 18, integer: 9, short: 4, byte: 2 } as const;
export const DIGITS_OF_DOUBLE = 20;
/** A decimal number with a point goes through a double in `from_json`, which keeps this many digits. */
const DIGITS_IN_DOUBLE = 15;

const W = '[ \\t\\n\\r]*';
const TEXT =
  '"(?:[^"\\\\\\x00-\\x1f]|\\\\["\\\\/bfnrt]|\\\\u(?:[0-9abcefABCEF][0-9a-fA-F]{3}|[dD][0-7][0-9a-fA-F]{2})' +
  '|\\\\u[dD][89abAB][0-9a-fA-F]{2}\\\\u[dD][c-fC-F][0-9a-fA-F]{2})*"';
const DATE =
  '[12][0-9]{3}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)' +
  '|02-(?:0[1-9]|1[0-9]|2[0-8]))';
/** Matches no text at all. */
const NOTHING = '[^\\x00-\\x{10FFFF}]';
const TIME = '[T ](?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\\.[0-9]{1,9})?';

/** The regular expression (RE2), or undefined when the schema is too large for one. */
export function shapeOf(schema: StructType, orders: FieldOrders): string | undefined {
  const pattern = `${W}${object(schema, everyWay(orders))}${W}`;
  return pattern.length > LONGEST_PATTERN ? undefined : pattern;
}

function object(type: StructType, place: Place): string {
  const { all, within } = inOrders(type, place);
  const empty = type.fields.every((f) => f.nullable) ? '?' : '';
  return `\\{${W}(?:${all.map((fields) => members(fields, within)).join('|')})${empty}\\}`;
}

/** The first field must be there; others may be left out. */
function members(fields: readonly Field[], place: Place): string {
  const parts = fields.map((f, i) => {
    const one = member(f, place);
    if (i === 0) return one;
    return f.nullable ? `(?:,${W}${one})?` : `,${W}${one}`;
  });
  return parts.join('');
}

function member(field: Field, place: Place): string {
  const name = JSON.stringify(field.name).replace(/[\\^$.|?*+()[\]{}]/g, '\\$&');
  return `${name}${W}:${W}${value(field.type, field.nullable, inside(place, field.name))}${W}`;
}

function value(type: DataType, nullable: boolean, place: Place): string {
  const pattern = pure(type, place);
  if (pattern === undefined) return nullable ? 'null' : NOTHING;
  return nullable ? `(?:${pattern}|null)` : `(?:${pattern})`;
}

/** Undefined: no value of this type takes the fast road. */
function pure(type: DataType, place: Place): string | undefined {
  switch (type.kind) {
    case 'decimal':
      return decimal(type.precision, type.scale);
    case 'array': {
      if (hasBinary(type.element)) return undefined;
      const element = value(type.element, true, elementOf(place));
      return `\\[${W}(?:${element}${W}(?:,${W}${element}${W})*)?\\]`;
    }
    case 'struct':
      return hasBinary(type) ? undefined : object(type, place);
    case 'map':
      return undefined;
    case 'primitive':
      return SCALARS[type.name];
  }
}

const FLOAT = `-?${digits(DIGITS_OF_DOUBLE)}${point(DIGITS_OF_DOUBLE)}|0|-?[1-9][0-9]{0,${String(DIGITS_OF_DOUBLE - 1)}}`;
const SCALARS = {
  // Numbers and booleans are text as well, where DuckDB writes them as they were.
  string: `${TEXT}|-?[1-9][0-9]{0,17}|0|true|false|-?(?:0|[1-9][0-9]{0,9})\\.[0-9]{0,3}[1-9]`,
  long: `-?${digits(INTEGER_DIGITS.long)}`,
  integer: `-?${digits(INTEGER_DIGITS.integer)}`,
  short: `-?${digits(INTEGER_DIGITS.short)}`,
  byte: `-?${digits(INTEGER_DIGITS.byte)}`,
  // `-0` is read as the integer, which has no sign.
  double: `${FLOAT}|-?${digits(DIGITS_OF_DOUBLE)}(?:${point(DIGITS_OF_DOUBLE)})?[eE][-+]?[0-9]{1,2}`,
  float: FLOAT,
  boolean: 'true|false',
  binary: `"${BASE64}"`,
  date: `"${DATE}"`,
  timestamp: `"${DATE}(?:${TIME}(?:${ISO_ZONE})?)?"`,
  timestamp_ntz: `"${DATE}(?:${TIME})?"`,
} as const;

/** How many digits a decimal may have in front of its point: as a number without one, and with one. */
export function decimalDigits(precision: number, scale: number): DecimalDigits {
  const whole = precision - scale;
  const alone = Math.min(whole, INTEGER_DIGITS.long);
  return scale > DIGITS_IN_DOUBLE
    ? { alone, withPoint: 0, scale: 0 }
    : { alone, withPoint: Math.min(whole, DIGITS_IN_DOUBLE - scale), scale };
}

export interface DecimalDigits {
  readonly alone: number;
  readonly withPoint: number;
  /** Digits after the point; 0: none with a point is certain to fit. */
  readonly scale: number;
}

/** Texts of numbers are exact. */
function decimal(precision: number, scale: number): string {
  const number = decimalDigits(precision, scale);
  const integer = `-?${digits(number.alone)}`;
  const text = `"-?${digits(precision - scale)}${scale === 0 ? '' : `(?:${point(scale)})?`}"`;
  if (number.scale === 0) return `${integer}|${text}`;
  return `${integer}|-?${digits(number.withPoint)}${point(scale)}|${text}`;
}

function digits(most: number): string {
  return most < 1 ? '0' : `(?:0|[1-9][0-9]{0,${String(most - 1)}})`;
}

function point(scale: number): string {
  return `\\.[0-9]{1,${String(scale)}}`;
}

/** Binary inside lists and structs comes out as text. */
export function hasBinary(type: DataType): boolean {
  if (type.kind === 'array') return hasBinary(type.element);
  if (type.kind === 'struct') return type.fields.some((f) => hasBinary(f.type));
  return type.kind === 'primitive' && type.name === 'binary';
}
