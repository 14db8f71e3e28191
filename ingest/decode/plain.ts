/**
 * The shortest road: records that fit the schema and are written as most producers write them, told by a look at their
 * bytes while a source has them in hand, for a fourth of what the regular expression costs. Their fields are split into
 * columns on the way, so that no JSON is left to parse.
 *
 * Promise: whatever it takes, the shape (shape.ts) takes too, and what it splits is what `from_json` would give. What it
 * does not take may still be good.
 */
import type { StructType } from '../../core/schema.ts';
import type { OpenColumn } from '../../engine/open-column.ts';
import { fieldColumns, keepValue, type FieldColumn } from './field-columns.ts';
import type { FieldOrders } from './field-orders.ts';
import { recordPlan, unescaped, type Member, type Plan } from './plain-plan.ts';
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

const [SPACE, COMMA, OPEN_BRACKET, CLOSE_BRACKET] = [0x20, 0x2c, 0x5b, 0x5d];
const [OPEN_BRACE, CLOSE_BRACE, N, T] = [0x7b, 0x7d, 0x6e, 0x74];

/**
 * What became of a record: its fields are in their columns; or its value is to be kept whole, either because something in it
 * has no place in a column though it certainly fits, or because it is not certain to fit.
 */
export type Split = 'split' | 'whole' | 'unsure';

export class PlainRecords {
  /** Where the fields of records go that are split; none when there are too many. */
  readonly columns: readonly FieldColumn[];
  readonly #schema: StructType;
  #plan: Plan;
  /** Of records that can be split. */
  #splitPlan: Plan;

  constructor(schema: StructType, orders: FieldOrders = new Map()) {
    this.#schema = schema;
    this.columns = fieldColumns(schema);
    this.#plan = recordPlan(schema, orders);
    this.#splitPlan = unescaped(this.#plan);
  }

  /** Takes records that name their fields in other orders than the schema, too. */
  learn(orders: FieldOrders): void {
    this.#plan = recordPlan(this.#schema, orders);
    this.#splitPlan = unescaped(this.#plan);
  }

  /**
   * Whether the record from `start` to `end` is one that certainly fits.
   * @param view of the same bytes
   * @example new PlainRecords(schema).takes(bytes, new DataView(bytes.buffer, bytes.byteOffset, bytes.length), 0, bytes.length)
   */
  takes(bytes: Uint8Array, view: DataView, start: number, end: number): boolean {
    return end > start && bytes[end - 1] === CLOSE_BRACE && valueAt(this.#plan, bytes, view, start, end) === end;
  }

  /**
   * As `takes`, and puts the fields into their columns.
   * @param into one for each of `columns`; texts are slices of `bytes`. All are null at `row` unless the record is split.
   */
  split(
    bytes: Uint8Array,
    view: DataView,
    start: number,
    end: number,
    into: readonly OpenColumn[],
    row: number,
  ): Split {
    if (into.length > 0 && end > start && bytes[end - 1] === CLOSE_BRACE) {
      const { orders } = this.#splitPlan;
      for (let i = 0; i < orders.length; i++) {
        const members = orders[i] ?? [];
        if (structAt(members, bytes, view, start, end, into, row) === end) return 'split';
        for (let place = 0; place < into.length; place++) into[place]?.setNull(row);
      }
    }
    return this.takes(bytes, view, start, end) ? 'whole' : 'unsure';
  }
}

/** The place after the value, or -1. */
function valueAt(plan: Plan, bytes: Uint8Array, view: DataView, at: number, end: number): number {
  if (plan.nullable && bytes[at] === N) return wordAt(bytes, at, 'null');
  switch (plan.kind) {
    case 'string':
      return textAt(bytes, view, at, end, true);
    case 'unescaped':
      return textAt(bytes, view, at, end, false);
    case 'long':
    case 'integer':
    case 'short':
    case 'byte':
      return integerAt(bytes, at, plan.digits.alone);
    case 'timestamp':
      return timestampAt(bytes, at, true);
    case 'decimal':
    case 'wide_decimal':
      return decimalAt(bytes, at, plan.digits.alone, plan.digits.withPoint, plan.digits.scale);
    case 'double':
      return doubleAt(bytes, at);
    case 'boolean':
      return bytes[at] === T ? wordAt(bytes, at, 'true') : wordAt(bytes, at, 'false');
    case 'struct':
      return anyStructAt(plan.orders, bytes, view, at, end);
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

function anyStructAt(orders: Plan['orders'], bytes: Uint8Array, view: DataView, at: number, end: number): number {
  for (let i = 0; i < orders.length; i++) {
    const stop = structAt(orders[i] ?? [], bytes, view, at, end, undefined, 0);
    if (stop >= 0) return stop;
  }
  return -1;
}

/**
 * As in the shape: the first field must be there, others may be left out.
 * @param into columns for the values, at `row`
 */
function structAt(
  members: readonly Member[],
  bytes: Uint8Array,
  view: DataView,
  start: number,
  end: number,
  into: readonly OpenColumn[] | undefined,
  row: number,
): number {
  if (bytes[start] !== OPEN_BRACE) return -1;
  let at = spacesAt(bytes, start + 1);
  for (let i = 0; i < members.length; i++) {
    const { name, value, place } = members[i] as Member;
    let next = i === 0 ? at : bytes[at] === COMMA ? at + 1 : -1;
    if (bytes[next] === SPACE) next = spacesAt(bytes, next);
    if (next >= 0 && name.isAt(bytes, view, next)) {
      next += name.length;
      if (bytes[next] === SPACE) next = spacesAt(bytes, next);
      at = valueAt(value, bytes, view, next, end);
      if (at < 0) return -1;
      const column = into?.[place];
      if (column !== undefined && !keepValue(value, column, row, bytes, next, at)) return -1;
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
