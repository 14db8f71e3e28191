/**
 * An export made ready: tables pinned, names and types checked, the join as SQL.
 *
 * Promise: whatever is wrong with the definition is told here, with its place in the file, before anything is written; an
 * expression whose value could differ from run to run is refused.
 */
import { SluiceError } from '../core/errors.ts';
import { isJsonObject, type Json } from '../core/json.ts';
import type { Field, StructType } from '../core/schema.ts';
import { typeName } from '../core/schema.ts';
import { nameAdvice } from '../core/suggest.ts';
import { quoteIdent, quoteString } from '../engine/quoting.ts';
import type { Session } from '../engine/session.ts';
import { walk } from '../engine/tree.ts';
import type { Catalog } from '../query/index.ts';
import type { Snapshot } from '../tables/index.ts';
import type { FeatureSet, FeatureView } from './feature-set.ts';
import { featureColumns, pointInTimeJoin, type ExportColumn } from './join.ts';

export interface ExportPlan {
  readonly snapshots: ReadonlyMap<string, Snapshot>;
  readonly columns: readonly ExportColumn[];
  /** For DuckDB: over the data files of the pinned versions. */
  readonly sql: string;
  /** The same for `sluice sql`: table names with VERSION AS OF. */
  readonly query: string;
}

type Path = readonly PropertyKey[];

/**
 * @param versions of tables to pin; the others are pinned at their latest
 * @throws SluiceError `UNKNOWN_TABLE`, `UNKNOWN_COLUMN`, `FEATURE_SET_INVALID`, `VERSION_NOT_FOUND`
 */
export async function planExport(
  set: FeatureSet,
  parts: { readonly catalog: Catalog; readonly session: Session; readonly versions?: ReadonlyMap<string, bigint> },
): Promise<ExportPlan> {
  const { catalog, session, versions = new Map<string, bigint>() } = parts;
  const snapshots = await pin(set, catalog, versions);
  const schemaOf = (table: string): StructType => snapshots.get(table)?.schema ?? { kind: 'struct', fields: [] };
  const relations = new Map<string, string>();
  for (const [table, snapshot] of snapshots) relations.set(table, await snapshot.relation());
  const relationOf = (table: string): string => relations.get(table) ?? '';

  const columns = await exportColumns(set, { session, schemaOf, relationOf });
  return {
    snapshots,
    columns,
    sql: pointInTimeJoin(set, relationOf, columns),
    query: pointInTimeJoin(set, (table) => versioned(table, snapshots.get(table)?.version ?? 0n), columns),
  };
}

/** What is known of the tables that a set reads, by the names that it gives them. */
export interface KnownTables {
  readonly session: Session;
  readonly schemaOf: (table: string) => StructType;
  /** SQL that has the columns of the table. */
  readonly relationOf: (table: string) => string;
}

/** The columns of an export. @throws SluiceError `UNKNOWN_COLUMN`, `FEATURE_SET_INVALID` */
export async function exportColumns(
  set: FeatureSet,
  { session, schemaOf, relationOf }: KnownTables,
): Promise<ExportColumn[]> {
  const { labels } = set;
  const labelSchema = schemaOf(labels.table);
  const labelField = (column: string, path: Path): Field => findField(set, labelSchema, labels.table, column, path);
  const entity = labels.entity.map((column) => labelField(column, ['labels', 'entity']));
  const time = timeField(set, labelSchema, labels.table, labels.time, ['labels', 'time']);
  const others = labels.columns.map((column, i) => labelField(column, ['labels', 'columns', i]));
  const columns: ExportColumn[] = [...entity, time, ...others].map(({ name, type }) => ({ name, type }));
  for (const [i, view] of set.views.entries()) {
    columns.push(
      ...(await viewColumns(set, view, i, {
        session,
        schema: schemaOf(view.table),
        relation: relationOf(view.table),
      })),
    );
  }
  return columns;
}

/** The tables that a set reads, with the place where each is first named. */
export function tablesOf(set: FeatureSet): Map<string, Path> {
  const tables = new Map<string, Path>([[set.labels.table, ['labels', 'table']]]);
  for (const [i, view] of set.views.entries()) {
    if (!tables.has(view.table)) tables.set(view.table, ['features', i, 'table']);
  }
  return tables;
}

export function unknownTable(set: FeatureSet, table: string, path: Path, names: readonly string[]): SluiceError {
  return set.source.error('UNKNOWN_TABLE', set.spanOf(path), `there is no table ${table}`, {
    advice: nameAdvice(table, names, `There are: ${names.join(', ')}. \`sluice run\` makes tables.`),
    facts: { table },
  });
}

async function pin(
  set: FeatureSet,
  catalog: Catalog,
  versions: ReadonlyMap<string, bigint>,
): Promise<Map<string, Snapshot>> {
  const names = await catalog.names();
  const wanted = tablesOf(set);
  const foreign = [...versions.keys()].find((table) => !wanted.has(table));
  if (foreign !== undefined) {
    throw new SluiceError('FEATURE_SET_INVALID', `${set.source.file}: ${set.name} does not read ${foreign}`, {
      advice: `Give versions for: ${[...wanted.keys()].join(', ')}.`,
      facts: { table: foreign, file: set.source.file },
    });
  }
  const snapshots = new Map<string, Snapshot>();
  for (const [table, path] of wanted) {
    const known = names.find((name) => name.toLowerCase() === table.toLowerCase());
    const opened = known === undefined ? undefined : await catalog.open(known);
    if (opened === undefined) throw unknownTable(set, table, path, names);
    snapshots.set(table, await opened.snapshot(versions.get(table)));
  }
  return snapshots;
}

