/**
 * Rows into data files: Parquet written and durable, statistics in hand, nothing visible yet.
 *
 * Promise: values are cast to the table's types or refused, never changed silently; NULL in a NOT NULL column is refused; a
 * failure leaves no file behind.
 */
import type { Clock } from '../core/clock.ts';
import { SluiceError } from '../core/errors.ts';
import type { Random } from '../core/random.ts';
import type { Field, StructType } from '../core/schema.ts';
import { copyToParquet } from '../engine/parquet.ts';
import { quoteIdent, quoteString } from '../engine/quoting.ts';
import type { Session } from '../engine/session.ts';
import { duckdbType } from '../engine/types.ts';
import type { AddFile, PartitionValues } from './log/actions.ts';
import { dataPath } from './log/paths.ts';
import { fileStats } from './log/stats.ts';
import type { ObjectStore } from './store/object-store.ts';

export interface WriteParts {
  readonly store: ObjectStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly schema: StructType;
  readonly partitionColumns: readonly string[];
  readonly compression?: 'zstd' | 'snappy' | undefined;
}

/** Writes the rows of a query as one file per partition; no file for no rows. */
export async function writeFiles(session: Session, query: string, parts: WriteParts): Promise<AddFile[]> {
  const { schema, partitionColumns } = parts;
  checkPartitionColumns(schema, partitionColumns);
  const cast = `SELECT ${schema.fields.map(castColumn).join(', ')} FROM (${query}) AS q`;
  const written: AddFile[] = [];
  try {
    if (partitionColumns.length === 0) {
      const file = await writeFile(session, cast, {}, parts);
      if (file !== undefined) written.push(file);
      return written;
    }
    await session.run(`CREATE OR REPLACE TEMP TABLE partitioned AS ${cast}`);
    for (const { where, values } of await partitionsOf(session, schema, partitionColumns)) {
      const stored = schema.fields.filter((field) => !partitionColumns.includes(field.name));
      const columns = stored.map((field) => quoteIdent(field.name)).join(', ');
      const file = await writeFile(session, `SELECT ${columns} FROM partitioned WHERE ${where}`, values, parts);
      if (file !== undefined) written.push(file);
    }
    return written;
  } catch (error) {
    await discardFiles(parts.store, written);
    throw outOfRange(error, parts.store.location);
  } finally {
    if (partitionColumns.length > 0) await session.run('DROP TABLE IF EXISTS partitioned').catch(() => undefined);
  }
}

/** Deletes files that never made it into a table. */
export async function discardFiles(store: ObjectStore, files: readonly AddFile[]): Promise<void> {
  for (const file of files) await store.delete(dataPath(file.path, store.location));
}

async function writeFile(
  session: Session,
  query: string,
  partitionValues: PartitionValues,
  { store, clock, random, schema, compression = 'zstd' }: WriteParts,
): Promise<AddFile | undefined> {
  const path = `part-00000-${random.uuid()}-c000.${compression}.parquet`;
  const file = await store.putFile(path, (local) => copyToParquet(session, query, local, { compression }));
  const nulls = file.rows === 0n ? undefined : nullInRequired(schema, file.columns);
  if (file.rows === 0n || nulls !== undefined) await store.delete(path);
  if (nulls !== undefined) {
    throw new SluiceError('VALUE_OUT_OF_RANGE', `${store.location}: NULL in the column ${nulls}, which is NOT NULL`, {
      advice: 'Filter such rows with an expectation (ON VIOLATION DROP ROW), or declare the column without NOT NULL.',
      facts: { table: store.location, column: nulls },
    });
  }
  if (file.rows === 0n) return undefined;
  return {
    path,
    partitionValues,
    bytes: file.bytes,
    modificationMs: clock.nowMs(),
    dataChange: true,
    stats: fileStats(file, schema),
    rows: file.rows,
  };
}

function nullInRequired(
  schema: StructType,
  columns: readonly { path: readonly string[]; nullCount?: bigint }[],
): string | undefined {
  const required = new Set(schema.fields.filter((field) => !field.nullable).map((field) => field.name));
  return columns.find(
    ({ path, nullCount }) => path.length === 1 && required.has(path[0] ?? '') && (nullCount ?? 0n) > 0n,
  )?.path[0];
}

async function partitionsOf(
  session: Session,
  schema: StructType,
  partitionColumns: readonly string[],
): Promise<{ where: string; values: PartitionValues }[]> {
  const text = partitionColumns.map((name) => {
    const field = schema.fields.find((f) => f.name === name);
    return `${field === undefined ? quoteIdent(name) : partitionText(field)} AS ${quoteIdent(name)}`;
  });
  const rows = await session.rows(`SELECT DISTINCT ${text.join(', ')} FROM partitioned ORDER BY ALL`);
  return rows.map((row) => {
    const values = partitionColumns.map((name) => [name, row[name] === null ? null : String(row[name])] as const);
    const where = values.map(([name, value]) => {
      const field = schema.fields.find((f) => f.name === name);
      const own = field === undefined ? quoteIdent(name) : partitionText(field);
      return value === null ? `${own} IS NULL` : `${own} = ${quoteString(value)}`;
    });
    return { where: where.join(' AND '), values: Object.fromEntries(values) };
  });
}

/** A partition value as the log writes it. Source: Delta protocol, "Partition Value Serialization". */
function partitionText({ name, type }: Field): string {
  const column = quoteIdent(name);
  const isTimestamp = type.kind === 'primitive' && (type.name === 'timestamp' || type.name === 'timestamp_ntz');
  const text = isTimestamp ? `strftime(${column}, '%Y-%m-%d %H:%M:%S.%f')` : `CAST(${column} AS VARCHAR)`;
  return `nullif(${text}, '')`;
}

function checkPartitionColumns(schema: StructType, partitionColumns: readonly string[]): void {
  for (const name of partitionColumns) {
    const type = schema.fields.find((field) => field.name === name)?.type;
    const usable = type?.kind === 'decimal' || (type?.kind === 'primitive' && type.name !== 'binary');
    if (!usable) {
      const why = type === undefined ? 'there is no such column' : 'its type cannot be one';
      throw new SluiceError('SCHEMA_INCOMPATIBLE', `${name} cannot be a partition column: ${why}`, {
        facts: { column: name },
      });
    }
  }
  if (partitionColumns.length > 0 && partitionColumns.length === schema.fields.length) {
    throw new SluiceError('SCHEMA_INCOMPATIBLE', 'a table needs a column that is not a partition column');
  }
}

function castColumn(field: Field): string {
  return `CAST(q.${quoteIdent(field.name)} AS ${duckdbType(field.type)}) AS ${quoteIdent(field.name)}`;
}

function outOfRange(error: unknown, table: string): unknown {
  if (!(error instanceof SluiceError) || error.code !== 'QUERY_FAILED') return error;
  if (!/^(Conversion|Out of Range) Error/.test(error.message)) return error;
  return new SluiceError('VALUE_OUT_OF_RANGE', `${table}: a value does not fit its column: ${error.message}`, {
    advice: 'Cast it in the query (TRY_CAST gives NULL instead of an error), or declare a wider type.',
    facts: { table },
    cause: error,
  });
}
