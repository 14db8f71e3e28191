/**
 * The orders in which records name their fields. JSON leaves them free; who recognises records by their text has to know.
 *
 * Promise: however many orders are known of how many structs, the ways through a record stay below a limit.
 */
import type { Field, StructType } from '../../core/schema.ts';

/**
 * The orders in which records name their fields: one list of names per order seen, for the record itself (path `''`) and for
 * each struct inside it (`/address`, `/items/0`). Producers keep to one or two; only speed depends on them.
 */
export type FieldOrders = ReadonlyMap<string, readonly (readonly string[])[]>;

/**
 * A struct's orders multiply with those of the struct around it, and so does the work: beyond this many, structs further
 * inside get fewer.
 */
const WAYS_MOST = 16;

/** Where in the record something is, and in which orders fields may come there. */
export interface Place {
  /** JSON pointer (RFC 6901), `''` for the record itself. */
  readonly path: string;
  readonly orders: FieldOrders;
  /** How many orders there may be from here on inwards. */
  readonly ways: number;
}

/** The record itself. */
export function everyWay(orders: FieldOrders): Place {
  return { path: '', orders, ways: WAYS_MOST };
}

export function inside(place: Place, name: string): Place {
  return { ...place, path: pathInside(place.path, name) };
}

/** The JSON pointer to a member of what `path` points to. */
export function pathInside(path: string, name: string): string {
  return `${path}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
}

/** The elements of a list. */
export function elementOf(place: Place): Place {
  return inside(place, '0');
}

/** The fields of a struct in each order that they may come in, without orders that lack a NOT NULL field; and where they are. */
export function inOrders(
  type: StructType,
  place: Place,
): { readonly all: readonly (readonly Field[])[]; readonly within: Place } {
  const own = type.fields.map((f) => f.name);
  const names = [...(place.orders.get(place.path) ?? []), own];
  const distinct = [...new Map(names.map((order) => [JSON.stringify(order), order])).values()];
  const all = distinct
    .map((order) => order.flatMap((name) => type.fields.filter((f) => f.name === name)))
    .filter((fields) => fields.length > 0 && type.fields.every((f) => f.nullable || fields.includes(f)))
    .slice(0, place.ways);
  return { all, within: { ...place, ways: Math.max(1, Math.floor(place.ways / Math.max(1, all.length))) } };
}
