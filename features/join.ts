/**
 * The point-in-time join of a feature set, as SQL.
 *
 * Promise: pure. Each label row is there exactly once, with the values of the latest feature row that had happened *and* was
 * known at its time. Latest is by event time, then arrival time, then the values themselves (NULLs first), so that the same
 * rows give the same result in whatever order they are stored. The rows of the result have one order and no other.
 *
 * How: with an arrival time, a row counts from the later of its two times. For each entity a running maximum over the rows in
 * that order says which row is the latest at any moment, and one ASOF join per feature finds the moment of the label: no
 * label meets all rows of its entity.
 */
import type { DataType } from '../core/schema.ts';
import { quoteIdent } from '../engine/quoting.ts';
import type { FeatureColumn, FeatureSet, FeatureView } from './feature-set.ts';

/** A column of the export. */
export interface ExportColumn {
  readonly name: string;
  /** Undefined where Delta has no such type. */
  readonly type: DataType | undefined;
}

/**
 * @param relationOf from the name of a table to what stands in its place in a FROM clause
 * @param columns of the export, for the order of its rows
 */
export function pointInTimeJoin(
  set: FeatureSet,
  relationOf: (table: string) => string,
  columns: readonly ExportColumn[],
): string {
  const { labels, views } = set;
  const keys = labels.entity.map((_, i) => `k${String(i)}`);
  const labelColumns = [...labels.entity, labels.time, ...labels.columns];
  const ctes = views.flatMap((view, i) => viewCtes(view, i, relationOf(view.table), columns));
  const selected = [
    ...labelColumns.map((column) => `l.${quoteIdent(column)}`),
    ...views.flatMap((view, i) => view.columns.map((column) => featureValue(view, column, i))),
  ];
  const joins = views.map((_, i) => {
    const [steps, rows] = [`s${String(i)}`, `f${String(i)}`];
    const onEntity = keys.map((key, n) => `l.${quoteIdent(labels.entity[n] ?? '')} = ${steps}.${key}`);
    const onRow = keys.map((key) => `${rows}.${key} = ${steps}.${key}`);
    return [
      `ASOF LEFT JOIN steps_${String(i)} AS ${steps} ON ${[...onEntity, `l.label_at >= ${steps}.known_at`].join(' AND ')}`,
      `LEFT JOIN rows_${String(i)} AS ${rows} ON ${[...onRow, `${rows}.rank = ${steps}.rank`].join(' AND ')}`,
    ].join('\n');
  });
  const labelRows = `SELECT ${labelColumns.map(quoteIdent).join(', ')}, ${instant(labels.time)} AS label_at FROM ${relationOf(labels.table)} AS t`;
  return `WITH labels AS (${labelRows})${ctes.map((cte) => `,\n${cte}`).join('')}
SELECT ${selected.join(', ')}
FROM labels AS l
${joins.join('\n')}
ORDER BY ${columns.flatMap((column) => sortKeys(column, 'LAST')).join(', ')}`;
}

/** The values of a feature view over its source, for a look at their types. */
export function featureColumns(view: FeatureView, relation: string): string {
  return `SELECT ${view.columns.map(({ value }) => valueSql(value)).join(', ')} FROM ${relation} AS t`;
}

function viewCtes(view: FeatureView, i: number, relation: string, columns: readonly ExportColumn[]): string[] {
  const keys = view.entity.map((column, n) => `${quoteIdent(column)} AS k${String(n)}`);
  const keyNames = view.entity.map((_, n) => `k${String(n)}`).join(', ');
  const values = view.columns.map(({ value }, n) => `${valueSql(value)} AS v${String(n)}`);
  const times = [view.eventTime, ...(view.arrivalTime === undefined ? [] : [view.arrivalTime])];
  const present = [...view.entity, ...times].map((column) => `${quoteIdent(column)} IS NOT NULL`);
  const happened = instant(view.eventTime);
  const arrived = view.arrivalTime === undefined ? happened : instant(view.arrivalTime);
  const order = view.columns.flatMap(({ name }, n) => {
    const type = columns.find((column) => column.name === name)?.type;
    return sortKeys({ name: `v${String(n)}`, type }, 'FIRST');
  });
  const number = String(i);
  return [
    `source_${number} AS (SELECT ${[...keys, `${happened} AS happened_at`, `${arrived} AS arrived_at`, ...values].join(', ')}
  FROM ${relation} AS t WHERE ${present.join(' AND ')})`,
    `rows_${number} AS (SELECT *, greatest(happened_at, arrived_at) AS known_at,
  row_number() OVER (PARTITION BY ${keyNames} ORDER BY ${['happened_at', 'arrived_at', ...order].join(', ')}) AS rank FROM source_${number})`,
    `steps_${number} AS (SELECT ${keyNames}, known_at, max(max(rank)) OVER (PARTITION BY ${keyNames} ORDER BY known_at) AS rank
  FROM rows_${number} GROUP BY ${keyNames}, known_at)`,
  ];
}

function featureValue(view: FeatureView, column: FeatureColumn, i: number): string {
  const value = `f${String(i)}.v${String(view.columns.indexOf(column))}`;
  const name = quoteIdent(column.name);
  if (view.ttlMs === undefined) return `${value} AS ${name}`;
  const ttl = `to_microseconds(${String(view.ttlMs)}000)`;
  return `CASE WHEN f${String(i)}.happened_at + ${ttl} >= l.label_at THEN ${value} END AS ${name}`;
}

/** Any date or timestamp as one point in time; those without a time zone are UTC. */
function instant(column: string): string {
  return `CAST(t.${quoteIdent(column)} AS TIMESTAMPTZ)`;
}

function valueSql(value: FeatureColumn['value']): string {
  return value.kind === 'column' ? `t.${quoteIdent(value.column)}` : `(${value.sql})`;
}

/** Values that compare as equal but are written differently (0.0 and -0.0) are told apart by their text. */
function sortKeys({ name, type }: ExportColumn, nulls: 'FIRST' | 'LAST'): string[] {
  const column = quoteIdent(name);
  const own = `${column} ASC NULLS ${nulls}`;
  const exact =
    type?.kind === 'decimal' || (type?.kind === 'primitive' && type.name !== 'float' && type.name !== 'double');
  return exact ? [own] : [own, `CAST(${column} AS VARCHAR) ASC NULLS ${nulls}`];
}
