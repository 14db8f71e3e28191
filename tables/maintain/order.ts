/**
 * OPTIMIZE … ZORDER BY, and OPTIMIZE of a clustered table: the rows of a partition are written anew in the order of a curve through some
 * columns.
 *
 * Promise: as for OPTIMIZE; a partition is read once and sorted by DuckDB, which spills to disk what does not fit; one that was
 * put in order by the same columns, with nothing beside it since, is left alone. In a clustered table what is large and in order stays, and
 * only what came since is put in order: the cost follows the new rows. Files say by their tags what they are ordered by, in the words that
 * Delta uses. Source: Databricks, "OPTIMIZE"; Delta's `AddFile.Tags` (`ZCUBE_*`), `ClusteringStrategy`.
 */
import { SluiceError } from '../../core/errors.ts';
import type { Random } from '../../core/random.ts';
import type { Field } from '../../core/schema.ts';
import { nameAdvice } from '../../core/suggest.ts';
import { quoteIdent } from '../../engine/quoting.ts';
import type { Session } from '../../engine/session.ts';
import { PROVIDER } from '../clustering.ts';
import type { AddFile } from '../log/actions.ts';
import { bytesOf, type Attempt, type OperatedWithRows } from '../operation.ts';
import type { Snapshot } from '../snapshot.ts';
import { partitionsOf } from './bins.ts';
import { CURVE_COLUMNS_MOST, curvePlace, rangesOf } from './curve.ts';
import { checkRows, countRows, stepAttempt, type Step } from './step.ts';

export interface OrderOptions {
  readonly where: string | undefined;
  /** Columns that a user names for once, or those of a clustered table. */
  readonly by: { readonly zOrderBy: readonly string[] } | { readonly clusterBy: readonly string[] };
  readonly targetBytes: number;
  readonly signal: AbortSignal | undefined;
}

const ROWS = '__sluice_ordered';
/** Bounds are taken from so many rows. */
const SAMPLE_ROWS = 100_000;
const BOUND_CHARACTERS = 64;
const CURVE = 'hilbert';
/** In a clustered table so many files' worth of rows, in order together, are not put in order anew. */
const LARGE_FILES = 64;

/**
 * Puts the first partition in order that is not.
 * @param files those that may be written anew
 * @param done partitions that were put in order: what others have added since waits for the next run
 */
export async function orderStep(
  { table, session, random }: OperatedWithRows,
  snapshot: Snapshot,
  files: readonly AddFile[],
  options: OrderOptions,
  done: ReadonlySet<string>,
): Promise<Attempt<Step>> {
  const { by, targetBytes } = options;
  const clusters = 'clusterBy' in by;
  const columns = columnsOf(snapshot, clusters ? by.clusterBy : by.zOrderBy);
  const names = columns.map(({ name }) => name);
  const wanted = clusters ? withoutLarge(files, names, LARGE_FILES * targetBytes) : files;
  const all = [...partitionsOf(wanted)].filter(([key, some]) => !done.has(key) && !isOrdered(some, names));
  const [first, ...left] = all;
  const leftBytes = bytesOf(left.flatMap(([, some]) => some));
  if (first === undefined) return stepAttempt(snapshot, { added: [], removed: [], leftBytes }, options);
  const [, removed] = first;
  if (options.signal?.aborted === true) throw new SluiceError('INTERRUPTED', `${snapshot.location}: stopped`);
  const staged = await ordered(snapshot, removed, columns, targetBytes, { table, session, random });
  const added = clusters ? staged.map((file) => ({ ...file, clusteringProvider: PROVIDER })) : staged;
  const said = clusters ? { clusterBy: names } : { zOrderBy: names };
  return stepAttempt(snapshot, { added, removed, leftBytes }, { ...options, ...said });
}

/** The rows of some files of one partition, in files of their own, in order. */
async function ordered(
  snapshot: Snapshot,
  files: readonly AddFile[],
  columns: readonly Field[],
  targetBytes: number,
  { table, session, random }: Pick<OperatedWithRows, 'table' | 'session'> & { readonly random: Random },
): Promise<AddFile[]> {
  const { schema, partitionColumns } = snapshot;
  const relation = await snapshot.relation({ files });
  const before = await countRows(session, relation);
  const place = columns.length === 1 ? [] : [curvePlace(columns, await boundsOf(session, relation, columns))];
  const sortedBy = [...place, ...columns.map(({ name }) => quoteIdent(name))].join(', ');
  const count = Math.max(1, Math.ceil(Number(bytesOf(files)) / targetBytes));
  const rowsEach = Math.max(1, Math.ceil(Number(before) / count));
  const tags = {
    ZCUBE_ID: random.uuid(),
    ZCUBE_ZORDER_BY: JSON.stringify(columns.map(({ name }) => name)),
    ZCUBE_ZORDER_CURVE: CURVE,
  };
  const added: AddFile[] = [];
  try {
    await session.run(`CREATE OR REPLACE TEMP TABLE ${ROWS} AS SELECT * FROM ${relation} ORDER BY ${sortedBy}`);
    for (let from = 0; from < Number(before); from += rowsEach) {
      const query = `SELECT * FROM ${ROWS} WHERE rowid >= ${String(from)} AND rowid < ${String(from + rowsEach)}`;
      const staged = await table.stage(session, query, { schema, partitionColumns, areItsOwn: true });
      added.push(...staged.map((file) => ({ ...file, tags })));
    }
  } catch (error) {
    await table.discard(added).catch(() => undefined);
    throw error;
  } finally {
    await session.run(`DROP TABLE IF EXISTS ${ROWS}`).catch(() => undefined);
  }
  await checkRows(table, snapshot, added, before);
  return added;
}

