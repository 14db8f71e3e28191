/**
 * Rows that a query brings to a table: which columns they have, and how they are staged as rows of the table.
 *
 * Promise: columns are found by name, whatever their case; one that the rows lack gets its default, or is NULL.
 */
import { SluiceError } from '../../core/errors.ts';
import { stringifyJson } from '../../core/json.ts';
import { field, struct, type StructType } from '../../core/schema.ts';
import { quoteIdent } from '../../engine/quoting.ts';
import type { Session } from '../../engine/session.ts';
import { columnsToFill } from '../defaults/columns.ts';
import type { Snapshot } from '../snapshot.ts';
import { explained } from './shared.ts';
import type { Stepwise } from './steps.ts';

export interface NewRows extends Stepwise {
  /** A query; it is run again when the operation is made anew. */
  readonly source: string;
  /** Columns, and fields of structs, that the table lacks are added to it. @default false */
  readonly mergeSchema?: boolean;
  /** Aborted to stop before the commit. */
  readonly signal?: AbortSignal;
}

/**
 * The columns of a query as a table can have them.
 * @throws SluiceError `SQL_*` for a query that is none, `TYPE_UNSUPPORTED`
 */
export async function schemaOfRows(session: Session, source: string, table: string): Promise<StructType> {
  const columns = await session.describe(source).catch((error: unknown) => {
    throw explained(error, 'the source', table, 'Try it with `sluice sql` first.');
  });
  return struct(
    columns.map(({ name, type, duckdbType }) => {
      if (type !== undefined) return field(name, type);
      throw new SluiceError(
        'TYPE_UNSUPPORTED',
        `${table}: the column ${name} is ${duckdbType}, which no Delta table has`,
        {
          advice: 'Cast it in the query.',
          facts: { table, column: name, type: duckdbType },
        },
      );
    }),
  );
}

/** A query with the columns of a table, but those that get a default; and which these columns are. */
export function asRowsOf(
  schema: StructType,
  source: string,
  rows: StructType,
): { readonly query: string; readonly schema: StructType } {
  const given = new Map(rows.fields.map(({ name }) => [name.toLowerCase(), name]));
  const filled = columnsToFill(schema, rows);
  const own = schema.fields.filter((field) => !filled.includes(field));
  const columns = own.map(({ name }) => {
    const found = given.get(name.toLowerCase());
    return `${found === undefined ? 'NULL' : `s.${quoteIdent(found)}`} AS ${quoteIdent(name)}`;
  });
  return { query: `SELECT ${columns.join(', ')} FROM (${source}\n) AS s`, schema: struct(own) };
}

/** @throws SluiceError `SCHEMA_INCOMPATIBLE` when a table is partitioned otherwise. @param otherwise what else there is to do */
export function checkPartitioning(snapshot: Snapshot, wanted: readonly string[], otherwise: string): void {
  const { location: table, partitionColumns } = snapshot;
  if (stringifyJson(partitionColumns) === stringifyJson(wanted)) return;
  const shown = (columns: readonly string[]): string => (columns.length === 0 ? 'no column' : columns.join(', '));
  throw new SluiceError(
    'SCHEMA_INCOMPATIBLE',
    `${table} is partitioned by ${shown(partitionColumns)}, and the rows by ${shown(wanted)}`,
    { advice: `Leave partitionColumns out, ${otherwise}.`, facts: { table, partitionColumns, wanted } },
  );
}
