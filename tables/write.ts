/**
 * Rows into data files: Parquet written, durable before a log entry names it, statistics in hand, nothing visible yet.
 *
 * Promise: a value that does not fit its column is refused, and so is NULL where the schema allows none; a failure leaves no
 * file behind.
 */
import type { Clock } from '../core/clock.ts';
import { SluiceError } from '../core/errors.ts';
import type { Random } from '../core/random.ts';
import { struct, type Field, type StructType } from '../core/schema.ts';
import { copyToParquet, type ParquetFile, type ParquetOptions } from '../engine/parquet.ts';
import { quoteIdent, quoteString } from '../engine/quoting.ts';
import type { Session } from '../engine/session.ts';
import { duckdbType } from '../engine/types.ts';
import type { Value } from '../engine/values.ts';
import { physicalName, physicalSchema, renamed, type MappingMode } from './column-mapping.ts';
import { filled } from './defaults/fill.ts';
import { generatedRules } from './defaults/generated.ts';
import { fieldIdsOf } from './field-ids.ts';
import type { AddFile, Metadata, PartitionValues } from './log/actions.ts';
import type { Described } from './log/features.ts';
import { indexedColumns } from './log/indexed-columns.ts';
import { fileStats } from './log/stats.ts';
import { NULL_REFUSED, refuseNull } from './not-null.ts';
import { checkPartitionColumns, partitionText } from './partitions.ts';
import { enforced, violation } from './rules/enforce.ts';
import { rulesOf, type Rule } from './rules/rules.ts';
import type { ObjectStore } from './store/object-store.ts';
import { placeOf } from './store/place.ts';

export interface Shape {
  /** The columns of the rows. What the table has beside them is NULL in them, or gets its default. */
  readonly schema: StructType;
  readonly partitionColumns: readonly string[];
  /** Whether the rows are the table's own, and only lie in other files: its rules need not be looked at again. @default false */
  readonly areItsOwn?: boolean;
  /** Whether they are no rows of the table but changes of its rows, which lie in a folder of their own. @default false */
  readonly areChanges?: boolean;
  /** Whether the rows have all columns that the table has afterwards: none of them gets a default. @default false */
  readonly areWhole?: boolean;
  /** Whether rows that have values of identity columns have them from the table itself, or a merge gave them. @default false */
  readonly keepsIdentities?: boolean;
  /** The last numbers that a merge gave its rows in identity columns. */
  readonly identities?: ReadonlyMap<string, bigint>;
  /** The state of the table that the rows were made for. @default the newest */
  readonly madeFor?: Described;
}

export interface WriteParts extends Shape {
  readonly store: ObjectStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly compression: NonNullable<ParquetOptions['compression']>;
  /** Of the table that the rows are for; undefined when there is none yet. */
  readonly metadata?: Metadata | undefined;
  /** Columns of `schema` that the query lacks, and that get their values here. */
  readonly missing?: readonly Field[];
  /** Of the table; the columns of `schema` have their ids and names in data files already. */
  readonly mapping: MappingMode;
  /** What the table asks of its files (`writtenFor`), to be looked at again when they are committed. */
  readonly writtenFor?: string | undefined;
  /** The columns that the table is clustered by, as paths in data files. */
  readonly clusteredBy?: readonly (readonly string[])[];
}

/** A table of the session's own, for rows that go into more than one file. */
const ROWS = '__sluice_rows';

/** Writes the rows of a query as one file per partition; no file for no rows. */
export async function writeFiles(session: Session, query: string, parts: WriteParts): Promise<AddFile[]> {
  const {
    schema,
    partitionColumns,
    store,
    metadata,
    mapping,
    missing = [],
    areItsOwn = false,
    areChanges = false,
  } = parts;
  checkPartitionColumns(schema, partitionColumns, store.location);
  const given = schema.fields.filter((field) => !missing.includes(field));
  const plain = `SELECT ${given.map(castColumn).join(', ')} FROM (${query}\n) AS q`;
  const own = metadata?.schema ?? schema;
  const table = store.location;
  const whole = await filled(session, plain, { missing, given, own, table, nowMs: parts.clock.nowMs() });
  const isBound = metadata !== undefined && !areItsOwn && !areChanges;
  const rules = isBound ? [...rulesOf(metadata), ...(await generatedRules(session, given, own, table))] : [];
  const cast = await enforced(session, whole, { rules, rows: schema, own, table });
  const written: AddFile[] = [];
  const isIndexed = indexedColumns(schema, { ...parts, configuration: metadata?.configuration ?? {} });
  const write = async (rows: string, values: PartitionValues): Promise<void> => {
    const file = await writeFile(session, rows, values, { ...parts, isIndexed });
    if (file !== undefined) written.push(file);
  };
  const stored = schema.fields.filter((field) => !partitionColumns.includes(field.name));
  const columns = stored.map((field) => columnInFile(field, mapping)).join(', ');
  try {
    if (partitionColumns.length === 0) {
      await write(mapping === 'none' ? cast : `SELECT ${columns} FROM (${cast}) AS r`, {});
    } else {
      await session.run(`CREATE OR REPLACE TEMP TABLE ${ROWS} AS ${cast}`);
      for (const { where, values } of await partitionsOf(session, parts)) {
        await write(`SELECT ${columns} FROM ${ROWS} WHERE ${where}`, values);
      }
    }
    return written;
  } catch (error) {
    await discardFiles(store, written).catch(() => undefined);
    throw refused(error, rules, table);
  } finally {
    if (partitionColumns.length > 0) await session.run(`DROP TABLE IF EXISTS ${ROWS}`).catch(() => undefined);
  }
}

