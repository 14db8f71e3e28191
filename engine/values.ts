/**
 * DuckDB values as plain JavaScript ones.
 *
 * Promise: no digit is lost. 64-bit and wider integers are `bigint`; decimals, dates and timestamps are DuckDB's own text
 * (timestamps with time zone in UTC); a map is an array of `{key, value}` since its keys may be anything.
 */
import {
  DuckDBBlobValue,
  DuckDBListValue,
  DuckDBArrayValue,
  DuckDBMapValue,
  DuckDBStructValue,
  DuckDBTimestampTZValue,
  DuckDBUnionValue,
  type DuckDBValue,
} from '@duckdb/node-api';

export type Value =
  null | boolean | number | bigint | string | Uint8Array | readonly Value[] | { readonly [key: string]: Value };
export type Row = Readonly<Record<string, Value>>;

DuckDBTimestampTZValue.timezoneOffsetInMinutes = 0;

export function fromDuckDB(value: DuckDBValue): Value {
  if (value === null || typeof value !== 'object') return value;
  if (value instanceof DuckDBBlobValue) return value.bytes;
  if (value instanceof DuckDBListValue || value instanceof DuckDBArrayValue) return value.items.map(fromDuckDB);
  if (value instanceof DuckDBStructValue) {
    return Object.fromEntries(Object.entries(value.entries).map(([name, entry]) => [name, fromDuckDB(entry)]));
  }
  if (value instanceof DuckDBMapValue) {
    return value.entries.map((entry) => ({ key: fromDuckDB(entry.key), value: fromDuckDB(entry.value) }));
  }
  if (value instanceof DuckDBUnionValue) return fromDuckDB(value.value);
  return String(value);
}

/** A scalar as DuckDB writes it; null and what has parts are the empty text. */
export function textOf(value: Value | undefined): string {
  return value === undefined || value === null || typeof value === 'object' ? '' : String(value);
}
