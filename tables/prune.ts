/**
 * Which files can hold rows that a filter keeps, by partition values and statistics alone.
 *
 * Promise: pure, and a file is left out only when its statistics prove that no row of it can match.
 */
import { isJsonObject, parseJson, type Json } from '../core/json.ts';
import type { DataType, StructType } from '../core/schema.ts';
import type { AddFile } from './log/actions.ts';

/** One conjunct of a filter: `column op value`, the value as DuckDB writes it. */
export interface Condition {
  readonly column: string;
  readonly op: '=' | '<' | '<=' | '>' | '>=';
  readonly value: string | number | bigint;
}

/** @example prune(files, schema, ['day'], [{ column: 'day', op: '=', value: '2026-01-02' }]) */
export function prune(
  files: readonly AddFile[],
  schema: StructType,
  partitionColumns: readonly string[],
  conditions: readonly Condition[],
): readonly AddFile[] {
  const known = conditions.flatMap((condition) => {
    const field = schema.fields.find(({ name }) => name.toLowerCase() === condition.column.toLowerCase());
    return field === undefined ? [] : [{ ...condition, column: field.name, type: field.type }];
  });
  if (known.length === 0) return files;
  return files.filter((file) => {
    let stats: Json | undefined;
    return known.every((condition) => {
      if (partitionColumns.includes(condition.column)) {
        const value = file.partitionValues[condition.column];
        return value !== null && value !== undefined && value !== '' && canMatch(condition, value, value);
      }
      stats ??= file.stats === undefined ? null : parseStats(file.stats);
      if (!isJsonObject(stats)) return true;
      const { minValues, maxValues } = stats;
      const min = isJsonObject(minValues) ? minValues[condition.column] : undefined;
      const max = isJsonObject(maxValues) ? maxValues[condition.column] : undefined;
      return canMatch(condition, min, max);
    });
  });
}

function parseStats(text: string): Json {
  try {
    return parseJson(text);
  } catch {
    return null;
  }
}

function canMatch(
  condition: Condition & { readonly type: DataType },
  min: Json | undefined,
  max: Json | undefined,
): boolean {
  const { op, type } = condition;
  const value = comparable(condition.value, type);
  const low = comparable(min, type);
  const high = comparable(max, type);
  if (value === undefined) return true;
  const below = low !== undefined && (op === '<' ? value <= low : value < low);
  const above = high !== undefined && (op === '>' ? value >= high : value > high);
  if (op === '=') return !(below || above);
  return op === '<' || op === '<=' ? !below : !above;
}

/** A value in a form where JavaScript's order is the column's order, or undefined where it is not sure to be. */
function comparable(value: Json | undefined, type: DataType): number | bigint | string | undefined {
  if (value === undefined || value === null || typeof value === 'object' || typeof value === 'boolean')
    return undefined;
  if (type.kind === 'decimal') return finite(value);
  if (type.kind !== 'primitive') return undefined;
  switch (type.name) {
    case 'long':
    case 'integer':
    case 'short':
    case 'byte':
      if (typeof value === 'string') return /^-?\d+$/.test(value) ? BigInt(value) : undefined;
      return typeof value === 'bigint' || Number.isInteger(value) ? BigInt(value) : value;
    case 'float':
    case 'double':
      return finite(value);
    case 'date':
      return typeof value === 'string' && /^\d{4}-\d\d-\d\d$/.test(value) ? value : undefined;
    default:
      return undefined;
  }
}

function finite(value: string | number | bigint): number | undefined {
  const number = Number(value);
  return Number.isFinite(number) ? number : undefined;
}
