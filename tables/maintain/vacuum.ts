/**
 * VACUUM: deletes files that no version within the retention time needs.
 *
 * Promise: a file is deleted only when the newest version does not have it, no tombstone younger than the retention time
 * names it, and it is itself older than that: files of commits that are under way are spared. Hidden folders (`_…`, `.…`) other
 * than those of change data are not looked into. What the result names was deleted, and nothing else.
 * Source: Delta protocol, "VACUUM Protocol Check"; Databricks, "VACUUM".
 */
import { SluiceError } from '../../core/errors.ts';
import { deletionVectorPath } from '../deletion-vectors/deleted-rows.ts';
import type { AddFile, RemoveFile } from '../log/actions.ts';
import { tombstoneRetentionMs } from '../log/retention.ts';
import type { Clock } from '../../core/clock.ts';
import type { Steps } from '../operation.ts';
import type { Snapshot } from '../snapshot.ts';
import type { ObjectMeta, ObjectStore } from '../store/object-store.ts';
import { placeOf } from '../store/place.ts';

export interface VacuumOptions {
  /** Files that were needed within this time are kept. @default `delta.deletedFileRetentionDuration`, else 168 */
  readonly retainHours?: number;
  /** Allows less than the table's own retention: readers of older versions, and writers at work, may lose files. */
  readonly force?: boolean;
  /** Deletes nothing. */
  readonly dryRun?: boolean;
  readonly onProgress?: (done: number, all: number) => void;
  /** Aborted to stop between two files. */
  readonly signal?: AbortSignal;
}

export interface VacuumResult {
  /** Paths inside the table: what was deleted, or would be. */
  readonly deleted: readonly string[];
  readonly bytes: bigint;
}

interface VacuumParts {
  readonly table: Steps;
  readonly store: ObjectStore;
  readonly clock: Clock;
}

const HOUR_MS = 3_600_000;
const AT_ONCE = 16;

/** @throws SluiceError `RETENTION_TOO_SHORT`, `UNSUPPORTED_FEATURE`, `STORAGE_*`, `INTERRUPTED` */
export async function vacuumTable(parts: VacuumParts, options: VacuumOptions = {}): Promise<VacuumResult> {
  const { table, store, clock } = parts;
  const snapshot = await table.snapshot();
  const own = tombstoneRetentionMs(snapshot.properties);
  const retentionMs = options.retainHours === undefined ? own : options.retainHours * HOUR_MS;
  if (retentionMs < own && options.force !== true) throw tooShort(snapshot, retentionMs, own);
  const before = clock.nowMs() - retentionMs;
  const needed = neededFiles(snapshot, store, before);
  const found: ObjectMeta[] = [];
  for await (const meta of store.list('')) {
    if (isData(meta.path) && meta.modifiedMs < before && !needed.has(meta.path)) found.push(meta);
  }
  const bytes = found.reduce((sum, meta) => sum + BigInt(meta.bytes), 0n);
  const deleted = found.map(({ path }) => path);
  if (options.dryRun === true || deleted.length === 0) return { deleted, bytes };
  await logged(parts, 'VACUUM START', { numFilesToDelete: String(deleted.length), sizeOfDataToDelete: String(bytes) });
  for (let i = 0; i < deleted.length; i += AT_ONCE) {
    if (options.signal?.aborted === true) throw interrupted(snapshot, i, deleted.length);
    await Promise.all(deleted.slice(i, i + AT_ONCE).map((path) => store.delete(path)));
    options.onProgress?.(Math.min(i + AT_ONCE, deleted.length), deleted.length);
  }
  await logged(parts, 'VACUUM END', { numDeletedFiles: String(deleted.length) });
  return { deleted, bytes };
}

function neededFiles(snapshot: Snapshot, store: ObjectStore, before: number): Set<string> {
  const needed = new Set<string>();
  const keep = ({ path, deletionVector }: AddFile | RemoveFile): void => {
    const paths = [path, ...(deletionVector === undefined || deletionVector.storageType === 'i' ? [] : [deletionVectorPath(deletionVector)])]; // prettier-ignore
    for (const one of paths) {
      const place = placeOf(store, one);
      if (place.store === store) needed.add(place.path);
    }
  };
  for (const file of snapshot.files) keep(file);
  for (const file of snapshot.removed) if (file.deletionMs >= before) keep(file);
  return needed;
}

/** Whether a path is one that a table's own files can have. Partition folders may begin with `_` when their column does. */
function isData(path: string): boolean {
  const folders = path.split('/');
  if (folders[0] === '_change_data') return true;
  return folders.every((part, i) => !/^[._]/.test(part) || (i < folders.length - 1 && part.includes('=')));
}

/** A line in the table's history, with which nothing else changes. */
async function logged({ table }: VacuumParts, operation: string, metrics: Record<string, string>): Promise<void> {
  await table.commit({ operation, mode: 'append', add: [], operationParameters: {}, metrics });
}

function interrupted({ location }: Snapshot, done: number, all: number): SluiceError {
  return new SluiceError('INTERRUPTED', `${location}: stopped after ${String(done)} of ${String(all)} files`, {
    advice: 'Run it again for the others.',
    facts: { table: location },
  });
}

function tooShort({ location }: Snapshot, asked: number, own: number): SluiceError {
  const hours = (ms: number): string => String(Math.round((ms / HOUR_MS) * 100) / 100);
  return new SluiceError(
    'RETENTION_TOO_SHORT',
    `${location}: ${hours(asked)} hours are less than the ${hours(own)} that the table keeps old files for`,
    {
      advice:
        'Readers of older versions and writers at work could lose files. Keep more, set delta.deletedFileRetentionDuration, or force it when nobody is at work.',
      facts: { table: location },
    },
  );
}
