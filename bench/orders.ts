/**
 * The records of the benches: orders of a shop, ~170 bytes of JSON each, and the schema that all sides read them with.
 *
 * Promise: the same seed gives the same records.
 */
import type { Random } from '../core/random.ts';

export const PARTITIONS = 4;

/** As read_kafka and as Spark's from_json take it: the same words. */
export const ORDER_SCHEMA =
  'order_id BIGINT, customer_id BIGINT, customer STRING, product STRING, quantity INT, amount DECIMAL(10,2), ' +
  'currency STRING, paid BOOLEAN, ts TIMESTAMP';

const CURRENCIES = ['EUR', 'USD', 'GBP', 'SEK'] as const;

export interface Order {
  readonly key: string;
  readonly value: string;
}

/** @param atMs the time of the order, milliseconds since the epoch */
export function order(id: number, atMs: number, random: Random): Order {
  const customer = random.int(1_000_000);
  const key = `customer-${String(customer).padStart(6, '0')}`;
  const product = `product-${String(random.int(10_000)).padStart(4, '0')}`;
  const amount = ((100 + random.int(99_900)) / 100).toFixed(2);
  const currency = CURRENCIES[random.int(CURRENCIES.length)] ?? 'EUR';
  const value =
    `{"order_id":${String(id)},"customer_id":${String(customer)},"customer":"${key}","product":"${product}",` +
    `"quantity":${String(1 + random.int(9))},"amount":${amount},"currency":"${currency}",` +
    `"paid":${random.int(10) < 9 ? 'true' : 'false'},"ts":"${new Date(atMs).toISOString()}"}`;
  return { key, value };
}
