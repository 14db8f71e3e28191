/**
 * A set of data files as one SQL relation that DuckDB reads.
 *
 * Promise: exactly the table's columns, names and types, in order; a column that a file does not have is NULL; partition
 * values come from the log and never from a path; rows that are deleted are not there; a file is read once however often it
 * is named.
 */
import { SluiceError } from '../core/errors.ts';
import { stringifyJson } from '../core/json.ts';
import { field, primitive, struct, type Field, type StructType } from '../core/schema.ts';
import { quoteFile, quoteIdent, quoteString } from '../engine/quoting.ts';
import { duckdbType } from '../engine/types.ts';
import { padded } from './char-columns.ts';
import { physicalName, physicalSchema, renamed, type MappingMode } from './column-mapping.ts';
import type { DeletedRows } from './deletion-vectors/deleted-rows.ts';
import { idsAreAsNamed } from './field-ids.ts';
import type { AddFile } from './log/actions.ts';
import { partitionLiteral } from './partitions.ts';

/** Names for them. */
export interface RowPlaces {
  readonly file: string;
  readonly row?: string;
}

export interface RelationShape {
  readonly schema: StructType;
  readonly partitionColumns: readonly string[];
  readonly mapping: MappingMode;
  /** Columns beside those of the table: the path of a row's file, as DuckDB has it, and the place of the row in the file. */
  readonly whereRowsLie?: RowPlaces | undefined;
}

export interface RelationFile {
  readonly file: AddFile;
  /** Where DuckDB finds it. */
  readonly localPath: string;
  readonly deleted?: DeletedRows;
  /** With it, only these rows are read. */
  readonly only?: DeletedRows;
}

/** DuckDB's name for the place of a row in its file. */
const ROW_NUMBER = 'file_row_number';

/** A parenthesised SELECT over the files. */
export function relationOf(shape: RelationShape, all: readonly RelationFile[]): string {
  const files = [...new Map(all.map((file) => [keyOf(file), file])).values()];
  const whole = files.filter(({ deleted, only }) => deleted === undefined && only === undefined);
  const partly = files.filter(({ deleted }) => deleted !== undefined);
  const some = files.filter(({ only }) => only !== undefined);
  if (files.length === 0) return `(${nothing(shape.schema.fields, shape.whereRowsLie)})`;
  const parts = [whole, partly, some].filter((kind) => kind.length > 0).map((kind) => scanOf(shape, kind));
  return `(${parts.join(' UNION ALL ')})`;
}

/** A file that is named twice for the same reason is read once. */
function keyOf({ localPath, file }: RelationFile): string {
  return `${localPath}\n${stringifyJson(file.partitionValues)}`;
}

