/**
 * What decoding has learnt about the records of a flow, to be faster: the orders in which they name their fields, and what
 * recognises records in these orders.
 *
 * Promise: only speed depends on it. What was recognised before is not forgotten for what is new.
 */
import type { StructType } from '../../core/schema.ts';
import type { FieldOrders } from './field-orders.ts';
import { PlainRecords } from './plain.ts';
import { shapeOf } from './shape.ts';

export class Learnt {
  readonly plain: PlainRecords;
  readonly #schema: StructType;
  #orders: FieldOrders = new Map();
  #shape: string | undefined;

  constructor(schema: StructType) {
    this.#schema = schema;
    this.#shape = shapeOf(schema, this.#orders);
    this.plain = new PlainRecords(schema);
  }

  get orders(): FieldOrders {
    return this.#orders;
  }

  /** Undefined when the schema is too large for a regular expression. */
  get shape(): string | undefined {
    return this.#shape;
  }

  /** Whether there was something new. */
  learn(orders: FieldOrders): boolean {
    if (textOf(orders) === textOf(this.#orders)) return false;
    this.#orders = orders;
    this.#shape = shapeOf(this.#schema, orders) ?? this.#shape;
    this.plain.learn(orders);
    return true;
  }
}

function textOf(orders: FieldOrders): string {
  return JSON.stringify([...orders]);
}