async function viewColumns(
  set: FeatureSet,
  view: FeatureView,
  i: number,
  { session, schema, relation }: { session: Session; schema: StructType; relation: string },
): Promise<ExportColumn[]> {
  const at = (...rest: Path): Path => ['features', i, ...rest];
  for (const column of view.entity) findField(set, schema, view.table, column, at('entity'));
  timeField(set, schema, view.table, view.eventTime, at('event_time'));
  if (view.arrivalTime !== undefined) timeField(set, schema, view.table, view.arrivalTime, at('arrival_time'));
  for (const [j, { value }] of view.columns.entries()) {
    const path = at('columns', j);
    if (value.kind === 'column') findField(set, schema, view.table, value.column, path);
    else await checkExpression(set, value.sql, schema, relation, session, path);
  }
  const described = await session.describe(featureColumns(view, relation));
  return view.columns.map(({ name }, j) => ({ name, type: described[j]?.type }));
}

async function checkExpression(
  set: FeatureSet,
  sql: string,
  schema: StructType,
  relation: string,
  session: Session,
  path: Path,
): Promise<void> {
  const refuse = (what: string, advice: string | undefined, cause?: unknown): never => {
    throw set.source.error('FEATURE_SET_INVALID', set.spanOf(path), what, { advice, cause });
  };
  try {
    const tree = await session.serialize(`SELECT (${sql})`);
    const { names, bad } = inspect(tree, schema);
    if (bad !== undefined)
      refuse(`a feature cannot have ${bad}`, 'Compute it in a materialized view, and take its column.');
    const unstable = await session.rows(
      `SELECT function_name AS name FROM duckdb_functions() WHERE stability IN ('VOLATILE', 'CONSISTENT_WITHIN_QUERY') AND function_name IN (${['', ...names].map(quoteString).join(', ')})`,
    );
    const unstableName = unstable[0]?.['name'];
    if (typeof unstableName === 'string') {
      refuse(`${unstableName} differs from run to run, and an export must not`, 'Use the columns of the row.');
    }
    await session.describe(`SELECT (${sql}) FROM ${relation} AS t`);
  } catch (error) {
    if (!(error instanceof SluiceError) || !['SQL_SYNTAX', 'SQL_INVALID', 'QUERY_FAILED'].includes(error.code))
      throw error;
    refuse(error.message, `Columns of the table: ${schema.fields.map(({ name }) => name).join(', ')}.`, error);
  }
}

/** Functions that an expression calls (some are written as a bare name), and whatever it must not have. */
function inspect(tree: Json, schema: StructType): { names: string[]; bad: string | undefined } {
  const names: string[] = [];
  let bad: string | undefined;
  walk(tree, new Set(), (node) => {
    if (node['class'] === 'SUBQUERY') bad = 'a subquery';
    if (node['class'] === 'WINDOW') bad = 'a window';
    if (node['class'] === 'FUNCTION' && typeof node['function_name'] === 'string') {
      names.push(node['function_name'].toLowerCase());
    }
    const column = node['class'] === 'COLUMN_REF' ? node['column_names'] : undefined;
    const [only, ...more] = Array.isArray(column) ? (column as readonly Json[]).map(String) : [];
    const isColumn = schema.fields.some(({ name }) => name.toLowerCase() === only?.toLowerCase());
    if (only !== undefined && more.length === 0 && !isColumn) names.push(only.toLowerCase());
  });
  const statements = isJsonObject(tree) && Array.isArray(tree['statements']) ? tree['statements'].length : 0;
  return { names, bad: statements === 1 ? bad : 'several statements' };
}

function findField(set: FeatureSet, schema: StructType, table: string, column: string, path: Path): Field {
  const found = schema.fields.find(({ name }) => name.toLowerCase() === column.toLowerCase());
  if (found !== undefined) return found;
  const names = schema.fields.map(({ name }) => name);
  const expression = /\W/.test(column) ? " For an expression write 'name: expression'." : '';
  throw set.source.error('UNKNOWN_COLUMN', set.spanOf(path), `${table} has no column ${column}`, {
    advice: nameAdvice(column, names, `It has: ${names.join(', ')}.`) + expression,
    facts: { table, column },
  });
}

function timeField(set: FeatureSet, schema: StructType, table: string, column: string, path: Path): Field {
  const found = findField(set, schema, table, column, path);
  const { type } = found;
  if (type.kind === 'primitive' && ['timestamp', 'timestamp_ntz', 'date'].includes(type.name)) return found;
  throw set.source.error('FEATURE_SET_INVALID', set.spanOf(path), `${column} is ${typeName(type)}, not a time`, {
    advice: 'Use a timestamp or date column; cast it where the table is made.',
    facts: { table, column },
  });
}

/** @example versioned('silver.orders', 3n) // 'silver.orders VERSION AS OF 3' */
function versioned(table: string, version: bigint): string {
  const name = table.split('.').map((part) => (/^[a-z_][a-z0-9_]*$/.test(part) ? part : quoteIdent(part)));
  return `${name.join('.')} VERSION AS OF ${String(version)}`;
}
