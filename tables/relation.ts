/**
 * A set of data files as one SQL relation that DuckDB reads.
 *
 * Promise: exactly the table's columns, names and types, in order; a column that a file does not have is NULL; partition
 * values come from the log and never from a path; rows that are deleted are not there; a file is read once however often it
 * is named.
 */
import { SluiceError } from '../core/errors.ts';
import { field, primitive, struct, type Field, type StructType } from '../core/schema.ts';
import { quoteFile, quoteIdent, quoteString } from '../engine/quoting.ts';
import { duckdbType } from '../engine/types.ts';
import { physicalName, physicalSchema, renamed, type MappingMode } from './column-mapping.ts';
import type { DeletedRows } from './deletion-vectors/deleted-rows.ts';
import { idsAreAsNamed } from './field-ids.ts';
import type { AddFile } from './log/actions.ts';
import { partitionLiteral } from './partitions.ts';

export interface RelationShape {
  readonly schema: StructType;
  readonly partitionColumns: readonly string[];
  readonly mapping: MappingMode;
  /** Columns beside those of the table: the path of a row's file, as DuckDB has it, and the place of the row in the file. */
  readonly whereRowsLie?: { readonly file: string; readonly row: string } | undefined;
}

export interface RelationFile {
  readonly file: AddFile;
  /** Where DuckDB finds it. */
  readonly localPath: string;
  readonly deleted?: DeletedRows;
}

/** DuckDB's name for the place of a row in its file. */
const ROW_NUMBER = 'file_row_number';

/** A parenthesised SELECT over the files. */
export function relationOf(shape: RelationShape, all: readonly RelationFile[]): string {
  const files = [...new Map(all.map((file) => [file.localPath, file])).values()];
  const whole = files.filter(({ deleted }) => deleted === undefined);
  const partly = files.filter(({ deleted }) => deleted !== undefined);
  if (files.length === 0) return `(${nothing(shape.schema.fields, shape.whereRowsLie)})`;
  const parts = [whole, partly].filter((some) => some.length > 0).map((some) => scanOf(shape, some));
  return `(${parts.join(' UNION ALL ')})`;
}

/** A SELECT over files that either all have deleted rows, or none. */
function scanOf(
  { schema, partitionColumns, mapping, whereRowsLie }: RelationShape,
  files: readonly RelationFile[],
): string {
  const stored = schema.fields.filter((field) => !partitionColumns.includes(field.name));
  const partitions = schema.fields.filter((field) => partitionColumns.includes(field.name));
  const inFile = physicalSchema(struct(stored), mapping);
  const hasDeleted = files.some(({ deleted }) => deleted !== undefined);
  const needsRow = hasDeleted || whereRowsLie !== undefined;
  if (needsRow) checkRowNumber(inFile);
  const pathColumn = unusedName(inFile);
  const needsJoin = partitions.length > 0 || hasDeleted;
  const needsPath = needsJoin || whereRowsLie !== undefined;
  const options = ['union_by_name=true', 'hive_partitioning=false'];
  if (needsPath) options.push(`filename=${quoteString(pathColumn)}`);
  if (needsRow) options.push(`${ROW_NUMBER}=true`);
  const paths = files.map(({ localPath }) => quoteFile(localPath));
  const scan = `SELECT * FROM read_parquet([${paths.join(', ')}], ${options.join(', ')})`;
  const conditions = [
    ...(hasDeleted ? [IS_KEPT] : []),
    ...(mapping === 'id' ? [idsAreAsNamed(struct(stored), paths)] : []),
  ];
  const where = conditions.length === 0 ? '' : ` WHERE ${conditions.join(' AND ')}`;
  const rows = `(${nothing(inFile.fields)} UNION ALL BY NAME ${scan})`;
  const columns = schema.fields.map((field) => {
    const name = quoteIdent(field.name);
    const own = inFile.fields[stored.indexOf(field)];
    if (own === undefined) return `p.${name}`;
    return `${renamed(`CAST(f.${quoteIdent(own.name)} AS ${duckdbType(own.type)})`, field.type, mapping)} AS ${name}`;
  });
  const path = quoteIdent(pathColumn);
  if (whereRowsLie !== undefined) {
    columns.push(`f.${path} AS ${quoteIdent(whereRowsLie.file)}`);
    columns.push(`f.${ROW_NUMBER} AS ${quoteIdent(whereRowsLie.row)}`);
  }
  if (!needsJoin) return `SELECT ${columns.join(', ')} FROM ${rows} AS f${where}`;

  const values = files.map(({ file, localPath, deleted }) => {
    const own = partitions.map((field) => partitionLiteral(file.partitionValues[physicalName(field, mapping)], field));
    return `(${[quoteString(localPath), ...own, ...(hasDeleted ? deletedLiterals(deleted) : [])].join(', ')})`;
  });
  const names = [path, ...partitions.map((field) => quoteIdent(field.name)), ...(hasDeleted ? [FIRST, BITS] : [])];
  const joined = `${rows} AS f JOIN (VALUES ${values.join(', ')}) AS p(${names.join(', ')}) ON f.${path} = p.${path}`;
  return `SELECT ${columns.join(', ')} FROM ${joined}${where}`;
}

const FIRST = '__sluice_first';
const BITS = '__sluice_deleted';
const IS_KEPT = `CASE WHEN f.${ROW_NUMBER} BETWEEN p.${FIRST} AND p.${FIRST} + bit_length(p.${BITS}) - 1 THEN get_bit(p.${BITS}, (f.${ROW_NUMBER} - p.${FIRST})::INTEGER) = 0 ELSE true END`;

/** The deleted rows of a file as a bit string: as text it takes a sixth of a byte for each row that it spans. */
function deletedLiterals(deleted: DeletedRows | undefined): string[] {
  const { first, bits } = deleted ?? { first: 0, bits: new Uint8Array(0) };
  if (bits.length === 0) return ['0::BIGINT', "'0'::BIT"];
  return [`${String(first)}::BIGINT`, `from_base64('${Buffer.from(bits).toString('base64')}')::BIT`];
}

function checkRowNumber({ fields }: StructType): void {
  const taken = fields.find(({ name }) => name.toLowerCase() === ROW_NUMBER);
  if (taken === undefined) return;
  throw new SluiceError('UNSUPPORTED_FEATURE', `a table with a column ${taken.name} cannot be read row by row`, {
    advice:
      'Deletion vectors and changes of rows need that name: purge the vectors (REORG TABLE … APPLY (PURGE)), or rename the column.',
    facts: { column: taken.name, features: ['deletionVectors'] },
  });
}

function nothing(fields: readonly Field[], whereRowsLie?: RelationShape['whereRowsLie']): string {
  const more = whereRowsLie && [
    field(whereRowsLie.file, primitive('string')),
    field(whereRowsLie.row, primitive('long')),
  ];
  return `SELECT ${[...fields, ...(more ?? [])].map(typedNull).join(', ')} WHERE false`;
}

function typedNull(field: Field): string {
  return `CAST(NULL AS ${duckdbType(field.type)}) AS ${quoteIdent(field.name)}`;
}

function unusedName({ fields }: StructType): string {
  let name = '__sluice_file';
  while (fields.some((field) => field.name.toLowerCase() === name)) name += '_';
  return name;
}
