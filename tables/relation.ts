/**
 * A set of data files as one SQL relation that DuckDB reads.
 *
 * Promise: exactly the table's columns, names and types, in order; a column that a file does not have is NULL; partition
 * values come from the log and never from a path.
 */
import type { Field, StructType } from '../core/schema.ts';
import { quoteIdent, quoteString } from '../engine/quoting.ts';
import { duckdbType } from '../engine/types.ts';
import type { AddFile } from './log/actions.ts';

export interface RelationFile {
  readonly file: AddFile;
  /** Where DuckDB finds it. */
  readonly localPath: string;
}

/** A parenthesised SELECT over the files. */
export function relationOf(
  schema: StructType,
  partitionColumns: readonly string[],
  files: readonly RelationFile[],
): string {
  const isPartition = (field: Field): boolean => partitionColumns.includes(field.name);
  const stored = schema.fields.filter((field) => !isPartition(field));
  const empty = `SELECT ${schema.fields.map(typedNull).join(', ')} WHERE false`;
  if (files.length === 0) return `(${empty})`;
  const paths = `[${files.map(({ localPath }) => quoteString(localPath)).join(', ')}]`;
  const partitioned = partitionColumns.length > 0;
  const scan = `read_parquet(${paths}, union_by_name=true, hive_partitioning=false${partitioned ? `, filename='__sluice_file'` : ''})`;
  const shape = stored.length === 0 ? '' : `SELECT ${stored.map(typedNull).join(', ')} WHERE false UNION ALL BY NAME `;
  const rows = `(${shape}SELECT * FROM ${scan})`;
  const column = (field: Field): string =>
    `CAST(${isPartition(field) ? 'p' : 'f'}.${quoteIdent(field.name)} AS ${duckdbType(field.type)}) AS ${quoteIdent(field.name)}`;
  const columns = schema.fields.map(column).join(', ');
  if (!partitioned) return `(SELECT ${columns} FROM ${rows} AS f)`;
  const values = files.map(({ file, localPath }) => {
    const own = partitionColumns.map((name) => partitionLiteral(file.partitionValues[name]));
    return `(${[quoteString(localPath), ...own].join(', ')})`;
  });
  const names = ['__sluice_file', ...partitionColumns].map(quoteIdent).join(', ');
  return `(SELECT ${columns} FROM ${rows} AS f JOIN (VALUES ${values.join(', ')}) AS p(${names}) ON f.__sluice_file = p.__sluice_file)`;
}

function typedNull(field: Field): string {
  return `CAST(NULL AS ${duckdbType(field.type)}) AS ${quoteIdent(field.name)}`;
}

/** In the log an empty string is null too. Source: Delta protocol, "Partition Value Serialization". */
function partitionLiteral(value: string | null | undefined): string {
  return value === null || value === undefined || value === '' ? 'CAST(NULL AS VARCHAR)' : quoteString(value);
}
