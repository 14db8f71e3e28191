/**
 * Where the fields of plain records wait: a column for each in the raw table, of a type that takes what the bytes say without
 * parsing JSON; and how a value gets into it.
 *
 * Promise: what is read from the columns is what `from_json` gives. A value that has no place in its column is said to have
 * none, and nothing of it is kept.
 */
import type { DataType, PrimitiveName, StructType } from '../../core/schema.ts';
import type { OpenColumn } from '../../engine/open-column.ts';
import { quoteString } from '../../engine/quoting.ts';
import { duckdbType } from '../../engine/types.ts';
import { DIGITS_IN_DOUBLE } from './shape.ts';
import { dateOf, decimalOf, doubleOf, integerOf, microsOf } from './plain-numbers.ts';

const N = 0x6e;
const T = 0x74;

/** Beyond this many fields a column for each costs more memory than it saves time. */
const COLUMNS_MOST = 100;
/** Of a DECIMAL that takes 64 bits. */
const DECIMAL_DIGITS = 18;

export interface FieldColumn {
  readonly name: string;
  /** In the raw table. */
  readonly type: string;
  /** SQL: the field's value, out of the column. */
  readonly value: string;
}

/** One for each field of a schema that is not too wide; else none. */
export function fieldColumns(schema: StructType): FieldColumn[] {
  if (schema.fields.length > COLUMNS_MOST) return [];
  return schema.fields.map(({ type }, i) => {
    const name = `field_${String(i)}`;
    return { name, ...waitsAs(type, name) };
  });
}

function waitsAs(type: DataType, name: string): Pick<FieldColumn, 'type' | 'value'> {
  if (type.kind === 'decimal' && type.scale <= DIGITS_IN_DOUBLE)
    return { type: `DECIMAL(${String(DECIMAL_DIGITS)}, ${String(type.scale)})`, value: `${name}::${duckdbType(type)}` };
  if (type.kind === 'primitive') {
    switch (type.name) {
      case 'byte':
      case 'short':
        return { type: 'INTEGER', value: `${name}::${duckdbType(type)}` };
      case 'float':
        return { type: 'DOUBLE', value: `${name}::${duckdbType(type)}` };
      case 'binary':
        break;
      default:
        return { type: duckdbType(type), value: name };
    }
  }
  const structure = quoteString(JSON.stringify(duckdbType(type)));
  return { type: 'VARCHAR', value: `from_json(${name}, ${structure})` };
}

/**
 * How a value is recognised. `unescaped`: a string without escapes; `wide_decimal`: one that waits as text; `never`: none is,
 * but for null.
 */
export type ValueKind = PrimitiveName | 'unescaped' | 'decimal' | 'wide_decimal' | 'struct' | 'array' | 'never';

/** What of a plan says how its value is kept. */
interface KeptPlan {
  readonly kind: ValueKind;
  readonly digits: { readonly scale: number };
}

/**
 * Puts a value that was recognised from `at` to `stop` into its column.
 * @returns false when it has no place there
 */
export function keepValue(
  plan: KeptPlan,
  column: OpenColumn,
  row: number,
  bytes: Uint8Array,
  at: number,
  stop: number,
): boolean {
  if (bytes[at] === N) {
    column.setNull(row);
    return true;
  }
  switch (plan.kind) {
    case 'unescaped':
      column.setSlice(row, at + 1, stop - at - 2);
      return true;
    case 'long': {
      const value = integerOf(bytes, at, stop);
      if (Number.isSafeInteger(value)) column.setInt64(row, value);
      else column.setBigInt64(row, BigInt(asciiOf(bytes, at, stop)));
      return true;
    }
    case 'integer':
    case 'short':
    case 'byte':
      column.setInt32(row, integerOf(bytes, at, stop));
      return true;
    case 'timestamp':
    case 'timestamp_ntz':
      return keepInt64(column, row, microsOf(bytes, at));
    case 'decimal':
      return keepInt64(column, row, decimalOf(bytes, at, stop, plan.digits.scale));
    case 'boolean':
      column.setBoolean(row, bytes[at] === T);
      return true;
    case 'double':
    case 'float': {
      const value = doubleOf(bytes, at, stop);
      column.setDouble(row, Number.isNaN(value) ? Number(asciiOf(bytes, at, stop)) : value);
      return true;
    }
    case 'date':
      column.setInt32(row, dateOf(bytes, at + 1));
      return true;
    default:
      column.setSlice(row, at, stop - at);
      return true;
  }
}

function keepInt64(column: OpenColumn, row: number, value: number): boolean {
  if (!Number.isSafeInteger(value)) return false;
  column.setInt64(row, value);
  return true;
}

function asciiOf(bytes: Uint8Array, at: number, stop: number): string {
  return String.fromCharCode(...bytes.subarray(at, stop));
}
