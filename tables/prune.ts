/**
 * Which files can hold rows that a filter keeps, by partition values and statistics alone.
 *
 * Promise: pure, and a file is left out only when its partition values or statistics prove that no row of it can match,
 * whoever wrote them. Source: Delta protocol, "Per-file Statistics" (strings may be cut, timestamps are cut to milliseconds).
 */
import type { Json } from '../core/json.ts';
import { primitive, type DataType, type Field } from '../core/schema.ts';
import { isPadded } from './char-columns.ts';
import { physicalName } from './column-mapping.ts';
import type { AddFile } from './log/actions.ts';
import { columnStatsReader } from './log/column-stats.ts';
import type { RelationShape } from './relation.ts';
import { compareUtf8 } from './store/object-store.ts';

/** One conjunct of a filter: `column op value`, the value as DuckDB writes it. */
export interface Condition {
  readonly column: string;
  readonly op: '=' | '<' | '<=' | '>' | '>=';
  readonly value: string | number | bigint;
}

interface TypedCondition {
  readonly op: Condition['op'];
  readonly type: DataType;
  /** Undefined where nothing can be told by it. */
  readonly wanted: Comparable | undefined;
}

/** All that is asked of a column; `name` is the one that the log has. */
interface Asked {
  readonly name: string;
  readonly conditions: TypedCondition[];
}

type Comparable = number | bigint | string;

/** @example prune(files, { schema, partitionColumns: ['day'], mapping: 'none' }, [{ column: 'day', op: '=', value: '2026-01-02' }]) */
export function prune(
  files: readonly AddFile[],
  { schema, partitionColumns, mapping }: RelationShape,
  conditions: readonly Condition[],
): readonly AddFile[] {
  const byPartition = new Map<string, Asked>();
  const byStats = new Map<string, Asked>();
  for (const { column, op, value } of conditions) {
    const field = schema.fields.find(({ name }) => name.toLowerCase() === column.toLowerCase());
    // What is read with spaces at its end is bounded without them.
    if (field === undefined || isPadded(field)) continue;
    const kind = partitionColumns.includes(field.name) ? byPartition : byStats;
    const asked = kind.get(field.name) ?? { name: physicalName(field, mapping), conditions: [] };
    const type = comparedAs(field);
    asked.conditions.push({ op, type, wanted: comparable(value, type) });
    kind.set(field.name, asked);
  }
  if (byPartition.size === 0 && byStats.size === 0) return files;
  const tests = [...[...byPartition.values()].map(partitionTest), ...[...byStats.values()].map(statsTest)];
  return files.filter((file) => tests.every((canHave) => canHave(file)));
}

/**
 * A column that was widened from FLOAT has bounds in old files that were written as FLOATs: 0.7 there is 0.699999988, and so
 * they bound its values as FLOATs only.
 */
function comparedAs({ type, metadata }: Field): DataType {
  const wasWidened = metadata['delta.typeChanges'] !== undefined;
  return wasWidened && type.kind === 'primitive' && type.name === 'double' ? primitive('float') : type;
}

function partitionTest({ name, conditions }: Asked): (file: AddFile) => boolean {
  return ({ partitionValues }) => {
    const value = partitionValues[name];
    if (value === null || value === undefined || value === '') return false;
    return conditions.every((condition) => {
      const exact = comparable(value, condition.type);
      return canMatch(condition, exact, exact);
    });
  };
}

function statsTest({ name, conditions }: Asked): (file: AddFile) => boolean {
  const read = columnStatsReader(name);
  return (file) => {
    const stats = file.stats === undefined ? undefined : read(file.stats);
    if (stats === undefined) return true;
    if (stats.isAllNull) return false;
    return conditions.every((condition) => {
      const { type } = condition;
      const high = comparable(stats.high, type);
      return canMatch(condition, comparable(stats.low, type), isInstant(type) ? endOfMs(high) : high);
    });
  };
}

function canMatch(condition: TypedCondition, low: Comparable | undefined, high: Comparable | undefined): boolean {
  const { op, type, wanted } = condition;
  if (wanted === undefined) return true;
  const exact = !isRounded(type);
  const below = low !== undefined && isBefore(wanted, low, type, exact && op === '<');
  const above = high !== undefined && isBefore(high, wanted, type, exact && op === '>');
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
