/**
 * OPTIMIZE: small files are written anew as larger ones.
 *
 * Promise: the same rows, counted before anything is committed; no stream that follows the table reads them twice
 * (`dataChange` is false); writers that append meanwhile are not disturbed; a step at a time is committed, so that what was done
 * stays done. Source: Delta protocol, "Add File and Remove File" (`dataChange`); Databricks, "OPTIMIZE".
 */
import { SluiceError } from '../../core/errors.ts';
import { textOf } from '../../engine/values.ts';
import type { AddFile } from '../log/actions.ts';
import { bytesOf, operate, type OperatedWithRows } from '../operation.ts';
import type { Snapshot } from '../snapshot.ts';
import { binsOf } from './bins.ts';
import { filesWhere } from './partition-filter.ts';

export interface OptimizeOptions {
  /** SQL over partition columns; without it the whole table is looked at. */
  readonly where?: string;
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

/** @throws SluiceError `SQL_INVALID`, `COMMIT_CONTENTION`, what staging and committing throw */
export async function optimizeTable(parts: OperatedWithRows, options: OptimizeOptions = {}): Promise<OptimizeResult> {
  const total = { version: undefined as bigint | undefined, filesAdded: 0, filesRemoved: 0, bytesAdded: 0n, bytesRemoved: 0n }; // prettier-ignore
  for (;;) {
    const step = await operate({ ...parts, signal: options.signal }, 'files', (snapshot) =>
      oneStep(parts, snapshot, options),
    );
    if (step.version === undefined) return total;
    total.version = step.version;
    total.filesAdded += step.added.length;
    total.filesRemoved += step.removed.length;
    total.bytesAdded += bytesOf(step.added);
    total.bytesRemoved += bytesOf(step.removed);
    options.onProgress?.(total.bytesRemoved, total.bytesRemoved + step.leftBytes);
    if (step.leftBytes === 0n) return total;
  }
}

interface Step {
  readonly added: readonly AddFile[];
  readonly removed: readonly AddFile[];
  readonly leftBytes: bigint;
}

async function oneStep({ table, session }: OperatedWithRows, snapshot: Snapshot, options: OptimizeOptions) {
  const { where, targetBytes = targetOf(snapshot.properties) } = options;
  const files = where === undefined ? snapshot.files : await filesWhere(session, snapshot, where);
  const bins = binsOf(files, targetBytes);
  const all = bytesOf(bins.flat());
  const removed: AddFile[] = [];
  const added: AddFile[] = [];
  try {
    for (const bin of bins) {
      if (bytesOf(removed) >= BigInt(STEP_BYTES)) break;
      if (options.signal?.aborted === true) throw new SluiceError('INTERRUPTED', `${snapshot.location}: stopped`);
      added.push(...(await rewritten(snapshot, bin, { table, session })));
      removed.push(...bin);
    }
  } catch (error) {
    await table.discard(added).catch(() => undefined);
    throw error;
  }
  const result: Step = { added, removed, leftBytes: all - bytesOf(removed) };
  if (removed.length === 0) return { change: undefined, staged: added, result };
  return {
    result,
    staged: added,
    change: {
      operation: 'OPTIMIZE',
      mode: 'rewrite' as const,
      dataChange: false,
      add: added,
      remove: removed,
      read: { version: snapshot.version, files: removed, wouldRead: () => false },
      operationParameters: { predicate: where === undefined ? [] : [where], zOrderBy: [], auto: false },
      metrics: {
        numAddedFiles: String(added.length),
        numAddedBytes: String(bytesOf(added)),
        numRemovedBytes: String(bytesOf(removed)),
      },
    },
  };
}

/** The rows of some files of one partition as a file of their own. */
async function rewritten(
  snapshot: Snapshot,
  files: readonly AddFile[],
  { table, session }: Pick<OperatedWithRows, 'table' | 'session'>,
): Promise<AddFile[]> {
  const { schema, partitionColumns } = snapshot;
  const relation = await snapshot.relation({ files });
  const [counted] = await session.rows(`SELECT count(*) AS n FROM ${relation}`);
  const before = textOf(counted?.['n']);
  const added = await table.stage(session, `SELECT * FROM ${relation}`, { schema, partitionColumns });
  const rows = added.reduce((sum, file) => sum + (file.rows ?? 0n), 0n);
  if (String(rows) === before) return added;
  await table.discard(added);
  throw new SluiceError('INTERNAL', `${snapshot.location}: ${before} rows became ${String(rows)}`, {
    advice: 'Nothing was changed. Please report it.',
    facts: { table: snapshot.location, version: snapshot.version },
  });
}

/** Source: Databricks, "Table properties": a number of bytes, or `128mb`. */
function targetOf(properties: Readonly<Record<string, string>>): number {
  const match = /^(\d+)\s*([kmg]?)b?$/i.exec(properties['delta.targetFileSize']?.trim() ?? '');
  if (match === null) return TARGET_BYTES;
  const [, amount = '', unit = ''] = match;
  const bytes = Number(amount) * 1024 ** ['', 'k', 'm', 'g'].indexOf(unit.toLowerCase());
  return bytes > 0 ? bytes : TARGET_BYTES;
}
