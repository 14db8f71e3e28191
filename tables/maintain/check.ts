/**
 * Whether a table is what its log says: each data file there, of its size, with its rows, inside of its statistics.
 *
 * Promise: reads only, and all of the newest version; names every problem that it finds, and goes on after each.
 */
import { messageOf, SluiceError } from '../../core/errors.ts';
import { isJsonObject, parseJson, type Json, type JsonObject } from '../../core/json.ts';
import type { DataType, Field } from '../../core/schema.ts';
import { quoteIdent, quoteString } from '../../engine/quoting.ts';
import { duckdbType } from '../../engine/types.ts';
import type { Session } from '../../engine/session.ts';
import { textOf, type Row } from '../../engine/values.ts';
import type { AddFile } from '../log/actions.ts';
import type { Snapshot } from '../snapshot.ts';
import { FileLease } from '../store/lease.ts';
import type { ObjectStore } from '../store/object-store.ts';
import { placeOf } from '../store/place.ts';

export interface TableProblem {
  readonly kind: 'missing' | 'size' | 'unreadable' | 'rows' | 'statistics' | 'deletionVector';
  /** As the log names it. */
  readonly file: string;
  readonly message: string;
}

export interface CheckResult {
  readonly version: bigint;
  readonly files: number;
  readonly problems: readonly TableProblem[];
}

export interface CheckOptions {
  readonly onProgress?: (done: number, all: number) => void;
  /** Aborted to stop between two files. */
  readonly signal?: AbortSignal;
}

interface CheckParts {
  readonly store: ObjectStore;
  readonly session: Session;
}

/** Microseconds: other writers cut a maximum down to milliseconds. */
const ROUNDED = 999;

export async function checkTable(
  parts: CheckParts,
  snapshot: Snapshot,
  options: CheckOptions = {},
): Promise<CheckResult> {
  const problems: TableProblem[] = [];
  const { files, version, location } = snapshot;
  for (const [i, file] of files.entries()) {
    if (options.signal?.aborted === true)
      throw new SluiceError('INTERRUPTED', `${location}: stopped after ${String(i)} of ${String(files.length)} files`);
    problems.push(...(await FileLease.during(() => checkFile(parts, snapshot, file))));
    options.onProgress?.(i + 1, files.length);
  }
  return { version, files: files.length, problems };
}

async function checkFile({ store, session }: CheckParts, snapshot: Snapshot, file: AddFile): Promise<TableProblem[]> {
  const problem = (kind: TableProblem['kind'], message: string): TableProblem => ({ kind, file: file.path, message });
  const place = placeOf(store, file.path);
  const meta = await place.store.head(place.path);
  if (meta === undefined) return [problem('missing', 'the file does not exist')];
  const found: TableProblem[] = [];
  if (BigInt(meta.bytes) !== file.bytes)
    found.push(problem('size', `the file has ${String(meta.bytes)} bytes, the log says ${String(file.bytes)}`));
  try {
    // Statistics are of the whole file, with the rows that were deleted since.
    const { deletionVector, ...whole } = file;
    if (deletionVector !== undefined) await snapshot.deletedRows(file);
    const relation = await snapshot.relation({ files: [whole] });
    const stats = statsOf(file);
    const checks =
      stats === undefined ? [] : snapshot.schema.fields.flatMap((field) => checksOf(field, stats, snapshot));
    const columns = checks.map(({ sql }, i) => `${sql} AS c${String(i)}`);
    const [row = {}] = await session.rows(`SELECT ${['count(*) AS n', ...columns].join(', ')} FROM ${relation}`);
    const rows = stats?.['numRecords'];
    if (isCount(rows) && textOf(row['n']) !== String(rows))
      found.push(problem('rows', `the file has ${textOf(row['n'])} rows, the log says ${String(rows)}`));
    found.push(
      ...checks.flatMap(({ message }, i) =>
        isZero(row, i) ? [] : [problem('statistics', `${textOf(row[`c${String(i)}`])} ${message}`)],
      ),
    );
    return found;
  } catch (error) {
    const isVector = error instanceof SluiceError && error.code === 'DELETION_VECTOR_CORRUPT';
    return [...found, problem(isVector ? 'deletionVector' : 'unreadable', messageOf(error))];
  }
}

interface Check {
  /** Counts what is wrong. */
  readonly sql: string;
  readonly message: string;
}

/** What the statistics claim of a column: the bounds of its values, and how many are NULL. */
function checksOf(field: Field, stats: JsonObject, snapshot: Snapshot): Check[] {
  if (snapshot.partitionColumns.includes(field.name)) return [];
  const name = snapshot.physicalName(field);
  const of = (which: string): Json | undefined => {
    const values = stats[which];
    return isJsonObject(values) ? values[name] : undefined;
  };
  const column = quoteIdent(field.name);
  const [min, max, nulls] = [boundOf(of('minValues'), field, 'least'), boundOf(of('maxValues'), field, 'greatest'), of('nullCount')];
  const upper = max !== undefined && isInstant(field.type) ? `${max} + INTERVAL ${String(ROUNDED)} MICROSECOND` : max;
  const shown = `of column ${field.name}`;
  return [
    ...(min === undefined ? [] : [{ sql: `count(*) FILTER (${column} < ${min})`, message: `values ${shown} are below the minimum in the log` }]),
    ...(upper === undefined ? [] : [{ sql: `count(*) FILTER (${column} > ${upper}${isFloating(field.type) ? ` AND NOT isnan(${column})` : ''})`, message: `values ${shown} are above the maximum in the log` }]),
    ...(isCount(nulls) && stats['tightBounds'] !== false ? [{ sql: `abs(count(*) FILTER (${column} IS NULL) - ${String(nulls)})`, message: `NULLs ${shown} more or less than the log says` }] : []),
  ];
} // prettier-ignore

/** A column that was widened from FLOAT has bounds that were written as FLOATs: the wider of the two readings counts. */
function boundOf(value: Json | undefined, { type, metadata }: Field, wider: 'least' | 'greatest'): string | undefined {
  const literal = literalOf(value, type);
  if (literal === undefined || metadata['delta.typeChanges'] === undefined || !isFloating(type)) return literal;
  return `${wider}(${literal}, CAST(TRY_CAST(${literal} AS FLOAT) AS DOUBLE))`;
}

function literalOf(value: Json | undefined, type: DataType): string | undefined {
  if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'bigint') return undefined;
  // JSON has decimals as doubles: the digits beyond are not the log's.
  if (type.kind !== 'primitive' || type.name === 'binary' || type.name === 'boolean') return undefined;
  return `CAST(${quoteString(String(value))} AS ${duckdbType(type)})`;
}

function statsOf({ stats }: AddFile): JsonObject | undefined {
  if (stats === undefined) return undefined;
  try {
    const json = parseJson(stats);
    return isJsonObject(json) ? json : undefined;
  } catch {
    return undefined;
  }
}

function isCount(value: Json | undefined): value is number | bigint {
  return typeof value === 'number' || typeof value === 'bigint';
}

function isZero(row: Row, i: number): boolean {
  return textOf(row[`c${String(i)}`]) === '0';
}

function isInstant(type: DataType): boolean {
  return type.kind === 'primitive' && (type.name === 'timestamp' || type.name === 'timestamp_ntz');
}

function isFloating(type: DataType): boolean {
  return type.kind === 'primitive' && (type.name === 'float' || type.name === 'double');
}
