/**
 * RESTORE: the table becomes what it was at an earlier version, as a new version.
 *
 * Promise: nothing of the history is lost, so that a restore can be restored; refused when a data file of that version is gone,
 * or while a vacuum may be deleting it.
 * The protocol never goes back, and application ids stay: a stream that fills the table goes on from where it was.
 * Source: Databricks, "RESTORE".
 */
import { atOnce } from '../../core/at-once.ts';
import { SluiceError } from '../../core/errors.ts';
import { pathsOf } from '../deletion-vectors/deleted-rows.ts';
import { readHistory } from '../history.ts';
import type { AddFile } from '../log/actions.ts';
import { VACUUM_END, VACUUM_START } from '../log/conflicts.ts';
import { logicalFileKey } from '../log/deletion-vector.ts';
import { bytesOf, operate, type Operated } from '../operation.ts';
import type { Snapshot } from '../snapshot.ts';
import type { ObjectStore } from '../store/object-store.ts';
import { placeOf } from '../store/place.ts';

export interface RestoreResult {
  /** The version that was made; undefined when the table was so already. */
  readonly version: bigint | undefined;
  /** The version whose state it has. */
  readonly restored: bigint;
  readonly filesRestored: number;
  readonly filesRemoved: number;
}

const AT_ONCE = 32;
const ENTRIES_LOOKED_AT = 200;
/** One that has not ended by then was killed. */
const VACUUM_LONGEST_MS = 24 * 3_600_000;

/** @throws SluiceError `VERSION_NOT_FOUND`, `FILE_MISSING` for a version that was vacuumed, `COMMIT_CONTENTION`, `STORAGE_*` */
export async function restoreTable(
  parts: Operated & { store: ObjectStore },
  at: bigint | Date,
): Promise<RestoreResult> {
  const { table, store } = parts;
  return operate(parts, 'rows', async (snapshot) => {
    await checkNoVacuum(parts);
    const target = await table.snapshot(at);
    const now = new Set(snapshot.files.map(logicalFileKey));
    const then = new Set(target.files.map(logicalFileKey));
    const add = target.files.filter((file) => !now.has(logicalFileKey(file)));
    const remove = snapshot.files.filter((file) => !then.has(logicalFileKey(file)));
    await checkThere(store, target, add);
    const result = { restored: target.version, filesRestored: add.length, filesRemoved: remove.length };
    if (target.version === snapshot.version) return { change: undefined, staged: [], result };
    return {
      result,
      // What comes back is not ours to delete when the restore does not come about.
      staged: [],
      change: {
        operation: 'RESTORE',
        mode: 'rewrite' as const,
        add,
        remove,
        metadata: target.metadata,
        clusterBy: target.clusteringColumns,
        read: { version: snapshot.version, files: snapshot.files, wouldRead: () => true },
        operationParameters: at instanceof Date ? { timestamp: at.toISOString() } : { version: String(at) },
        metrics: {
          numRestoredFiles: String(add.length),
          restoredFilesSize: String(bytesOf(add)),
          removedFilesSize: String(bytesOf(remove)),
          numOfFilesAfterRestore: String(target.files.length),
          tableSizeAfterRestore: String(target.bytes),
        },
      },
    };
  });
}

/** A vacuum says when it begins to delete, and when it has ended. */
async function checkNoVacuum({ store, clock, table }: Operated & { store: ObjectStore }): Promise<void> {
  const entries = await readHistory(store, ENTRIES_LOOKED_AT);
  const last = entries.find(({ operation }) => operation === VACUUM_START || operation === VACUUM_END);
  if (last?.operation !== VACUUM_START || last.timestampMs < clock.nowMs() - VACUUM_LONGEST_MS) return;
  throw new SluiceError(
    'COMMIT_CONTENTION',
    `${table.location}: a vacuum began at version ${String(last.version)}, and has not ended`,
    {
      advice: 'Nothing was changed. Wait for it; if it was killed, run `sluice table vacuum` again to end it.',
      facts: { table: table.location, version: last.version },
    },
  );
}

async function checkThere(
  store: ObjectStore,
  { location, version }: Snapshot,
  files: readonly AddFile[],
): Promise<void> {
  const paths = files.flatMap(pathsOf);
  const there = await atOnce(paths, AT_ONCE, async (path) => {
    const place = placeOf(store, path);
    return (await place.store.head(place.path)) !== undefined;
  });
  const missing = paths[there.indexOf(false)];
  if (missing === undefined) return;
  throw new SluiceError(
    'FILE_MISSING',
    `${location}@${String(version)} cannot be restored: ${missing} does not exist`,
    {
      advice: 'It was vacuumed. Nothing was changed. Name a later version.',
      facts: { table: location, version, file: missing },
    },
  );
}
