/**
 * CLONE: a table becomes what another one is at a version: with the files of that one (shallow), or with copies of them (deep).
 *
 * Promise: the source is not touched, and nothing that is done to the clone ever touches it; the clone is there at once or not at all.
 * A deep clone that was stopped, or is made again, copies only what is not there yet. A table that is no clone of the source, or was changed
 * since, is refused unless it is to be replaced.
 * Source: delta.io and Databricks, "CREATE TABLE CLONE"; Delta, `CloneTableBase`.
 */
import { SluiceError } from '../../core/errors.ts';
import type { JsonObject } from '../../core/json.ts';
import type { Change, HistoryEntry } from '../change.ts';
import type { Creatable } from '../dml/append.ts';
import type { AddFile } from '../log/actions.ts';
import { VACUUM_END, VACUUM_START } from '../log/conflicts.ts';
import { logicalFileKey } from '../log/deletion-vector.ts';
import { bytesOf, operate, type Operated } from '../operation.ts';
import type { Snapshot } from '../snapshot.ts';
import { copyObject } from '../store/copy.ts';
import type { ObjectStore } from '../store/object-store.ts';
import { deepFile, shallowFile, type Copy } from './clone-files.ts';

export interface CloneOptions {
  /** Only the log is made; the files stay those of the source. @default false: they are copied */
  readonly shallow?: boolean;
  /** A version of the source, or a moment. @default the newest */
  readonly at?: bigint | Date;
  /** Takes the place of a table that is no clone of the source, or was changed since; its old versions stay readable. @default false */
  readonly replace?: boolean;
  /** Told how much is copied. */
  readonly onProgress?: (doneBytes: bigint, allBytes: bigint) => void;
  /** Aborted to stop between two files; what was copied by then is not copied again. */
  readonly signal?: AbortSignal;
}

export interface CloneResult {
  /** The version of the clone that was made; undefined when it was the same already. */
  readonly version: bigint | undefined;
  readonly sourceVersion: bigint;
  readonly filesAdded: number;
  readonly filesRemoved: number;
  /** Of a deep clone: deletion vectors count too. */
  readonly filesCopied: number;
  readonly bytesCopied: bigint;
}

/** A table that becomes a clone. */
export interface CloneTarget extends Creatable {
  history(limit?: number): Promise<HistoryEntry[]>;
}

export interface CloneParts extends Pick<Operated, 'clock' | 'random'> {
  readonly source: { readonly location: string; snapshot(at?: bigint | Date): Promise<Snapshot> };
  readonly from: ObjectStore;
  readonly target: CloneTarget;
  readonly to: ObjectStore;
}

const COPIES_AT_ONCE = 8;
/** So far back a clone is looked for in the history of the target. */
const ENTRIES_LOOKED_AT = 100;
/** What may be done to a clone without changing it. */
const HARMLESS = new Set([VACUUM_START, VACUUM_END, 'OPTIMIZE', 'REORG']);

/** @throws SluiceError `TABLE_EXISTS`, `USAGE`, `UNSUPPORTED_FEATURE`, `VERSION_NOT_FOUND`, `FILE_MISSING`, `INTERRUPTED`, `COMMIT_CONTENTION`, `STORAGE_*` */
export async function cloneTable(parts: CloneParts, options: CloneOptions): Promise<CloneResult> {
  const { source, from, target, to } = parts;
  checkApart(from, to);
  const snapshot = await source.snapshot(options.at);
  // What sluice could not write it could not keep right either.
  snapshot.checkChangeable('files');
  if (await target.exists()) checkMayReplace(parts, await target.history(ENTRIES_LOOKED_AT), snapshot, options);
  const files = snapshot.files.map((file) =>
    options.shallow === true ? shallowFile(from, file) : deepFile(from, to, file),
  );
  const copied = await copyMissing(parts, distinct(files.flatMap(({ copies }) => copies)), options);
  const made = { snapshot, add: files.map(({ file }) => file), copied };
  if (!(await target.exists())) return firstClone(parts, made);
  return operate(
    { table: target, clock: parts.clock, random: parts.random, signal: options.signal },
    'files',
    async (now) => {
      checkMayReplace(parts, await target.history(ENTRIES_LOOKED_AT), snapshot, options);
      const has = new Set(now.files.map(logicalFileKey));
      const wanted = new Set(made.add.map(logicalFileKey));
      const add = made.add.filter((file) => !has.has(logicalFileKey(file)));
      const remove = now.files.filter((file) => !wanted.has(logicalFileKey(file)));
      const result = resultOf(made, add, remove);
      const isSame = add.length === 0 && remove.length === 0 && sameTable(now, snapshot);
      const change: Change = {
        ...changeOf(parts, made, add, remove),
        mode: 'rewrite',
        remove,
        read: { version: now.version, files: now.files, wouldRead: () => true },
      };
      // Copies stay: the next attempt does not make them again.
      return { change: isSame ? undefined : change, staged: [], result };
    },
  );
}

interface Made {
  readonly snapshot: Snapshot;
  readonly add: readonly AddFile[];
  readonly copied: { readonly files: number; readonly bytes: bigint };
}

