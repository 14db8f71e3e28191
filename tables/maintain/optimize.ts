/**
 * OPTIMIZE: small files are written anew as larger ones, and the rows of a clustered table in the order of its columns.
 *
 * Promise: the same rows, counted before anything is committed; no stream that follows the table reads them twice
 * (`dataChange` is false); writers that append meanwhile are not disturbed; a step at a time is committed, so that what was done
 * stays done. Source: Delta protocol, "Add File and Remove File" (`dataChange`); Databricks, "OPTIMIZE".
 */
import { SluiceError } from '../../core/errors.ts';
import { pathText } from '../alter/path.ts';
import { mayCluster } from '../clustering.ts';
import type { AddFile } from '../log/actions.ts';
import { bytesOf, operate, type Attempt, type OperatedWithRows } from '../operation.ts';
import type { Snapshot } from '../snapshot.ts';
import { binsOf, partitionsOf } from './bins.ts';
import { orderStep } from './order.ts';
import { filesWhere } from './partition-filter.ts';
import { checkRows, countRows, stepAttempt, type Step, type StepReasons } from './step.ts';

export interface OptimizeOptions {
  /** SQL over partition columns; without it the whole table is looked at. */
  readonly where?: string;
  /**
   * Columns by which the rows of each partition are put in order, along a Hilbert curve when there are several: conditions on any
   * of them then leave most files unread. All files of the partitions looked at are written anew, but for those in order already.
   */
  readonly zOrderBy?: readonly string[];
  /**
   * Only files with deleted rows (deletion vectors) are written anew, without those rows: engines that know no vectors can then read
   * the table, and vacuum takes the rows from the disk. Not with `zOrderBy`. Source: Databricks, "REORG TABLE".
   * @default false
   */
  readonly purge?: boolean;
  /** How large a file should be. @default `delta.targetFileSize` of the table, else 128 MiB */
  readonly targetBytes?: number;
  /** Told after each step how much is done. */
  readonly onProgress?: (doneBytes: bigint, allBytes: bigint) => void;
  /** Aborted to stop between two files; what was committed by then stays. */
  readonly signal?: AbortSignal;
}

export interface OptimizeResult {
  /** The last version that was made; undefined when nothing was worth it. */
  readonly version: bigint | undefined;
  readonly filesAdded: number;
  readonly filesRemoved: number;
  readonly bytesAdded: bigint;
  readonly bytesRemoved: bigint;
}

const TARGET_BYTES = 128 * 2 ** 20;
/** So much is committed at once. */
const STEP_BYTES = 2 ** 30;

/** @throws SluiceError `USAGE` for a purge in an order, `SQL_INVALID`, `COMMIT_CONTENTION`, what staging and committing throw */
export async function optimizeTable(parts: OperatedWithRows, options: OptimizeOptions = {}): Promise<OptimizeResult> {
  if (options.purge === true && (options.zOrderBy ?? []).length > 0) {
    throw new SluiceError(
      'USAGE',
      `${parts.table.location}: a purge leaves files without deleted rows as they are, and puts none in order`,
      {
        advice: 'Purge first, then put the rows in order.',
      },
    );
  }
  const total = { version: undefined as bigint | undefined, filesAdded: 0, filesRemoved: 0, bytesAdded: 0n, bytesRemoved: 0n }; // prettier-ignore
  const done = new Set<string>();
  for (;;) {
    const step = await operate({ ...parts, signal: options.signal }, 'files', (snapshot) =>
      oneStep(parts, snapshot, options, done),
    );
    if (step.version === undefined) return total;
    for (const partition of partitionsOf(step.removed).keys()) done.add(partition);
    total.version = step.version;
    total.filesAdded += step.added.length;
    total.filesRemoved += step.removed.length;
    total.bytesAdded += bytesOf(step.added);
    total.bytesRemoved += bytesOf(step.removed);
    options.onProgress?.(total.bytesRemoved, total.bytesRemoved + step.leftBytes);
    if (step.leftBytes === 0n) return total;
  }
}

