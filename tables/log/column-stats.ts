/**
 * What the statistics of a file say of one column, from their JSON text.
 *
 * Promise: the same as a parse of the whole text gives; text that is no JSON says nothing. Statistics of the shape that writers
 * commonly give them (`SHAPE`) are matched as they stand, which takes a third of the time of a parse: a query looks at those of
 * every file. Source: Delta protocol, "Per-file Statistics".
 */
import { isJsonObject, parseJson, type Json, type JsonObject } from '../../core/json.ts';

export interface ColumnStats {
  readonly low: Json | undefined;
  readonly high: Json | undefined;
  /** Whether every row has NULL. */
  readonly isAllNull: boolean;
}

/** @example columnStatsReader('id')(file.stats)?.low */
export function columnStatsReader(column: string): (stats: string) => ColumnStats | undefined {
  const shape = shapeFor(column);
  return (stats) => {
    const [, records, low, high, nulls] = shape?.exec(stats) ?? [];
    if (records === undefined || low === undefined || high === undefined || nulls === undefined)
      return parsed(stats, column);
    return { low: parseJson(low), high: parseJson(high), isAllNull: nulls !== '0' && nulls === records };
  };
}

function parsed(text: string, column: string): ColumnStats | undefined {
  const stats = objectOf(text);
  if (stats === undefined) return undefined;
  const of = (name: string): Json | undefined => {
    const values = stats[name];
    return isJsonObject(values) && Object.hasOwn(values, column) ? values[column] : undefined;
  };
  const nulls = of('nullCount');
  return {
    low: of('minValues'),
    high: of('maxValues'),
    isAllNull: typeof nulls === 'number' && nulls > 0 && nulls === stats['numRecords'],
  };
}

function objectOf(text: string): JsonObject | undefined {
  try {
    const json = parseJson(text);
    return isJsonObject(json) ? json : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The whole text, without blanks, nested columns and escapes, in the order in which Spark, delta-rs and sluice write it, with
 * bounds of the column. No string in it has a quote, and so what looks like the name of a member is one.
 */
function shapeFor(column: string): RegExp | undefined {
  const name = JSON.stringify(column);
  if (name.includes('\\')) return undefined;
  const key = name.replaceAll(/[$()*+.?[\]^{|}]/g, '\\$&');
  const text = String.raw`"[^"\\\u0000-\u001f]*"`;
  const value = String.raw`(?:${text}|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?|true|false|null)`;
  const count = String.raw`(?:0|[1-9]\d{0,14})`;
  const member = `${text}:${value}`;
  const of = (wanted: string): string => String.raw`\{(?:${member},)*?${key}:(${wanted})(?:,${member})*\}`;
  const parts = [
    `"numRecords":(${count})`,
    `"minValues":${of(value)}`,
    `"maxValues":${of(value)}`,
    `"nullCount":${of(count)}`,
  ];
  return new RegExp(String.raw`^\{${parts.join(',')}(?:,"tightBounds":(?:true|false))?\}$`);
}