async function firstClone(parts: CloneParts, made: Made): Promise<CloneResult> {
  const outcome = await parts.target.commit({
    ...changeOf(parts, made, made.add, []),
    mode: 'append',
    read: { version: -1n, files: [], wouldRead: () => true },
  });
  if (outcome.kind === 'conflict') throw there(parts, 'was made meanwhile');
  return { version: outcome.version, ...resultOf(made, made.add, []) };
}

/** As Delta writes it. */
function changeOf(
  { source }: CloneParts,
  { snapshot, copied }: Made,
  add: readonly AddFile[],
  remove: readonly AddFile[],
): Omit<Change, 'mode'> {
  const { id, schema, partitionColumns, configuration, createdMs } = snapshot.metadata;
  // The name and the comment are those of the source alone.
  const metadata = { id, schema, partitionColumns, configuration, ...(createdMs === undefined ? {} : { createdMs }) };
  const info: JsonObject = { clone: { source: source.location, sourceId: snapshot.tableId } };
  return {
    operation: 'CLONE',
    add,
    metadata,
    protocol: snapshot.protocol,
    clusterBy: snapshot.clusteringColumns,
    info,
    operationParameters: { source: `delta.\`${uriOf(source.location)}\``, sourceVersion: String(snapshot.version) },
    metrics: {
      sourceTableSize: String(snapshot.bytes),
      sourceNumOfFiles: String(snapshot.files.length),
      numRemovedFiles: String(remove.length),
      numCopiedFiles: String(copied.files),
      removedFilesSize: String(bytesOf(remove)),
      copiedFilesSize: String(copied.bytes),
    },
  };
}

function uriOf(location: string): string {
  return location.startsWith('/') ? `file:${location}` : location;
}

function resultOf({ snapshot, copied }: Made, add: readonly AddFile[], remove: readonly AddFile[]) {
  return {
    sourceVersion: snapshot.version,
    filesAdded: add.length,
    filesRemoved: remove.length,
    filesCopied: copied.files,
    bytesCopied: copied.bytes,
  };
}

function sameTable(now: Snapshot, { metadata }: Snapshot): boolean {
  const text = ({ schema, partitionColumns, configuration }: Snapshot['metadata']): string =>
    JSON.stringify([schema, partitionColumns, Object.entries(configuration).sort()]);
  return text(now.metadata) === text(metadata);
}

/** One file may hold the deletion vectors of several others. */
function distinct(copies: readonly Copy[]): Copy[] {
  return [...new Map(copies.map((copy) => [copy.to.path, copy])).values()];
}

/** Files that are there already, by a name that nothing else has, and with all their bytes, are left as they are. */
async function copyMissing(
  { target }: CloneParts,
  copies: readonly Copy[],
  { onProgress, signal }: CloneOptions,
): Promise<Made['copied']> {
  const all = copies.reduce((sum, { bytes }) => sum + bytes, 0n);
  let [done, files, bytes] = [0n, 0, 0n];
  const copyOne = async ({ from, to, bytes: size, isUnique }: Copy): Promise<void> => {
    const there = isUnique ? await to.store.head(to.path) : undefined;
    if (there === undefined || there.bytes !== (await from.store.head(from.path))?.bytes) {
      await copyObject(from, to);
      files++;
      bytes += size;
    }
    done += size;
    onProgress?.(done, all);
  };
  for (let i = 0; i < copies.length; i += COPIES_AT_ONCE) {
    if (signal?.aborted === true) throw interrupted(target.location, files);
    // After a failure nothing goes on behind the back of who is told of it.
    const ended = await Promise.allSettled(copies.slice(i, i + COPIES_AT_ONCE).map(copyOne));
    const failed = ended.find((one) => one.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
  }
  return { files, bytes };
}

function checkApart(from: ObjectStore, to: ObjectStore): void {
  const [a, b] = [`${from.location}/`, `${to.location}/`];
  if (!a.startsWith(b) && !b.startsWith(a)) return;
  throw new SluiceError('USAGE', `${to.location} and its source ${from.location} lie in one another`, {
    advice: 'A vacuum of one would delete files of the other: name a folder apart from the source.',
    facts: { table: to.location, source: from.location },
  });
}

function checkMayReplace(
  parts: CloneParts,
  history: readonly HistoryEntry[],
  { tableId }: Snapshot,
  { replace = false }: CloneOptions,
): void {
  if (replace) return;
  const last = history.find(({ operation }) => operation === undefined || !HARMLESS.has(operation));
  const clone = last?.operation === 'CLONE' ? last.info['clone'] : undefined;
  const sourceId = typeof clone === 'object' && clone !== null && 'sourceId' in clone ? clone.sourceId : undefined;
  if (sourceId === tableId) return;
  throw there(
    parts,
    clone === undefined ? `was last changed by ${last?.operation ?? 'another writer'}` : 'is a clone of another table',
  );
}

function there({ target, source }: CloneParts, why: string): SluiceError {
  return new SluiceError('TABLE_EXISTS', `there is a table at ${target.location} already, and it ${why}`, {
    advice: 'Nothing was changed. Name another folder, or let the clone take its place (replace, --replace).',
    facts: { table: target.location, source: source.location },
  });
}

function interrupted(table: string, files: number): SluiceError {
  return new SluiceError('INTERRUPTED', `${table}: stopped after ${String(files)} files were copied`, {
    advice: 'There is no clone yet. Run it again: what was copied is not copied again.',
    facts: { table },
  });
}
