/**
 * What is kept of a record that could not be read: all of it, with the reason.
 *
 * Promise: key, value and headers are the record's own bytes, so that it can be read again once the reason is mended; topic,
 * partition and offset say which record it was.
 */
import { field, primitive, struct, type StructType } from '../core/schema.ts';
import { quoteString } from '../engine/quoting.ts';
import type { Positions } from './source.ts';

/** Why a record is in quarantine. */
export const RECORD_ERRORS = {
  /** The record has no value: a tombstone of a compacted topic. */
  NULL_VALUE: 'NULL_VALUE',
  /** The value is not text in UTF-8. */
  NOT_UTF8: 'NOT_UTF8',
  /** The value is text, but not JSON as RFC 8259 has it. */
  MALFORMED_JSON: 'MALFORMED_JSON',
  /** The value is JSON, but a list, a number, a text … instead of an object. */
  NOT_AN_OBJECT: 'NOT_AN_OBJECT',
  /** The object names a field twice, so that one of its values would be lost. */
  DUPLICATE_FIELD: 'DUPLICATE_FIELD',
  /** A NOT NULL column has no value. */
  NULL_FIELD: 'NULL_FIELD',
  /** A value does not fit its column's type, and there is no rescued data column. */
  TYPE_MISMATCH: 'TYPE_MISMATCH',
  /** A field is not in the schema, and there is no rescued data column. */
  UNKNOWN_FIELD: 'UNKNOWN_FIELD',
} as const;

/** The columns of a raw record, in the types of tables. */
export const RECORD_FIELDS = [
  field('topic', primitive('string')),
  field('partition', primitive('integer')),
  field('offset', primitive('long')),
  field('timestamp', primitive('timestamp')),
  field('key', primitive('binary')),
  field('value', primitive('binary')),
  field('headers', {
    kind: 'array',
    element: struct([field('key', primitive('string')), field('value', primitive('binary'))]),
    containsNull: true,
  }),
] as const;

/** The columns of each quarantine table. */
export const QUARANTINE_SCHEMA: StructType = struct([
  ...RECORD_FIELDS,
  field('error_code', primitive('string')),
  field('error_message', primitive('string')),
]);

/**
 * The bad records at or after the positions, as a relation; records of a partition without a position are all in it.
 * @example afterPositions('bad', new Map([['orders/0', 5n]])) // without offsets 0 to 4 of orders/0
 */
export function afterPositions(bad: string, positions: Positions): string {
  const before = [...positions].map(([partition, next]) => `(${quoteString(partition)}, ${String(next)})`);
  if (before.length === 0) return bad;
  const name = `bad.topic || '/' || bad."partition"`;
  return (
    `(SELECT bad.* FROM ${bad} AS bad WHERE NOT EXISTS (FROM (VALUES ${before.join(', ')}) AS p(name, next) ` +
    `WHERE p.name = ${name} AND bad."offset" < p.next))`
  );
}
