/**
 * Kinds of values that both engines compare and compute with alike, and what DuckDB's tree says of constants.
 *
 * Promise: pure.
 */
import { isJsonObject, type Json } from '../../core/json.ts';
import { refuse } from './respelled.ts';

/** What values of an expression can be compared and computed with. */
export type Family =
  | 'small'
  | 'integer'
  | 'decimal'
  | 'double'
  | 'text'
  | 'date'
  | 'timestamp'
  | 'timestamp_ntz'
  | 'boolean'
  | 'null'
  | 'date text'
  | 'other';

/** A date as both write it. */
export const DATE = /^\d{4}-\d\d-\d\d$/;

export function constantFamily(value: Json | undefined): Family {
  if (!isJsonObject(value)) return refuse('a value without a type');
  if (value['is_null'] === true) return 'null';
  const id = isJsonObject(value['type']) ? value['type']['id'] : undefined;
  switch (id) {
    case 'INTEGER':
    case 'BIGINT':
      return 'integer';
    case 'DECIMAL':
      return 'decimal';
    case 'DOUBLE':
      return 'double';
    case 'VARCHAR':
      return typeof value['value'] === 'string' && DATE.test(value['value']) ? 'date text' : 'text';
    default:
      return refuse(`a value of the type ${typeof id === 'string' ? id : 'unknown'}`);
  }
}

/** The value of a constant that is there in so many words; undefined for all else. */
export function constantOf(node: Json | undefined): Json | undefined {
  const value = isJsonObject(node) && node['type'] === 'VALUE_CONSTANT' ? node['value'] : undefined;
  return isJsonObject(value) && value['is_null'] !== true ? value['value'] : undefined;
}

export function isTime(family: Family): boolean {
  return family === 'date' || family === 'timestamp' || family === 'timestamp_ntz';
}

export function isText(family: Family): boolean {
  return family === 'text' || family === 'date text';
}

export function textOf(json: Json | undefined): string {
  return typeof json === 'string' ? json : '';
}

export function jsonList(json: Json | undefined): readonly Json[] {
  return Array.isArray(json) ? (json as readonly Json[]) : [];
}