/** A SELECT over files that are all of one kind: whole, with deleted rows, or of which only some rows are wanted. */
function scanOf(
  { schema, partitionColumns, mapping, whereRowsLie }: RelationShape,
  files: readonly RelationFile[],
): string {
  const stored = schema.fields.filter((field) => !partitionColumns.includes(field.name));
  const partitions = schema.fields.filter((field) => partitionColumns.includes(field.name));
  const inFile = physicalSchema(struct(stored), mapping);
  const isSome = files.some(({ only }) => only !== undefined);
  const hasDeleted = isSome || files.some(({ deleted }) => deleted !== undefined);
  const needsRow = hasDeleted || whereRowsLie?.row !== undefined;
  if (needsRow) checkRowNumber(inFile);
  const pathColumn = unusedName(struct([...schema.fields, ...inFile.fields]), '__sluice_file');
  const needsJoin = partitions.length > 0 || hasDeleted;
  const needsPath = needsJoin || whereRowsLie !== undefined;
  const options = ['union_by_name=true', 'hive_partitioning=false'];
  if (needsPath) options.push(`filename=${quoteString(pathColumn)}`);
  if (needsRow) options.push(`${ROW_NUMBER}=true`);
  const paths = [...new Set(files.map(({ localPath }) => quoteFile(localPath)))];
  const scan = `SELECT * FROM read_parquet([${paths.join(', ')}], ${options.join(', ')})`;
  const conditions = [
    ...(hasDeleted ? [isSome ? `NOT (${IS_KEPT})` : IS_KEPT] : []),
    ...(mapping === 'id' ? [idsAreAsNamed(struct(stored), paths)] : []),
  ];
  const where = conditions.length === 0 ? '' : ` WHERE ${conditions.join(' AND ')}`;
  const rows = `(${nothing(inFile.fields)} UNION ALL BY NAME ${scan})`;
  const columns = schema.fields.map((field) => {
    const name = quoteIdent(field.name);
    const own = inFile.fields[stored.indexOf(field)];
    if (own === undefined) return `${padded(`p.${name}`, field)} AS ${name}`;
    const value = renamed(`CAST(f.${quoteIdent(own.name)} AS ${duckdbType(own.type)})`, field.type, mapping);
    return `${padded(value, field)} AS ${name}`;
  });
  const path = quoteIdent(pathColumn);
  if (whereRowsLie !== undefined) {
    columns.push(`f.${path} AS ${quoteIdent(whereRowsLie.file)}`);
    if (whereRowsLie.row !== undefined) columns.push(`f.${ROW_NUMBER} AS ${quoteIdent(whereRowsLie.row)}`);
  }
  if (!needsJoin) return `SELECT ${columns.join(', ')} FROM ${rows} AS f${where}`;

  checkSpan(files);
  const values = files.map(({ file, localPath, deleted, only }) => {
    const own = partitions.map((field) => partitionLiteral(file.partitionValues[physicalName(field, mapping)], field));
    return `(${[quoteString(localPath), ...own, ...(hasDeleted ? deletedLiterals(only ?? deleted) : [])].join(', ')})`;
  });
  const names = [path, ...partitions.map((field) => quoteIdent(field.name)), ...(hasDeleted ? [FIRST, BITS] : [])];
  const joined = `${rows} AS f JOIN (VALUES ${values.join(', ')}) AS p(${names.join(', ')}) ON f.${path} = p.${path}`;
  return `SELECT ${columns.join(', ')} FROM ${joined}${where}`;
}

/** Half a billion rows. */
const BITS_MOST = 2 ** 26;
const FIRST = '__sluice_first';
const BITS = '__sluice_deleted';
const IS_KEPT = `CASE WHEN f.${ROW_NUMBER} BETWEEN p.${FIRST} AND p.${FIRST} + bit_length(p.${BITS}) - 1 THEN get_bit(p.${BITS}, (f.${ROW_NUMBER} - p.${FIRST})::INTEGER) = 0 ELSE true END`;

/** The deleted rows of a file as a bit string: as text it takes a sixth of a byte for each row that it spans. */
function deletedLiterals(deleted: DeletedRows | undefined): string[] {
  const { first, bits } = deleted ?? { first: 0, bits: new Uint8Array(0) };
  if (bits.length === 0) return ['-1::BIGINT', "'0'::BIT"];
  return [`${String(first)}::BIGINT`, `from_base64('${Buffer.from(bits).toString('base64')}')::BIT`];
}

/** All of them stand in one SQL text. @throws SluiceError `DELETION_VECTORS_TOO_LARGE` */
function checkSpan(files: readonly RelationFile[]): void {
  const bytes = files.reduce((sum, { deleted, only }) => sum + ((only ?? deleted)?.bits.length ?? 0), 0);
  if (bytes <= BITS_MOST) return;
  throw new SluiceError(
    'DELETION_VECTORS_TOO_LARGE',
    `the deletion vectors of ${String(files.length)} files span ${String(bytes * 8)} rows: too many for one query`,
    {
      advice:
        'Write the files anew without their deleted rows: `sluice table optimize --purge`, or REORG TABLE … APPLY (PURGE) in Spark.',
    },
  );
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

function nothing(fields: readonly Field[], places?: RowPlaces): string {
  const own = places === undefined ? [] : [field(places.file, primitive('string'))];
  if (places?.row !== undefined) own.push(field(places.row, primitive('long')));
  return `SELECT ${[...fields, ...own].map(typedNull).join(', ')} WHERE false`;
}

function typedNull(field: Field): string {
  return `CAST(NULL AS ${duckdbType(field.type)}) AS ${quoteIdent(field.name)}`;
}

/** A name that no column has. */
export function unusedName({ fields }: StructType, wanted: string): string {
  let name = wanted;
  while (fields.some((field) => field.name.toLowerCase() === name)) name += '_';
  return name;
}
