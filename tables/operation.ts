/**
 * What operations on a table have in common: they are made from a snapshot, and made anew from a newer one when others have
 * changed what they read.
 *
 * Promise: attempts are bounded, and files of an attempt that lost are deleted.
 */
import type { Clock } from '../core/clock.ts';
import { SluiceError } from '../core/errors.ts';
import type { Random } from '../core/random.ts';
import type { Session } from '../engine/session.ts';
import type { Change, CommitResult } from './change.ts';
import type { AddFile } from './log/actions.ts';
import type { Conflict } from './log/conflicts.ts';
import { missingDataFile } from './missing-file.ts';
import type { Snapshot } from './snapshot.ts';
import { FileLease } from './store/lease.ts';
import type { ObjectStore } from './store/object-store.ts';
import type { Shape } from './write.ts';

/** The steps of a `DeltaTable` that operations are made of. */
export interface Steps {
  readonly location: string;
  snapshot(at?: bigint | Date): Promise<Snapshot>;
  stage(session: Session, query: string, shape: Shape): Promise<AddFile[]>;
  commit(change: Change): Promise<CommitResult>;
  discard(files: readonly StagedFile[]): Promise<void>;
}

/** A file that was written and is in no version yet: of rows, of changes of rows, or of deletion vectors. */
export interface StagedFile {
  /** As the log has paths. */
  readonly path: string;
}

/** What an operation works with. */
export interface Operated {
  readonly table: Steps;
  readonly clock: Clock;
  readonly random: Random;
  /** Aborted to stop before the commit. */
  readonly signal?: AbortSignal | undefined;
}

export interface OperatedWithRows extends Operated {
  /** One of its own: operations make temporary tables. */
  readonly session: Session;
}

/** What an operation on rows that are in the table works with: it may write deletion vectors. */
export interface OperatedOnRows extends OperatedWithRows {
  /** Where the table lies. */
  readonly store: ObjectStore;
}

export interface Attempt<T> {
  /** Undefined when there is nothing to do. */
  readonly change: Change | undefined;
  /** Files that were written for the change: nobody needs them when it does not come about. */
  readonly staged: readonly StagedFile[];
  readonly result: T;
}

/** How often an operation is made anew. */
const ATTEMPTS = 6;
const LONGEST_PAUSE_MS = 1000;

/**
 * @param changes rows: refused where a table only takes appends
 * @param attempt stages what is to be committed
 * @returns the version that was made, undefined when there was nothing to do
 * @throws SluiceError `COMMIT_CONTENTION` when others were always faster, `UNSUPPORTED_FEATURE`, `TABLE_APPEND_ONLY` before anything
 *   is read, `FILE_MISSING`, `INTERRUPTED`
 */
export async function operate<T>(
  { table, clock, random, signal }: Operated,
  changes: 'rows' | 'files',
  attempt: (snapshot: Snapshot) => Promise<Attempt<T>>,
): Promise<T & { readonly version: bigint | undefined }> {
  let lost: Conflict | undefined;
  for (let attempts = 0; attempts < ATTEMPTS; attempts++) {
    if (attempts > 0) await clock.sleep(random.next() * LONGEST_PAUSE_MS, signal);
    const snapshot = await table.snapshot();
    snapshot.checkChangeable(changes);
    const { change, staged, result } = await FileLease.during(() => attempt(snapshot)).catch((error: unknown) => {
      throw missingDataFile(error, [snapshot]) ?? error;
    });
    if (change === undefined) return { ...result, version: undefined };
    if (signal?.aborted === true) {
      await table.discard(staged).catch(() => undefined);
      throw new SluiceError('INTERRUPTED', `${table.location}: stopped before anything was committed`);
    }
    const outcome = await table.commit(change);
    if (outcome.kind === 'committed') return { ...result, version: outcome.version };
    lost = outcome.reason;
    // What cannot be deleted now is in no version, and vacuum finds it later.
    await table.discard(staged).catch(() => undefined);
  }
  throw new SluiceError(
    'COMMIT_CONTENTION',
    `${table.location}: others changed what the operation had read, ${String(ATTEMPTS)} times; the last time ${lost?.message ?? ''}`,
    {
      advice: 'Nothing of this attempt was changed. Run it again while fewer writers are at work, or over fewer rows.',
      facts: { table: table.location, conflict: lost?.kind, version: lost?.version },
    },
  );
}

/** The files of partitions, as one number each. */
export function bytesOf(files: readonly AddFile[]): bigint {
  return files.reduce((sum, file) => sum + file.bytes, 0n);
}
