/**
 * The shortest road: records that fit the schema and are written as most producers write them, told by a look at their
 * bytes while a source has them in hand, for a fourth of what the regular expression costs.
 *
 * Promise: whatever it takes, the shape (shape.ts) takes too. What it does not take may still be good.
 */
import type { DataType, Field, PrimitiveName, StructType } from '../../core/schema.ts';
import { elementOf, everyWay, inOrders, inside, type FieldOrders, type Place } from './field-orders.ts';
import {
  dateAt,
  decimalAt,
  doubleAt,
  floatAt,
  integerAt,
  spacesAt,
  textAt,
  timestampAt,
  wordAt,
} from './plain-values.ts';
import { decimalDigits, hasBinary, INTEGER_DIGITS, type DecimalDigits } from './shape.ts';

const [SPACE, COMMA, OPEN_BRACKET, CLOSE_BRACKET] = [0x20, 0x2c, 0x5b, 0x5d];
const [OPEN_BRACE, CLOSE_BRACE, N, T] = [0x7b, 0x7d, 0x6e, 0x74];

/** How a value is read. One shape of object for all kinds, and a switch over them: V8 then makes one piece of code of it. */
interface Plan {
  readonly kind: PrimitiveName | 'decimal' | 'struct' | 'array' | 'never';
  readonly nullable: boolean;
  /** Digits: of an integer; of a decimal in front of its point, as `decimalDigits` gives them. */
  readonly digits: DecimalDigits;
  /** Of a struct: the orders its fields may come in. */
  readonly orders: readonly (readonly Member[])[];
  readonly element: Plan | undefined;
}

interface Member {
  readonly name: Literal;
  readonly value: Plan;
}

export class PlainRecords {
  readonly #schema: StructType;
  #plan: Plan;

  constructor(schema: StructType, orders: FieldOrders = new Map()) {
    this.#schema = schema;
    this.#plan = planOf(schema, false, everyWay(orders));
  }

  /** Takes records that name their fields in other orders than the schema, too. */
  learn(orders: FieldOrders): void {
    this.#plan = planOf(this.#schema, false, everyWay(orders));
  }

  /**
   * Whether the record from `start` to `end` is one that certainly fits.
   * @param view of the same bytes
   * @example new PlainRecords(schema).takes(bytes, new DataView(bytes.buffer, bytes.byteOffset, bytes.length), 0, bytes.length)
   */
  takes(bytes: Uint8Array, view: DataView, start: number, end: number): boolean {
    return end > start && bytes[end - 1] === CLOSE_BRACE && valueAt(this.#plan, bytes, view, start, end) === end;
  }
}

/** A field's name with its quotes and the colon, four bytes at a time. */
class Literal {
  readonly length: number;
  readonly #bytes: Uint8Array;
  readonly #words: Int32Array;
  /** Of the last word, the bytes that count. */
  readonly #mask: number;

  constructor(text: string) {
    const bytes = Buffer.from(text);
    this.length = bytes.length;
    this.#bytes = bytes;
    const padded = Buffer.alloc(Math.ceil(bytes.length / 4) * 4);
    bytes.copy(padded);
    this.#words = Int32Array.from({ length: padded.length / 4 }, (_, i) => padded.readInt32LE(i * 4));
    this.#mask = (-1 >>> (8 * (padded.length - bytes.length))) | 0;
  }