async function oneStep(
  parts: OperatedWithRows,
  snapshot: Snapshot,
  options: OptimizeOptions,
  done: ReadonlySet<string>,
): Promise<Attempt<Step>> {
  const { where, targetBytes = targetOf(snapshot.properties), zOrderBy = [], purge = false, signal } = options;
  const looked = where === undefined ? snapshot.files : await filesWhere(parts.session, snapshot, where);
  const files = purge ? looked.filter(({ deletionVector }) => deletionVector !== undefined) : looked;
  if (zOrderBy.length > 0) {
    if (snapshot.clusteringColumns.length > 0) throw isClustered(snapshot);
    return orderStep(parts, snapshot, files, { where, by: { zOrderBy }, targetBytes, signal }, done);
  }
  const clusterBy = purge ? [] : columnsToClusterBy(snapshot);
  // Deleted rows go whoever put the others in order, and the order of a table that is no longer clustered is nobody's any more.
  const ours = purge || snapshot.clusteringColumns.length === 0 ? files : files.filter(mayCluster);
  if (clusterBy.length === 0) return compactStep(parts, snapshot, ours, { where, purge, targetBytes, signal });
  return orderStep(parts, snapshot, ours, { where, by: { clusterBy }, targetBytes, signal }, done);
}

/** None for a table that is clustered by a field of a struct: its files are put together, and their rows in no order. */
function columnsToClusterBy({ clusteringColumns }: Snapshot): readonly string[] {
  return clusteringColumns.every(({ length }) => length === 1) ? clusteringColumns.flat() : [];
}

function isClustered({ location, clusteringColumns }: Snapshot): SluiceError {
  const by = clusteringColumns.map(pathText).join(', ');
  return new SluiceError('USAGE', `${location} is clustered by ${by}: OPTIMIZE puts its rows in that order`, {
    advice: 'Leave the columns out, or cluster the table by other ones (ALTER TABLE … CLUSTER BY).',
    facts: { table: location },
  });
}

interface CompactOptions extends StepReasons {
  readonly targetBytes: number;
  readonly signal: AbortSignal | undefined;
}

/** Writes some files anew as larger ones: those of which several go into one, a step's worth at most. */
export async function compactStep(
  { table, session }: OperatedWithRows,
  snapshot: Snapshot,
  files: readonly AddFile[],
  { targetBytes, signal, ...reasons }: CompactOptions,
): Promise<Attempt<Step>> {
  const bins = binsOf(files, targetBytes);
  const all = bytesOf(bins.flat());
  const removed: AddFile[] = [];
  const added: AddFile[] = [];
  try {
    for (const bin of bins) {
      if (bytesOf(removed) >= BigInt(STEP_BYTES)) break;
      if (signal?.aborted === true) throw new SluiceError('INTERRUPTED', `${snapshot.location}: stopped`);
      added.push(...(await rewritten(snapshot, bin, { table, session })));
      removed.push(...bin);
    }
  } catch (error) {
    await table.discard(added).catch(() => undefined);
    throw error;
  }
  return stepAttempt(snapshot, { added, removed, leftBytes: all - bytesOf(removed) }, reasons);
}

/** The rows of some files of one partition as a file of their own. */
async function rewritten(
  snapshot: Snapshot,
  files: readonly AddFile[],
  { table, session }: Pick<OperatedWithRows, 'table' | 'session'>,
): Promise<AddFile[]> {
  const { schema, partitionColumns } = snapshot;
  const relation = await snapshot.relation({ files });
  const before = await countRows(session, relation);
  const added = await table.stage(session, `SELECT * FROM ${relation}`, { schema, partitionColumns, areItsOwn: true });
  await checkRows(table, snapshot, added, before);
  return added;
}

/** Source: Databricks, "Table properties": a number of bytes, or `128mb`. */
function targetOf(properties: Readonly<Record<string, string>>): number {
  const match = /^(\d+)\s*([kmg]?)b?$/i.exec(properties['delta.targetFileSize']?.trim() ?? '');
  if (match === null) return TARGET_BYTES;
  const [, amount = '', unit = ''] = match;
  const bytes = Number(amount) * 1024 ** ['', 'k', 'm', 'g'].indexOf(unit.toLowerCase());
  return bytes > 0 ? bytes : TARGET_BYTES;
}
