/**
 * The state of a table at a version, from its log.
 *
 * Promise: the same state whichever checkpoint it is made from, and whatever `_last_checkpoint` says; a damaged checkpoint
 * is passed over while the log without it still leads there; entries that others clean up or add meanwhile do no harm.
 */
import { SluiceError } from '../../core/errors.ts';
import type { Engine } from '../../engine/engine.ts';
import type { ObjectStore } from '../store/object-store.ts';
import { readCheckpoint, readHint } from './checkpoint-read.ts';
import { readEntries, readEntriesAfter, readEntry } from './entry.ts';
import { inCommitMs, inCommitSince } from './in-commit.ts';
import { listLog, newestVersion, segmentsFor, unreachable } from './listing.ts';
import type { LogCheckpoint, LogCommit, LogListing } from './listing.ts';
import { checkReadable } from './protocol.ts';
import { replay, type LogEntry, type LogState } from './replay.ts';

export interface LogSource {
  readonly store: ObjectStore;
  readonly engine: Engine;
}

/** A log that others clean up while we read it is listed again, so many times. */
const LISTINGS = 3;
/** Entries are replayed so many at once: each time what differs from the checkpoint is copied. */
const REPLAYED_AT_ONCE = 1024;

/**
 * The newest state, or that of version `at`.
 * @returns undefined when there is no table.
 * @throws SluiceError `VERSION_NOT_FOUND` telling which there are, `LOG_GAP`, `LOG_CORRUPT`, `UNSUPPORTED_FEATURE`
 */
export async function loadState(source: LogSource, at?: bigint): Promise<LogState | undefined> {
  const { store } = source;
  const hint = await readHint(store);
  if (hint !== undefined && (at === undefined || hint <= at)) {
    const listing = await listLog(store, hint);
    const version = at ?? newestVersion(listing);
    const made = version === undefined ? undefined : await firstReadable(source, listing, version);
    if (made?.state !== undefined) return made.state;
  }
  for (let listings = 1; ; listings++) {
    const listing = await listLog(store);
    const version = at ?? newestVersion(listing);
    if (version === undefined) return undefined;
    const { state, failure } = await firstReadable(source, listing, version);
    if (state !== undefined) return state;
    const error = failure ?? unreachable(listing, version, store.location);
    if (listings === LISTINGS || error.code === 'VERSION_NOT_FOUND') throw error;
  }
}

/**
 * The state after what others have committed since `known`; `known` itself when that is nothing.
 * @param idle whether entries may have come and been cleaned up again since `known` was looked at
 * @returns undefined when the table has gone.
 */
export async function newerState(source: LogSource, known: LogState, idle: boolean): Promise<LogState | undefined> {
  const { store } = source;
  const newer = await readEntriesAfter(store, known.version);
  if (newer.length > 0) {
    const state = replay(known, newer, store.location);
    checkReadable(state.protocol, store.location);
    return state;
  }
  if (!idle) return known;
  const newest = newestVersion(await listLog(store, known.version));
  return newest === known.version ? known : loadState(source);
}

/** The state from the first segment whose checkpoint can be read; `failure` tells of the newest that cannot. */
async function firstReadable(
  { store, engine }: LogSource,
  listing: LogListing,
  version: bigint,
): Promise<{ state?: LogState | undefined; failure?: SluiceError }> {
  let failure: SluiceError | undefined;
  for (const { checkpoint, commits } of segmentsFor(listing, version)) {
    let base: LogState | undefined;
    try {
      base = checkpoint && (await checkpointState(store, engine, checkpoint));
    } catch (error) {
      if (!(error instanceof SluiceError && error.code === 'LOG_CORRUPT')) throw error;
      failure ??= error;
      continue;
    }
    const state = await afterCommits(store, base, commits);
    if (state !== undefined) checkReadable(state.protocol, store.location);
    return { state: state && (await withOwnTime(store, state)) };
  }
  return failure === undefined ? {} : { failure };
}

async function checkpointState(store: ObjectStore, engine: Engine, checkpoint: LogCheckpoint): Promise<LogState> {
  const { version, modifiedMs } = checkpoint;
  const actions = await readCheckpoint(engine, store, checkpoint);
  return replay(undefined, [{ version, timestampMs: modifiedMs, actions }], store.location);
}

/** A checkpoint does not say when its version was committed, where that is in the entry alone. */
async function withOwnTime(store: ObjectStore, state: LogState): Promise<LogState> {
  if (state.inCommitMs !== undefined || inCommitSince(state.metadata.configuration) === undefined) return state;
  const ms = inCommitMs(await readEntry(store, state.version));
  return ms === undefined ? state : { ...state, timestampMs: ms, inCommitMs: ms };
}

/** @returns undefined when an entry has gone since it was listed. */
async function afterCommits(
  store: ObjectStore,
  base: LogState | undefined,
  commits: readonly LogCommit[],
): Promise<LogState | undefined> {
  let state = base;
  let waiting: LogEntry[] = [];
  for await (const entries of readEntries(store, commits)) {
    const there = entries.filter((entry) => entry !== undefined);
    if (there.length < entries.length) return undefined;
    waiting.push(...there);
    if (waiting.length < REPLAYED_AT_ONCE) continue;
    state = replay(state, waiting, store.location);
    waiting = [];
  }
  return waiting.length === 0 ? state : replay(state, waiting, store.location);
}