  isAt(bytes: Uint8Array, view: DataView, at: number): boolean {
    const words = this.#words;
    const last = words.length - 1;
    if (at + 4 * words.length > bytes.length) return this.#isNearEnd(bytes, at);
    for (let i = 0; i < last; i++) if (view.getInt32(at + 4 * i, true) !== words[i]) return false;
    return ((view.getInt32(at + 4 * last, true) ^ (words[last] ?? 0)) & this.#mask) === 0;
  }

  #isNearEnd(bytes: Uint8Array, at: number): boolean {
    return this.#bytes.every((byte, i) => bytes[at + i] === byte);
  }
}

/** The place after the value, or -1. */
function valueAt(plan: Plan, bytes: Uint8Array, view: DataView, at: number, end: number): number {
  if (plan.nullable && bytes[at] === N) return wordAt(bytes, at, 'null');
  switch (plan.kind) {
    case 'string':
      return textAt(bytes, view, at, end);
    case 'long':
    case 'integer':
    case 'short':
    case 'byte':
      return integerAt(bytes, at, plan.digits.alone);
    case 'timestamp':
      return timestampAt(bytes, at, true);
    case 'decimal':
      return decimalAt(bytes, at, plan.digits.alone, plan.digits.withPoint, plan.digits.scale);
    case 'double':
      return doubleAt(bytes, at);
    case 'boolean':
      return bytes[at] === T ? wordAt(bytes, at, 'true') : wordAt(bytes, at, 'false');
    case 'struct':
      return structAt(plan.orders, bytes, view, at, end);
    case 'array':
      return plan.element === undefined ? -1 : arrayAt(plan.element, bytes, view, at, end);
    case 'date':
      return dateAt(bytes, at);
    case 'timestamp_ntz':
      return timestampAt(bytes, at, false);
    case 'float':
      return floatAt(bytes, at);
    case 'binary':
    case 'never':
      return -1;
  }
}

function structAt(orders: Plan['orders'], bytes: Uint8Array, view: DataView, at: number, end: number): number {
  if (bytes[at] !== OPEN_BRACE) return -1;
  const start = spacesAt(bytes, at + 1);
  for (let i = 0; i < orders.length; i++) {
    const stop = membersAt(orders[i] ?? [], bytes, view, start, end);
    if (stop >= 0) return stop;
  }
  return -1;
}

/** As in the shape: the first field must be there, others may be left out. */
function membersAt(members: readonly Member[], bytes: Uint8Array, view: DataView, start: number, end: number): number {
  let at = start;
  for (let i = 0; i < members.length; i++) {
    const { name, value } = members[i] as Member;
    let next = i === 0 ? at : bytes[at] === COMMA ? at + 1 : -1;
    if (bytes[next] === SPACE) next = spacesAt(bytes, next);
    if (next >= 0 && name.isAt(bytes, view, next)) {
      next += name.length;
      if (bytes[next] === SPACE) next = spacesAt(bytes, next);
      at = valueAt(value, bytes, view, next, end);
      if (at < 0) return -1;
      if (bytes[at] === SPACE) at = spacesAt(bytes, at);
    } else if (i === 0 || !value.nullable) return -1;
  }
  return bytes[at] === CLOSE_BRACE ? at + 1 : -1;
}

function arrayAt(element: Plan, bytes: Uint8Array, view: DataView, from: number, end: number): number {
  if (bytes[from] !== OPEN_BRACKET) return -1;
  let at = spacesAt(bytes, from + 1);
  if (bytes[at] === CLOSE_BRACKET) return at + 1;
  for (;;) {
    at = valueAt(element, bytes, view, at, end);
    if (at < 0) return -1;
    at = spacesAt(bytes, at);
    if (bytes[at] === CLOSE_BRACKET) return at + 1;
    if (bytes[at] !== COMMA) return -1;
    at = spacesAt(bytes, at + 1);
  }
}

function planOf(type: DataType, nullable: boolean, place: Place): Plan {
  const none = { alone: 0, withPoint: 0, scale: 0 };
  const plan: Plan = { kind: 'never', nullable, digits: none, orders: [], element: undefined };
  switch (type.kind) {
    case 'decimal':
      return { ...plan, kind: 'decimal', digits: decimalDigits(type.precision, type.scale) };
    case 'array':
      return hasBinary(type) ? plan : { ...plan, kind: 'array', element: planOf(type.element, true, elementOf(place)) };
    case 'struct': {
      if (place.path !== '' && hasBinary(type)) return plan;
      const { all, within } = inOrders(type, place);
      return { ...plan, kind: 'struct', orders: all.map((fields) => fields.map((f) => memberOf(f, within))) };
    }
    case 'map':
      return plan;
    case 'primitive': {
      const alone = isInteger(type.name) ? INTEGER_DIGITS[type.name] : 0;
      return { ...plan, kind: type.name, digits: { ...none, alone } };
    }
  }
}

function memberOf(field: Field, place: Place): Member {
  const value = planOf(field.type, field.nullable, inside(place, field.name));
  return { name: new Literal(`${JSON.stringify(field.name)}:`), value };
}

function isInteger(name: PrimitiveName): name is keyof typeof INTEGER_DIGITS {
  return name in INTEGER_DIGITS;
}
