/**
 * CONVERT TO DELTA: the Parquet files of a folder become a table where they lie, in one commit.
 *
 * Promise: no data file is touched or left out without a word (hidden ones, `_…` and `.…`, are no part of it); the columns are those of all
 * files together, by what their footers say; values of partition columns come from the folders' names and are of the types that were
 * given for them. A folder that is a table already stays as it is. Source: Databricks, "CONVERT TO DELTA".
 */
import { SluiceError } from '../../core/errors.ts';
import { sameType, struct, typeName, type DataType, type Field, type StructType } from '../../core/schema.ts';
import type { Session } from '../../engine/session.ts';
import type { Creatable } from '../dml/append.ts';
import { engineText, rowsIn } from '../dml/shared.ts';
import { checkNames } from '../evolve.ts';
import type { AddFile } from '../log/actions.ts';
import { bytesOf } from '../operation.ts';
import { checkPartitionColumns } from '../partitions.ts';
import { FileLease } from '../store/lease.ts';
import type { ObjectMeta, ObjectStore } from '../store/object-store.ts';
import { encodedPath } from '../store/place.ts';
import { partitionsOfPaths } from './folder-partitions.ts';
import { schemasOf, statsOf } from './footers.ts';
import { ParquetTypeError, schemaOfFooter } from './parquet-schema.ts';

export interface ConvertOptions {
  /** The columns that the names of the folders have (`day=2026-01-01/…`), from the outermost one on. */
  readonly partitionColumns?: readonly Field[];
  readonly properties?: Readonly<Record<string, string>>;
  /** Told how many footers are read: each is read twice, for its columns and for its statistics. */
  readonly onProgress?: (done: number, all: number) => void;
  /** Aborted to stop before the commit. */
  readonly signal?: AbortSignal;
}

export interface ConvertResult {
  /** The version that was made; undefined when it was a table already. */
  readonly version: bigint | undefined;
  readonly files: number;
  readonly rows: bigint;
  readonly bytes: bigint;
}

interface ConvertParts {
  readonly table: Creatable;
  readonly store: ObjectStore;
  readonly session: Session;
}

/** So many footers are read at once. */
const FILES_AT_ONCE = 64;

/** @throws SluiceError `TABLE_NOT_FOUND`, `SCHEMA_INCOMPATIBLE`, `TYPE_UNSUPPORTED`, `UNSUPPORTED_FEATURE`, `INTERRUPTED`, `STORAGE_*` */
export async function convertFolder(parts: ConvertParts, options: ConvertOptions): Promise<ConvertResult> {
  const { table, store, session } = parts;
  const nothing = { version: undefined, files: 0, rows: 0n, bytes: 0n };
  if (await table.exists()) return nothing;
  const { partitionColumns = [], properties, signal, onProgress } = options;
  const files = await dataFiles(store);
  const partitions = await partitionsOfPaths(
    session,
    files.map(({ path }) => path),
    partitionColumns,
    table.location,
  );
  const step = (done: number): void => {
    if (signal?.aborted === true)
      throw new SluiceError('INTERRUPTED', `${table.location}: stopped before anything was committed`);
    onProgress?.(done, 2 * files.length);
  };
  const names = partitionColumns.map(({ name }) => name);
  const inFiles = await mergedSchema(parts, files, step);
  const taken = new Set(names.map((name) => name.toLowerCase()));
  const stored = struct(inFiles.fields.filter(({ name }) => !taken.has(name.toLowerCase())));
  const schema = struct([...stored.fields, ...partitionColumns]);
  checkNames(schema, { table: table.location });
  checkPartitionColumns(schema, names, table.location);
  const add: AddFile[] = [];
  for (let i = 0; i < files.length; i += FILES_AT_ONCE) {
    const some = files.slice(i, i + FILES_AT_ONCE);
    const { local, found: stats } = await withFooters(store, some, (files) => statsOf(session, files, stored));
    for (const [j, { path, bytes, modifiedMs }] of some.entries()) {
      add.push({
        path: encodedPath(path),
        partitionValues: partitions[i + j] ?? {},
        bytes: BigInt(bytes),
        modificationMs: modifiedMs,
        dataChange: true,
        ...stats.get(local[j] ?? ''),
      });
    }
    step(files.length + add.length);
  }
  const outcome = await table.commit({
    operation: 'CONVERT',
    mode: 'append',
    add,
    schema,
    partitionColumns: names,
    ...(properties === undefined ? {} : { properties }),
    read: { version: -1n, files: [], wouldRead: () => true },
    operationParameters: {
      numFiles: String(add.length),
      partitionedBy: names,
      collectStats: 'true',
      sourceFormat: 'parquet',
    },
    metrics: { numConvertedFiles: String(add.length) },
  });
  if (outcome.kind === 'conflict') return nothing;
  return { version: outcome.version, files: add.length, rows: rowsIn(add), bytes: bytesOf(add) };
}

/** Looks into files while they are on this machine. */
async function withFooters<T>(
  store: ObjectStore,
  files: readonly ObjectMeta[],
  look: (local: readonly string[]) => Promise<T>,
): Promise<{ readonly local: readonly string[]; readonly found: T }> {
  return FileLease.during(async () => {
    const local = await Promise.all(files.map(({ path }) => store.localFile(path)));
    return { local, found: await look(local) };
  });
}

