/**
 * The statistics of an `add` action, from those that DuckDB hands back with a file.
 *
 * Promise: every bound is a true bound (a long string's maximum is cut upwards, a timestamp's rounded up), integers keep
 * their digits, and what JSON cannot say (NaN, infinity) is left out. Source: Delta protocol, "Per-file Statistics".
 */
import { stringifyJson, type Json } from '../../core/json.ts';
import type { DataType, StructType } from '../../core/schema.ts';
import type { ColumnStats, ParquetFile } from '../../engine/parquet.ts';

const PREFIX = 32;
type Tree = { [key: string]: Json };

/**
 * @param schema as the file has it
 * @param isIndexed whether a column has statistics, by its path in the file
 * @example fileStats(file, schema, () => true) // '{"numRecords":2,"minValues":{"a":1},"maxValues":{"a":2},"nullCount":{"a":0}}' */
export function fileStats(
  file: Pick<ParquetFile, 'rows' | 'columns'>,
  schema: StructType,
  isIndexed: (path: readonly string[]) => boolean,
): string {
  const [minValues, maxValues, nullCount]: [Tree, Tree, Tree] = [newTree(), newTree(), newTree()];
  for (const column of file.columns) {
    const type = leafType(schema, column.path);
    if (type === undefined || !isIndexed(column.path)) continue;
    if (column.nullCount !== undefined) put(nullCount, column.path, column.nullCount);
    const bounds = boundsOf(column, type);
    if (bounds === undefined) continue;
    put(minValues, column.path, bounds[0]);
    if (bounds[1] !== undefined) put(maxValues, column.path, bounds[1]);
  }
  return stringifyJson({ numRecords: file.rows, minValues, maxValues, nullCount });
}

/** The type of a column at a path of struct fields; undefined inside arrays and maps, which have no statistics. */
function leafType(schema: StructType, path: readonly string[]): DataType | undefined {
  let type: DataType = schema;
  for (const name of path) {
    if (type.kind !== 'struct') return undefined;
    const next: DataType | undefined = type.fields.find((field) => field.name === name)?.type;
    if (next === undefined) return undefined;
    type = next;
  }
  return type.kind === 'primitive' || type.kind === 'decimal' ? type : undefined;
}

/** Whether a column of a type can have bounds. */
export function hasBounds(type: DataType): boolean {
  return type.kind === 'decimal' || (type.kind === 'primitive' && type.name !== 'binary' && type.name !== 'boolean');
}

function boundsOf({ min, max, hasNan }: ColumnStats, type: DataType): [Json, Json | undefined] | undefined {
  if (min === undefined || max === undefined || hasNan === true) return undefined;
  if (type.kind === 'decimal') return exact(min) && exact(max) ? [Number(min), Number(max)] : undefined;
  if (type.kind !== 'primitive') return undefined;
  switch (type.name) {
    case 'long':
    case 'integer':
    case 'short':
    case 'byte':
      return [BigInt(min), BigInt(max)];
    case 'float':
    case 'double': {
      const bounds: [number, number] = [Number(min), Number(max)];
      return bounds.every(Number.isFinite) ? bounds : undefined;
    }
    case 'date':
      return isDate(min) && isDate(max) ? [min, max] : undefined;
    case 'timestamp':
    case 'timestamp_ntz': {
      const zone = type.name === 'timestamp' ? 'Z' : '';
      const [low, high] = [toMillis(min, false), toMillis(max, true)];
      return low === undefined || high === undefined ? undefined : [`${low}${zone}`, `${high}${zone}`];
    }
    case 'string':
      return [lowerPrefix(min), upperPrefix(max)];
    case 'boolean':
    case 'binary':
      return undefined;
  }
}

function lowerPrefix(text: string): string {
  return text.length <= PREFIX ? text : Array.from(text).slice(0, PREFIX).join('');
}

/** A prefix of the text that still sorts after it, or undefined when there is none. */
function upperPrefix(text: string): string | undefined {
  const points = Array.from(text);
  if (points.length <= PREFIX) return text;
  for (let length = PREFIX; length > 0; length--) {
    const code = points[length - 1]?.codePointAt(0) ?? 0;
    const next = code === 0xd7ff ? 0xe000 : code + 1;
    if (next <= 0x10ffff) return points.slice(0, length - 1).join('') + String.fromCodePoint(next);
  }
  return undefined;
}

function isDate(text: string): boolean {
  return /^\d{4}-\d\d-\d\d$/.test(text);
}

/** `2026-01-02 03:04:05.678901+00` to `2026-01-02T03:04:05.678`, or `.679` when rounded up. */
function toMillis(text: string, up: boolean): string | undefined {
  const match = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)(?:\.(\d+))?(?:\+00)?$/.exec(text);
  if (match === null) return undefined;
  const [, day = '', time = '', fraction = ''] = match;
  const micros = fraction.padEnd(6, '0');
  const ms = Date.parse(`${day}T${time}.${micros.slice(0, 3)}Z`);
  const rounded = new Date(up && Number(micros.slice(3)) > 0 ? ms + 1 : ms).toISOString();
  return rounded.startsWith('+') ? undefined : rounded.slice(0, -1);
}

/** Without a prototype: a column may have any name, `__proto__` too. */
function newTree(): Tree {
  return Object.create(null) as Tree;
}

function put(tree: Tree, path: readonly string[], value: Json): void {
  let node = tree;
  for (const name of path.slice(0, -1)) {
    const child = (node[name] ??= newTree());
    node = child as Tree;
  }
  const leaf = path.at(-1);
  if (leaf !== undefined) node[leaf] = value;
}

/** Whether a double holds these digits, and so JSON's numbers do. */
function exact(digits: string): boolean {
  return digits.replaceAll(/[^\d]/g, '').replace(/^0+/, '').length <= 15;
}
