/**
 * A set of data files as one SQL relation that DuckDB reads.
 *
 * Promise: exactly the table's columns, names and types, in order; a column that a file does not have is NULL; partition
 * values come from the log and never from a path; a file is read once however often it is named.
 */
import type { Field, StructType } from '../core/schema.ts';
import { quoteIdent, quoteString } from '../engine/quoting.ts';
import { duckdbType } from '../engine/types.ts';
import type { AddFile } from './log/actions.ts';
import { partitionLiteral } from './partitions.ts';

export interface RelationFile {
  readonly file: AddFile;
  /** Where DuckDB finds it. */
  readonly localPath: string;
}

/** A parenthesised SELECT over the files. */
export function relationOf(
  schema: StructType,
  partitionColumns: readonly string[],
  all: readonly RelationFile[],
): string {
  const files = [...new Map(all.map((file) => [file.localPath, file])).values()];
  const nothing = (fields: readonly Field[]): string => `SELECT ${fields.map(typedNull).join(', ')} WHERE false`;
  if (files.length === 0) return `(${nothing(schema.fields)})`;

  const stored = schema.fields.filter((field) => !partitionColumns.includes(field.name));
  const partitions = schema.fields.filter((field) => partitionColumns.includes(field.name));
  const pathColumn = unusedName(schema);
  const options = ['union_by_name=true', 'hive_partitioning=false'];
  if (partitions.length > 0) options.push(`filename=${quoteString(pathColumn)}`);
  const paths = files.map(({ localPath }) => quoteString(literally(localPath)));
  const scan = `SELECT * FROM read_parquet([${paths.join(', ')}], ${options.join(', ')})`;
  const rows = `(${nothing(stored)} UNION ALL BY NAME ${scan})`;
  const columns = schema.fields.map((field) => {
    const name = quoteIdent(field.name);
    return partitions.includes(field) ? `p.${name}` : `CAST(f.${name} AS ${duckdbType(field.type)}) AS ${name}`;
  });
  if (partitions.length === 0) return `(SELECT ${columns.join(', ')} FROM ${rows} AS f)`;

  const path = quoteIdent(pathColumn);
  const values = files.map(({ file, localPath }) => {
    const own = partitions.map((field) => partitionLiteral(file.partitionValues[field.name], field));
    return `(${[quoteString(localPath), ...own].join(', ')})`;
  });
  const names = [path, ...partitions.map((field) => quoteIdent(field.name))].join(', ');
  return `(SELECT ${columns.join(', ')} FROM ${rows} AS f JOIN (VALUES ${values.join(', ')}) AS p(${names}) ON f.${path} = p.${path})`;
}

function typedNull(field: Field): string {
  return `CAST(NULL AS ${duckdbType(field.type)}) AS ${quoteIdent(field.name)}`;
}

/** A path that DuckDB takes as it stands, though it reads `*`, `?` and `[` in it as a pattern. */
function literally(path: string): string {
  return /[*?[]/.test(path) ? path.replaceAll(/[*?[]/g, '[$&]') : path;
}

function unusedName({ fields }: StructType): string {
  let name = '__sluice_file';
  while (fields.some((field) => field.name.toLowerCase() === name)) name += '_';
  return name;
}
