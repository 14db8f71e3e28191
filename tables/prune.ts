/**
 * Which files can hold rows that a filter keeps, by partition values and statistics alone.
 *
 * Promise: pure, and a file is left out only when its partition values or statistics prove that no row of it can match,
 * whoever wrote them. Source: Delta protocol, "Per-file Statistics" (strings may be cut, timestamps are cut to milliseconds).
 */
import { isJsonObject, parseJson, type Json, type JsonObject } from '../core/json.ts';
import { primitive, type DataType, type Field } from '../core/schema.ts';
import { isPadded } from './char-columns.ts';
import { physicalName } from './column-mapping.ts';
import type { AddFile } from './log/actions.ts';
import type { RelationShape } from './relation.ts';
import { compareUtf8 } from './store/object-store.ts';

/** One conjunct of a filter: `column op value`, the value as DuckDB writes it. */
export interface Condition {
  readonly column: string;
  readonly op: '=' | '<' | '<=' | '>' | '>=';
  readonly value: string | number | bigint;
}

/** `column` is the name that the log has. */
interface TypedCondition extends Condition {
  readonly type: DataType;
}

type Comparable = number | bigint | string;

/** @example prune(files, { schema, partitionColumns: ['day'], mapping: 'none' }, [{ column: 'day', op: '=', value: '2026-01-02' }]) */
export function prune(
  files: readonly AddFile[],
  { schema, partitionColumns, mapping }: RelationShape,
  conditions: readonly Condition[],
): readonly AddFile[] {
  const known = conditions.flatMap((condition) => {
    const field = schema.fields.find(({ name }) => name.toLowerCase() === condition.column.toLowerCase());
    // What is read with spaces at its end is bounded without them.
    if (field === undefined || isPadded(field)) return [];
    const isPartition = partitionColumns.includes(field.name);
    return [{ ...condition, column: physicalName(field, mapping), type: comparedAs(field), isPartition }];
  });
  if (known.length === 0) return files;
  const byPartition = known.filter(({ isPartition }) => isPartition);
  const byStats = known.filter(({ isPartition }) => !isPartition);
  return files.filter(
    (file) =>
      byPartition.every((condition) => partitionCanMatch(condition, file)) &&
      (byStats.length === 0 || statsCanMatch(byStats, file)),
  );
}

/**
 * A column that was widened from FLOAT has bounds in old files that were written as FLOATs: 0.7 there is 0.699999988, and so
 * they bound its values as FLOATs only.
 */
function comparedAs({ type, metadata }: Field): DataType {
  const wasWidened = metadata['delta.typeChanges'] !== undefined;
  return wasWidened && type.kind === 'primitive' && type.name === 'double' ? primitive('float') : type;
}

function partitionCanMatch(condition: TypedCondition, { partitionValues }: AddFile): boolean {
  const value = partitionValues[condition.column];
  if (value === null || value === undefined || value === '') return false;
  const exact = comparable(value, condition.type);
  return canMatch(condition, exact, exact);
}

function statsCanMatch(conditions: readonly TypedCondition[], file: AddFile): boolean {
  const stats = file.stats === undefined ? undefined : parseStats(file.stats);
  if (stats === undefined) return true;
  const of = (name: string, column: string): Json | undefined => {
    const values = stats[name];
    return isJsonObject(values) ? values[column] : undefined;
  };
  return conditions.every((condition) => {
    const { column, type } = condition;
    const nulls = of('nullCount', column);
    if (typeof nulls === 'number' && nulls > 0 && nulls === stats['numRecords']) return false;
    const high = comparable(of('maxValues', column), type);
    return canMatch(condition, comparable(of('minValues', column), type), isInstant(type) ? endOfMs(high) : high);
  });
}

function parseStats(text: string): JsonObject | undefined {
  try {
    const json = parseJson(text);
    return isJsonObject(json) ? json : undefined;
  } catch {
    return undefined;
  }
}