/** Where the ranges of each column begin: each has about as many rows of a sample. */
async function boundsOf(session: Session, relation: string, columns: readonly Field[]): Promise<string[][]> {
  const ranges = rangesOf(columns.length);
  const parts = Array.from({ length: ranges - 1 }, (_, i) => String((i + 1) / ranges)).join(', ');
  const lists = columns.map(
    (column, i) =>
      `list_sort(list_distinct(quantile_disc(${shortened(column)}, [${parts}])))::VARCHAR[] AS c${String(i)}`,
  );
  const sample = `(FROM ${relation}) AS r USING SAMPLE reservoir(${String(SAMPLE_ROWS)} ROWS) REPEATABLE (1)`;
  const [row] = await session.rows(`SELECT ${lists.join(', ')} FROM ${sample}`);
  return columns.map((_, i) => {
    const bounds = row?.[`c${String(i)}`];
    return Array.isArray(bounds) ? bounds.filter((bound) => typeof bound === 'string') : [];
  });
}

/** A bound is a place to cut at, and stands in the text of the query: the beginning of a long text does as well. */
function shortened({ name, type }: Field): string {
  const isText = type.kind === 'primitive' && type.name === 'string';
  return isText ? `left(${quoteIdent(name)}, ${String(BOUND_CHARACTERS)})` : quoteIdent(name);
}

/** Files but those of wholes that are in order by the columns and large. */
function withoutLarge(files: readonly AddFile[], columns: readonly string[], largeBytes: number): readonly AddFile[] {
  const by = JSON.stringify(columns);
  const wholeOf = ({ tags, deletionVector }: AddFile): string | undefined =>
    deletionVector === undefined && tags?.['ZCUBE_ZORDER_BY'] === by ? (tags['ZCUBE_ID'] ?? undefined) : undefined;
  const bytes = new Map<string, bigint>();
  for (const file of files) {
    const whole = wholeOf(file);
    if (whole !== undefined) bytes.set(whole, (bytes.get(whole) ?? 0n) + file.bytes);
  }
  return files.filter((file) => Number(bytes.get(wholeOf(file) ?? '') ?? 0n) < largeBytes);
}

/** Whether files are one ordered whole already. */
function isOrdered(files: readonly AddFile[], columns: readonly string[]): boolean {
  const [first] = files;
  const cube = first?.tags?.['ZCUBE_ID'];
  const by = JSON.stringify(columns);
  return files.every(
    ({ tags, deletionVector }) =>
      deletionVector === undefined &&
      typeof cube === 'string' &&
      tags?.['ZCUBE_ID'] === cube &&
      tags['ZCUBE_ZORDER_BY'] === by,
  );
}

/** @throws SluiceError `UNKNOWN_COLUMN`, `SQL_INVALID` for columns that nothing can be ordered by */
function columnsOf({ schema, partitionColumns, location }: Snapshot, names: readonly string[]): Field[] {
  const refuse = (why: string, advice: string): never => {
    throw new SluiceError('SQL_INVALID', `${location}: ZORDER BY ${names.join(', ')}: ${why}`, {
      advice,
      facts: { table: location },
    });
  };
  const columns = names.map((name) => {
    const field = schema.fields.find((one) => one.name.toLowerCase() === name.toLowerCase());
    if (field !== undefined) return field;
    const there = schema.fields.map((one) => one.name);
    throw new SluiceError('UNKNOWN_COLUMN', `${location} has no column ${name}`, {
      advice: nameAdvice(name, there),
      facts: { table: location, column: name },
    });
  });
  for (const [i, { name, type }] of columns.entries()) {
    if (partitionColumns.includes(name))
      refuse(`${name} is a partition column`, 'Each partition is put in order for itself: leave it out.');
    if (columns.findIndex((column) => column.name === name) !== i) refuse(`${name} is there twice`, 'Leave one out.');
    const isScalar = type.kind === 'decimal' || (type.kind === 'primitive' && type.name !== 'binary');
    if (!isScalar) refuse(`${name} has no order that statistics know`, 'Name columns with numbers, texts or times.');
  }
  if (columns.length > CURVE_COLUMNS_MOST) {
    const most = String(CURVE_COLUMNS_MOST);
    refuse(
      `${String(columns.length)} columns are too many`,
      `Name ${most} at most: each one more helps all of them less.`,
    );
  }
  return columns;
}
