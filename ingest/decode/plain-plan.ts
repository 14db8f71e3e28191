/**
 * How plain records are to be read: a tree of plans, one for each value that the schema knows.
 */
import type { DataType, Field, PrimitiveName, StructType } from '../../core/schema.ts';
import type { ValueKind } from './field-columns.ts';
import { elementOf, everyWay, inOrders, inside, type FieldOrders, type Place } from './field-orders.ts';
import { decimalDigits, DIGITS_IN_DOUBLE, hasBinary, INTEGER_DIGITS, type DecimalDigits } from './shape.ts';

/** How a value is read. One shape of object for all kinds, and a switch over them: V8 then makes one piece of code of it. */
export interface Plan {
  readonly kind: ValueKind;
  readonly nullable: boolean;
  /** Digits: of an integer; of a decimal in front of its point, as `decimalDigits` gives them. */
  readonly digits: DecimalDigits;
  /** Of a struct: the orders its fields may come in. */
  readonly orders: readonly (readonly Member[])[];
  readonly element: Plan | undefined;
}

export interface Member {
  readonly name: Literal;
  readonly value: Plan;
  /** Which field of the struct it is. */
  readonly place: number;
}

/** The plan of a record whose fields come in the order of the schema or in those that were learnt. */
export function recordPlan(schema: StructType, orders: FieldOrders): Plan {
  return planOf(schema, false, everyWay(orders));
}

function planOf(type: DataType, nullable: boolean, place: Place): Plan {
  const none = { alone: 0, withPoint: 0, scale: 0 };
  const plan: Plan = { kind: 'never', nullable, digits: none, orders: [], element: undefined };
  switch (type.kind) {
    case 'decimal':
      return {
        ...plan,
        kind: type.scale <= DIGITS_IN_DOUBLE ? 'decimal' : 'wide_decimal',
        digits: decimalDigits(type.precision, type.scale),
      };
    case 'array':
      return hasBinary(type) ? plan : { ...plan, kind: 'array', element: planOf(type.element, true, elementOf(place)) };
    case 'struct': {
      if (place.path !== '' && hasBinary(type)) return plan;
      const { all, within } = inOrders(type, place);
      return { ...plan, kind: 'struct', orders: all.map((fields) => fields.map((f) => memberOf(f, type, within))) };
    }
    case 'map':
      return plan;
    case 'primitive': {
      const alone = isInteger(type.name) ? INTEGER_DIGITS[type.name] : 0;
      return { ...plan, kind: type.name, digits: { ...none, alone } };
    }
  }
}

function memberOf(field: Field, of: StructType, place: Place): Member {
  const value = planOf(field.type, field.nullable, inside(place, field.name));
  return { name: new Literal(`${JSON.stringify(field.name)}:`), value, place: of.fields.indexOf(field) };
}

/** The plan of a record that takes no escapes in its texts: these lie in the bytes as they are. */
export function unescaped(plan: Plan): Plan {
  const text = ({ value }: Member): Plan => (value.kind === 'string' ? { ...value, kind: 'unescaped' } : value);
  return { ...plan, orders: plan.orders.map((members) => members.map((m) => ({ ...m, value: text(m) }))) };
}

function isInteger(name: PrimitiveName): name is keyof typeof INTEGER_DIGITS {
  return name in INTEGER_DIGITS;
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
