/**
 * Rows that are deleted where they lie: their files stay, and a deletion vector says which of their rows are gone (merge-on-read).
 *
 * Promise: rows that were deleted before stay so; nothing is in the table before the commit; a vector that does not have exactly the
 * rows that were meant is never committed. Source: Delta protocol, "Deletion Vectors", "Per-file Statistics" (`tightBounds`).
 */
import { SluiceError } from '../../core/errors.ts';
import { isJsonObject, parseJson, stringifyJson } from '../../core/json.ts';
import { quoteIdent } from '../../engine/quoting.ts';
import { textOf } from '../../engine/values.ts';
import { countRows, rowsOfBoth, type DeletedRows } from '../deletion-vectors/deleted-rows.ts';
import { writeVectors } from '../deletion-vectors/write.ts';
import type { AddFile } from '../log/actions.ts';
import { isActive } from '../log/features.ts';
import type { OperatedOnRows } from '../operation.ts';
import { writtenFor } from '../written-for.ts';
import type { Snapshot } from '../snapshot.ts';

/** A file that keeps some of its rows. */
export interface Marked {
  readonly file: AddFile;
  /** How many rows it has now, and how many of them go. */
  readonly rows: bigint;
  readonly taken: bigint;
}

/** Where the rows lie that go: a query of two columns, and the files that it names. */
export interface Places {
  readonly query: string;
  readonly file: string;
  readonly row: string;
  readonly files: ReadonlyMap<string, AddFile>;
}

export interface Marks {
  /** The same data files with other deletion vectors. */
  readonly add: readonly AddFile[];
  /** The file of the vectors; nobody needs it when the commit does not come about. */
  readonly staged: readonly { readonly path: string }[];
}

/** Whether rows of this table are to be deleted where they lie. */
export function marksRows({ protocol, metadata }: Snapshot): boolean {
  return isActive('deletionVectors', { protocol, metadata });
}

/** @param marked one at least */
export async function markRows(
  { session, store, random }: OperatedOnRows,
  snapshot: Snapshot,
  marked: readonly Marked[],
  { query, file, row, files }: Places,
): Promise<Marks> {
  const physical = marked.map(({ file: data, rows }) => rows + deletedBefore(data));
  const most = physical.reduce((a, b) => (a > b ? a : b), 0n);
  // Whole bytes: then the bits of a row number are where `DeletedRows` has them.
  const last = ((most + 7n) / 8n) * 8n - 1n;
  const found = await session.rows(
    `SELECT ${quoteIdent(file)} AS file, bitstring_agg(${quoteIdent(row)}::BIGINT, 0::BIGINT, ${String(last)}::BIGINT)::BLOB AS bits, count(*) AS n FROM (${query}) AS q GROUP BY ALL`,
  );
  const sets = new Map<string, DeletedRows>();
  for (const { file: path, bits, n } of found) {
    const one = marked.find((each) => each.file.path === files.get(textOf(path))?.path);
    if (one === undefined || !(bits instanceof Uint8Array)) continue;
    if (BigInt(textOf(n)) !== one.taken) throw miscounted(snapshot, one, n);
    sets.set(one.file.path, rowsOfBoth({ first: 0, bits }, await snapshot.deletedRows(one.file)));
  }
  const all = marked.map((one) => {
    const set = sets.get(one.file.path);
    const rows = set === undefined ? 0n : countRows(set);
    if (set === undefined || rows !== deletedBefore(one.file) + one.taken) throw miscounted(snapshot, one, rows);
    return set;
  });
  const { path, vectors } = await writeVectors({ store, random }, all);
  const asked = writtenFor(snapshot.protocol, snapshot.metadata, snapshot.location);
  const add = marked.map(({ file: data, rows, taken }, i): AddFile => {
    const deletionVector = vectors[i];
    const stats = looseStats(data.stats, rows + deletedBefore(data));
    const vector = deletionVector === undefined ? {} : { deletionVector };
    return { ...data, ...vector, stats, rows: rows - taken, dataChange: true, writtenFor: asked };
  });
  return { add, staged: [{ path }] };
}

function deletedBefore({ deletionVector }: AddFile): bigint {
  return deletionVector?.cardinality ?? 0n;
}

/** How many data files a change adds and removes; one that only gets another deletion vector stays. */
export function fileCounts(
  removed: readonly AddFile[],
  added: readonly AddFile[],
): { readonly filesAdded: number; readonly filesRemoved: number } {
  const before = new Set(removed.map(({ path }) => path));
  const stays = added.filter(({ path }) => before.has(path)).length;
  return { filesAdded: added.length - stays, filesRemoved: removed.length - stays };
}

/** What Spark calls the vectors that a change makes and takes away; of merges it says that they are of the target. */
export function vectorMetrics(
  prefix: 'num' | 'numTarget',
  removed: readonly AddFile[],
  added: readonly AddFile[],
): Readonly<Record<string, string>> {
  const had = new Set(removed.filter(({ deletionVector }) => deletionVector !== undefined).map(({ path }) => path));
  const has = added.filter(({ deletionVector }) => deletionVector !== undefined).map(({ path }) => path);
  const updated = has.filter((path) => had.has(path)).length;
  return {
    [`${prefix}DeletionVectorsAdded`]: String(has.length),
    [`${prefix}DeletionVectorsRemoved`]: String(had.size),
    [`${prefix}DeletionVectorsUpdated`]: String(updated),
  };
}

/** Bounds of the whole file still hold for the rows that are left, and are no longer reached by one of them. */
function looseStats(stats: string | undefined, numRecords: bigint): string {
  const json = stats === undefined ? {} : parseJson(stats);
  return stringifyJson({ ...(isJsonObject(json) ? json : {}), numRecords, tightBounds: false });
}

function miscounted({ location, version }: Snapshot, { file, taken }: Marked, found: unknown): SluiceError {
  return new SluiceError('INTERNAL', `${location}: ${String(taken)} rows of ${file.path} were to go, not ${String(found)}`, {
    advice: 'Nothing was changed. Please report it.',
    facts: { table: location, version, file: file.path },
  }); // prettier-ignore
}