/** Files that are not hidden; all of them have to be Parquet. */
async function dataFiles(store: ObjectStore): Promise<ObjectMeta[]> {
  const files: ObjectMeta[] = [];
  for await (const meta of store.list('')) {
    const parts = meta.path.split('/');
    const isHidden = parts.some((part, i) => /^[._]/.test(part) && !(i < parts.length - 1 && part.includes('=')));
    if (isHidden) continue;
    if (!/\.(parquet|parq)$/i.test(meta.path)) {
      throw new SluiceError('SCHEMA_INCOMPATIBLE', `${store.location}/${meta.path} is no Parquet file by its name`, {
        advice:
          'Nothing was changed. Move it elsewhere, or give it a name that begins with _ or a dot: such files are passed over.',
        facts: { table: store.location, file: meta.path },
      });
    }
    files.push(meta);
  }
  if (files.length > 0) return files;
  throw new SluiceError('TABLE_NOT_FOUND', `there is no Parquet file in ${store.location}`, {
    advice: 'Look at the path: name the folder that the files lie in, or the one above their partitions.',
    facts: { table: store.location },
  });
}

/** The columns of all files, by name, in the order in which they are first met. */
async function mergedSchema(
  { store, session, table }: ConvertParts,
  files: readonly ObjectMeta[],
  step: (done: number) => void,
): Promise<StructType> {
  let merged = struct([]);
  let first = '';
  for (let i = 0; i < files.length; i += FILES_AT_ONCE) {
    const some = files.slice(i, i + FILES_AT_ONCE);
    const { local, found: footers } = await withFooters(store, some, (paths) => schemasOf(session, paths)).catch(
      (error: unknown) => {
        throw unreadable(table.location, error);
      },
    );
    for (const [j, { path }] of some.entries()) {
      const own = columnsOf(footers.get(local[j] ?? '') ?? [], path, table.location);
      const problems: string[] = [];
      merged = mergeFields(merged, own, '', problems);
      if (problems.length > 0) throw different(table.location, path, first, problems);
      first ||= path;
    }
    step(i + some.length);
  }
  return merged;
}

function columnsOf(nodes: Parameters<typeof schemaOfFooter>[0], path: string, table: string): StructType {
  try {
    return schemaOfFooter(nodes);
  } catch (error) {
    if (!(error instanceof ParquetTypeError)) throw error;
    throw new SluiceError('TYPE_UNSUPPORTED', `${table}/${path}: the column ${error.column} is ${error.what}`, {
      advice: 'Nothing was changed. Write such files anew with another type, and convert those; or leave them out.',
      facts: { table, file: path, column: error.column },
      cause: error,
    });
  }
}

function mergeFields(a: StructType, b: StructType, prefix: string, problems: string[]): StructType {
  const fields = [...a.fields];
  for (const field of b.fields) {
    const at = fields.findIndex(({ name }) => name.toLowerCase() === field.name.toLowerCase());
    const known = fields[at];
    if (known === undefined) fields.push(field);
    else fields[at] = { ...known, type: mergeType(known.type, field.type, `${prefix}${known.name}`, problems) };
  }
  return struct(fields);
}

/** Integers that Parquet keeps in the same way are one type: the larger. */
const SMALL = ['byte', 'short', 'integer'];

function mergeType(a: DataType, b: DataType, path: string, problems: string[]): DataType {
  if (a.kind === 'struct' && b.kind === 'struct') return mergeFields(a, b, `${path}.`, problems);
  if (a.kind === 'array' && b.kind === 'array') {
    const element = mergeType(a.element, b.element, `${path}.element`, problems);
    return { kind: 'array', element, containsNull: true };
  }
  if (a.kind === 'map' && b.kind === 'map') {
    const [key, value] = [
      mergeType(a.key, b.key, `${path}.key`, problems),
      mergeType(a.value, b.value, `${path}.value`, problems),
    ];
    return { kind: 'map', key, value, valueContainsNull: true };
  }
  if (sameType(a, b)) return a;
  if (a.kind === 'primitive' && b.kind === 'primitive' && SMALL.includes(a.name) && SMALL.includes(b.name)) {
    return SMALL.indexOf(a.name) < SMALL.indexOf(b.name) ? b : a;
  }
  problems.push(`${path} is ${typeName(b)}, and ${typeName(a)} in files before it`);
  return a;
}

function different(table: string, path: string, first: string, problems: readonly string[]): SluiceError {
  return new SluiceError(
    'SCHEMA_INCOMPATIBLE',
    `${table}/${path} does not fit the other files: ${problems.join('; ')}`,
    {
      advice: `Nothing was changed. Write it anew with the types of the others (${first} was the first), or leave it out.`,
      facts: { table, file: path, differences: problems },
    },
  );
}

function unreadable(table: string, error: unknown): unknown {
  const text = engineText(error);
  if (text === undefined) return error;
  return new SluiceError('SCHEMA_INCOMPATIBLE', `${table}: a file cannot be read as Parquet: ${text}`, {
    advice: 'Nothing was changed. Move it elsewhere, or repair it.',
    facts: { table },
    cause: error,
  });
}