/** Deletes files that never made it into a table: such as `writeFiles` makes, in the table's own folder. */
export async function discardFiles(store: ObjectStore, files: readonly { readonly path: string }[]): Promise<void> {
  for (const file of files) {
    const place = placeOf(store, file.path);
    if (place.store === store) await store.delete(place.path);
  }
}

async function writeFile(
  session: Session,
  query: string,
  partitionValues: PartitionValues,
  parts: WriteParts & { readonly isIndexed: (path: readonly string[]) => boolean },
): Promise<AddFile | undefined> {
  const {
    store,
    clock,
    random,
    schema,
    partitionColumns,
    compression,
    mapping,
    writtenFor,
    areChanges = false,
  } = parts;
  const name = `00000-${random.uuid()}-c000.${compression}.parquet`;
  const path = areChanges ? `_change_data/cdc-${name}` : `part-${name}`;
  const inFile = physicalSchema(schema, mapping);
  const stored = struct(schema.fields.filter(({ name: column }) => !partitionColumns.includes(column)));
  const ids = mapping === 'none' ? {} : { fieldIds: fieldIdsOf(stored) };
  const write = (local: string): Promise<ParquetFile> => copyToParquet(session, query, local, { compression, ...ids });
  const file = await store.putFile(path, write, 'later');
  if (file.rows === 0n) {
    await store.delete(path);
    return undefined;
  }
  return {
    path,
    partitionValues,
    bytes: file.bytes,
    modificationMs: clock.nowMs(),
    dataChange: true,
    stats: fileStats(file, inFile, parts.isIndexed),
    rows: file.rows,
    ...(writtenFor === undefined ? {} : { writtenFor }),
  };
}

async function partitionsOf(
  session: Session,
  { schema, partitionColumns, mapping }: WriteParts,
): Promise<{ where: string; values: PartitionValues }[]> {
  const fields = partitionColumns.flatMap((name) => schema.fields.find((field) => field.name === name) ?? []);
  const texts = fields.map((field) => `${partitionText(field)} AS ${quoteIdent(field.name)}`);
  const rows = await session.rows(`SELECT DISTINCT ${texts.join(', ')} FROM ${ROWS} ORDER BY ALL`);
  const asText = (value: Value | undefined): string | null => (typeof value === 'string' ? value : null);
  return rows.map((row) => {
    const values = fields.map((field) => [field, asText(row[field.name])] as const);
    const where = values.map(([field, value]) =>
      value === null ? `${partitionText(field)} IS NULL` : `${partitionText(field)} = ${quoteString(value)}`,
    );
    return {
      where: where.join(' AND '),
      values: Object.fromEntries(values.map(([field, value]) => [physicalName(field, mapping), value])),
    };
  });
}

/** A column under the name that data files have for it. */
function columnInFile(field: Field, mapping: MappingMode): string {
  const name = quoteIdent(field.name);
  if (mapping === 'none') return name;
  return `${renamed(name, field.type, mapping, 'files')} AS ${quoteIdent(physicalName(field, mapping))}`;
}

function castColumn(field: Field): string {
  const cast = `CAST(q.${quoteIdent(field.name)} AS ${duckdbType(field.type)})`;
  return `${refuseNull(cast, field)} AS ${quoteIdent(field.name)}`;
}

/** Errors that a value of the rows makes, told as such. */
function refused(error: unknown, rules: readonly Rule[], table: string): unknown {
  if (!(error instanceof SluiceError) || error.code !== 'QUERY_FAILED') return error;
  const broken = violation(error, rules, table);
  if (broken !== undefined) return broken;
  const column = error.message.split(NULL_REFUSED)[1]?.split('\n')[0];
  if (column !== undefined) {
    return new SluiceError('VALUE_OUT_OF_RANGE', `${table}: NULL in the column ${column}, which is NOT NULL`, {
      advice: 'Filter such rows with an expectation (ON VIOLATION DROP ROW), or declare the column without NOT NULL.',
      facts: { table, column },
    });
  }
  if (!/^(Conversion|Out of Range) Error/.test(error.message)) return error;
  return new SluiceError('VALUE_OUT_OF_RANGE', `${table}: a value does not fit its column: ${error.message}`, {
    advice: 'Cast it in the query (TRY_CAST gives NULL instead of an error), or declare a wider type.',
    facts: { table },
    cause: error,
  });
}