function canMatch(condition: TypedCondition, low: Comparable | undefined, high: Comparable | undefined): boolean {
  const { op, type } = condition;
  const value = comparable(condition.value, type);
  if (value === undefined) return true;
  const exact = !isRounded(type);
  const below = low !== undefined && isBefore(value, low, type, exact && op === '<');
  const above = high !== undefined && isBefore(high, value, type, exact && op === '>');
  if (op === '=') return !(below || above);
  if (op === '<' || op === '<=') return !below;
  return !above || mayBeNan(type);
}

/** Whether `a` certainly comes before `b` in the column's order (or is it, where `orSame`). */
function isBefore(a: Comparable, b: Comparable, type: DataType, orSame: boolean): boolean {
  if (typeof a === 'string' && typeof b === 'string') return compareUtf8(a, b) < (orSame ? 1 : 0);
  if (type.kind === 'primitive' && type.name === 'float') {
    // DuckDB compares as FLOAT or as DOUBLE, as the literal has it: the answer must hold for both.
    return Math.fround(Number(a)) < Math.fround(Number(b)) && (Number(a) < Number(b) || a === b);
  }
  return orSame ? a <= b : a < b;
}

/** NaN counts as the greatest value in DuckDB, and statistics may leave it out. */
function mayBeNan(type: DataType): boolean {
  return type.kind === 'primitive' && (type.name === 'float' || type.name === 'double');
}

/** Types compared as doubles: only a strict order of the rounded values proves the order of the true ones. */
function isRounded(type: DataType): boolean {
  return type.kind === 'decimal' || mayBeNan(type);
}

function isInstant(type: DataType): boolean {
  return type.kind === 'primitive' && (type.name === 'timestamp' || type.name === 'timestamp_ntz');
}

/** Other writers cut a maximum down to milliseconds. */
function endOfMs(high: Comparable | undefined): Comparable | undefined {
  return typeof high === 'bigint' ? high + 999n : high;
}

/** A value in a form where JavaScript's order is the column's order, or undefined where it is not sure to be. */
function comparable(value: Json | undefined, type: DataType): Comparable | undefined {
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
      return typeof value === 'bigint' || Number.isInteger(value) ? BigInt(value) : finite(value);
    case 'float':
    case 'double':
      return finite(value);
    case 'date':
      return typeof value === 'string' && /^\d{4}-\d\d-\d\d$/.test(value) ? value : undefined;
    case 'timestamp':
    case 'timestamp_ntz':
      return typeof value === 'string' ? instantMicros(value, type.name === 'timestamp') : undefined;
    case 'string':
      return typeof value === 'string' ? value : undefined;
    case 'boolean':
    case 'binary':
      return undefined;
  }
}

function finite(value: string | number | bigint): number | undefined {
  if (typeof value === 'string' && !/^-?\d/.test(value)) return undefined;
  const number = Number(value);
  return Number.isFinite(number) ? number : undefined;
}

/** Microseconds since the epoch; without a zone the text is in UTC, as everywhere in sluice. */
function instantMicros(text: string, zoned: boolean): bigint | undefined {
  const match = /^(\d{4}-\d\d-\d\d)(?:[ T](\d\d:\d\d:\d\d)(?:\.(\d{1,6}))?(Z|[+-]\d\d(?::?\d\d)?)?)?$/.exec(text);
  if (match === null) return undefined;
  const [, day = '', time = '00:00:00', fraction = '', zone = ''] = match;
  if (zone !== '' && !zoned) return undefined;
  const ms = Date.parse(`${day}T${time}Z`);
  if (Number.isNaN(ms)) return undefined;
  const offset = /^([+-])(\d\d):?(\d\d)?$/.exec(zone);
  const minutes =
    offset === null ? 0 : Number(`${offset[1] ?? ''}1`) * (Number(offset[2]) * 60 + Number(offset[3] ?? 0));
  return BigInt(ms - minutes * 60_000) * 1000n + BigInt(fraction.padEnd(6, '0'));
}
