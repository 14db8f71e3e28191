/**
 * VACUUM: deletes files that no version within the retention time needs.
 *
 * Promise: a file is deleted only when the newest version does not have it, no tombstone younger than the retention time
 * names it, and it is itself older than that: files of commits that are under way are spared. Hidden folders (`_…`, `.…`) other
 * than those of change data are not looked into. What the result names was deleted, and nothing else.
 * Source: Delta protocol, "VACUUM Protocol Check"; Databricks, "VACUUM".
 */
import type { Clock } from '../../core/clock.ts';
import { SluiceError } from '../../core/errors.ts';
import { pathsOf } from '../deletion-vectors/deleted-rows.ts';
import type { AddFile, RemoveFile } from '../log/actions.ts';
import { VACUUM_END, VACUUM_START } from '../log/conflicts.ts';
import { readEntries } from '../log/entry.ts';
import { listLog } from '../log/listing.ts';
import { tombstoneRetentionMs } from '../log/retention.ts';
import type { Steps } from '../operation.ts';
import type { Snapshot } from '../snapshot.ts';
import type { ObjectMeta, ObjectStore } from '../store/object-store.ts';
import { placeOf, type Place } from '../store/place.ts';

export interface VacuumOptions {
  /** Files that were needed within this time are kept, as far as the log goes back. @default `delta.deletedFileRetentionDuration`, else 168 */
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
const ATTEMPTS = 6;

/** @throws SluiceError `RETENTION_TOO_SHORT`, `UNSUPPORTED_FEATURE`, `COMMIT_CONTENTION`, `STORAGE_*`, `INTERRUPTED` */
export async function vacuumTable(parts: VacuumParts, options: VacuumOptions = {}): Promise<VacuumResult> {
  const { table, store } = parts;
  const { version, found } = await begun(parts, options);
  const bytes = found.reduce((sum, meta) => sum + BigInt(meta.bytes), 0n);
  const deleted = found.map(({ path }) => path);
  if (version === undefined) return { deleted, bytes };
  for (let i = 0; i < deleted.length; i += AT_ONCE) {
    if (options.signal?.aborted === true) throw interrupted(table.location, i, deleted.length);
    await Promise.all(deleted.slice(i, i + AT_ONCE).map((path) => store.delete(path)));
    options.onProgress?.(Math.min(i + AT_ONCE, deleted.length), deleted.length);
  }
  const metrics = { numDeletedFiles: String(deleted.length) };
  await table.commit({ operation: VACUUM_END, mode: 'append', add: [], operationParameters: {}, metrics });
  return { deleted, bytes };
}

interface Begun {
  /** The entry that says that files are deleted now; undefined when none is. */
  readonly version: bigint | undefined;
  readonly found: readonly ObjectMeta[];
}

/**
 * Looks what may be deleted, says so in the log, and looks again: from that entry on nobody brings an old file back.
 * Others may have changed the table, and its retention, in between: then all of it is done anew.
 */
async function begun(parts: VacuumParts, options: VacuumOptions): Promise<Begun> {
  const { table, clock } = parts;
  const before = (snapshot: Snapshot): number => clock.nowMs() - retentionOf(snapshot, options);
  for (let attempts = 0; attempts < ATTEMPTS; attempts++) {
    const snapshot = await table.snapshot();
    snapshot.checkChangeable('files');
    const found = await unneeded(parts, snapshot, before(snapshot));
    if (options.dryRun === true || found.length === 0) return { version: undefined, found };
    const outcome = await table.commit({
      operation: VACUUM_START,
      mode: 'append',
      add: [],
      read: { version: snapshot.version, files: [], wouldRead: () => false },
      operationParameters: {},
      metrics: { numFilesToDelete: String(found.length) },
    });
    if (outcome.kind === 'conflict') continue;
    const now = await table.snapshot();
    const needed = await neededFiles(parts, now, before(now));
    return { version: outcome.version, found: found.filter(({ path }) => !needed.has(path)) };
  }
  throw new SluiceError('COMMIT_CONTENTION', `${table.location}: its metadata was changed again and again`, {
    advice: 'Nothing was deleted. Run it again later.',
    facts: { table: table.location },
  });
}

function retentionOf(snapshot: Snapshot, { retainHours, force = false }: VacuumOptions): number {
  const own = tombstoneRetentionMs(snapshot.properties);
  const retentionMs = retainHours === undefined ? own : retainHours * HOUR_MS;
  if (retentionMs < own && !force) throw tooShort(snapshot, retentionMs, own);
  return retentionMs;
}

async function unneeded(parts: VacuumParts, snapshot: Snapshot, before: number): Promise<ObjectMeta[]> {
  const needed = await neededFiles(parts, snapshot, before);
  const found: ObjectMeta[] = [];
  const tablesInside: string[] = [];
  for await (const meta of parts.store.list('')) {
    const inside = /^(.+\/)_delta_log\//.exec(meta.path)?.[1];
    if (inside !== undefined && tablesInside.at(-1) !== inside) tablesInside.push(inside);
    if (isData(meta.path) && meta.modifiedMs < before && !needed.has(meta.path)) found.push(meta);
  }
  return found.filter(({ path }) => !tablesInside.some((folder) => path.startsWith(folder)));
}

/** The files of the table, and those that it had after the moment, as paths in its store. */
async function neededFiles({ store }: VacuumParts, snapshot: Snapshot, before: number): Promise<Needed> {
  const needed = new Needed();
  const keep = (file: Pick<AddFile | RemoveFile, 'path' | 'deletionVector'>): void => {
    for (const path of pathsOf(file)) needed.add(placeOf(store, path), store);
  };
  for (const file of snapshot.files) keep(file);
  for (const file of snapshot.removed) if (file.deletionMs >= before) keep(file);
  // The table forgets tombstones that are older than its own retention; its log may still have them.
  const { commits } = await listLog(store);
  const young = commits.filter(({ modifiedMs }) => modifiedMs >= before);
  for await (const entries of readEntries(store, young)) {
    for (const action of entries.flatMap((entry) => entry?.actions ?? [])) {
      if (action.kind === 'remove') keep(action.remove);
      if (action.kind === 'add') keep(action.add);
      if (action.kind === 'cdc') keep(action.cdc);
    }
  }
  return needed;
}

class Needed {
  readonly #paths = new Set<string>();
  /** Of files that the log names by a place outside: it may be this folder under another name. */
  readonly #names = new Set<string>();

  add({ store, path }: Place, own: ObjectStore): void {
    if (store === own) this.#paths.add(path);
    else this.#names.add(nameOf(path));
  }

  has(path: string): boolean {
    return this.#paths.has(path) || this.#names.has(nameOf(path));
  }
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** Whether a path is one that a table's own files can have. Partition folders may begin with `_` when their column does. */
function isData(path: string): boolean {
  const folders = path.split('/');
  if (folders[0] === '_change_data') return true;
  return folders.every((part, i) => !/^[._]/.test(part) || (i < folders.length - 1 && part.includes('=')));
}

function interrupted(location: string, done: number, all: number): SluiceError {
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
