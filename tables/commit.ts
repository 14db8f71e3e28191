/**
 * The commit loop: put the next log entry if it is absent, else look who was first and try the one after.
 *
 * Promise: an entry is never written twice and never taken for lost when it is there: after a lost reply, or a write that was
 * told 'exists' by its own retry, the log is read back and the unique id compared. Attempts are bounded, and nothing is
 * deleted. Source: Delta protocol, "Creation of New Log Entries".
 */
import type { Clock } from '../core/clock.ts';
import { messageOf, SluiceError } from '../core/errors.ts';
import type { Random } from '../core/random.ts';
import type { Change } from './change.ts';
import type { Action } from './log/actions.ts';
import { txnIdOf } from './log/commit-info.ts';
import { conflictWith, isolationLevelOf, txnConflict, type Conflict, type Intent } from './log/conflicts.ts';
import { logicalFileKey } from './log/deletion-vector.ts';
import { formatEntry } from './log/entry-text.ts';
import { readEntriesAfter } from './log/entry.ts';
import { listLog, unreachable } from './log/listing.ts';
import { commitPath } from './log/paths.ts';
import { checkReadable } from './log/protocol.ts';
import { replay, type LogEntry, type LogState } from './log/replay.ts';
import { planCommit } from './plan.ts';
import type { ObjectStore } from './store/object-store.ts';
import { writtenFor } from './written-for.ts';

export interface CommitParts {
  readonly store: ObjectStore;
  readonly clock: Clock;
  readonly random: Random;
}

export type CommitOutcome =
  | { readonly kind: 'committed'; readonly version: bigint; readonly state: LogState }
  | { readonly kind: 'conflict'; readonly reason: Conflict; readonly state: LogState | undefined };

const ATTEMPTS = 50;
/** Of these so many may fail for reasons of storage, not of other writers. */
const STORAGE_ATTEMPTS = 8;
const FIRST_PAUSE_MS = 10;
const LONGEST_PAUSE_MS = 500;

/**
 * @param start the newest state of the table, undefined when there is none
 * @throws SluiceError `COMMIT_CONTENTION` when others were always faster; `STORAGE_*`; what `planCommit` throws
 */
export async function commitChange(
  { store, clock, random }: CommitParts,
  change: Change,
  start: LogState | undefined,
): Promise<CommitOutcome> {
  const ids = { txnId: random.uuid(), tableId: random.uuid() };
  const expect = change.expect ?? new Map<string, bigint | undefined>();
  let state = start;
  let storageFailures = 0;
  const since = await entriesSinceRead(store, change, start);
  const early = firstConflict(change, start, since);
  if (early !== undefined) return { kind: 'conflict', reason: early, state };
  for (let attempt = 1; ; attempt++) {
    const reason =
      txnConflict(expect, state?.txn ?? new Map<string, never>(), state?.version ?? -1n) ??
      columnsConflict(change, state, store.location);
    if (reason !== undefined) return { kind: 'conflict', reason, state };

    const version = (state?.version ?? -1n) + 1n;
    const actions = planCommit(change, state, { table: store.location, nowMs: clock.nowMs(), ...ids });
    const written = await tryPut(store, version, actions);
    if (written === true) {
      const timestampMs = (await headQuietly(store, version)) ?? clock.nowMs();
      const after = replay(state, [{ version, timestampMs, actions }], store.location);
      return { kind: 'committed', version, state: after };
    }

    const newer = await entriesAfter(store, state);
    if (Array.isArray(newer)) {
      const after = newer.length === 0 ? state : replay(state, newer, store.location);
      const own = newer.find((entry) => txnIdOf(entry.actions) === ids.txnId);
      if (own !== undefined && after !== undefined) return { kind: 'committed', version: own.version, state: after };
      if (after !== undefined) checkReadable(after.protocol, store.location);
      const lost = firstConflict(change, state, newer);
      if (lost !== undefined) return { kind: 'conflict', reason: lost, state: after };
      state = after;
    }
    const failure = written instanceof Error ? written : newer instanceof Error ? newer : undefined;
    if (failure !== undefined && ++storageFailures) {
      const certain = Array.isArray(newer);
      if (!isTransient(failure) || storageFailures === STORAGE_ATTEMPTS)
        throw explained(failure, certain, store, version);
    }
    if (attempt === ATTEMPTS) throw contention(store.location, version);
    const longestMs = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(attempt - 1, 10));
    await clock.sleep(random.next() * longestMs);
  }
}

/** What others have committed between the snapshot that the change was made from and the newest one. */
async function entriesSinceRead(
  store: ObjectStore,
  { read }: Change,
  state: LogState | undefined,
): Promise<readonly LogEntry[]> {
  if (read === undefined || state === undefined || read.version >= state.version) return [];
  const entries = await readEntriesAfter(store, read.version);
  const first = entries[0]?.version;
  if (first === read.version + 1n) return entries.filter(({ version }) => version <= state.version);
  throw unreachable(await listLog(store), read.version + 1n, store.location);
}

function firstConflict(
  change: Change,
  state: LogState | undefined,
  entries: readonly LogEntry[],
): Conflict | undefined {
  if (entries.length === 0) return undefined;
  const intent = intentOf(change, state);
  for (const { version, actions } of entries) {
    const lost = conflictWith(intent, version, actions);
    if (lost !== undefined) return lost;
  }
  return undefined;
}

/** Rows that were held against other rules than the table has now may break them; columns under other names would not be found. */
function columnsConflict(change: Change, state: LogState | undefined, table: string): Conflict | undefined {
  const { add, metadata, dataChange = true } = change;
  // Files of an older version come back together with its rules.
  if (state === undefined || metadata !== undefined || !dataChange) return undefined;
  const key = writtenFor(state.protocol, state.metadata, table);
  const other = key === '' ? undefined : add.find((file) => file.writtenFor !== key);
  if (other === undefined) return undefined;
  const message = `the columns or constraints of the table are others than those that ${other.path} was written for`;
  return { kind: 'metadata', message, version: state.version };
}

function intentOf(change: Change, state: LogState | undefined): Intent {
  const { mode, remove = [], read, txn, expect, metadata, schema, properties, unset, clusterBy } = change;
  return {
    mode,
    changesMetadata: [metadata, schema, properties, unset, clusterBy].some((part) => part !== undefined),
    clusters: clusterBy !== undefined,
    bringsBack: metadata !== undefined,
    level: isolationLevelOf(state?.metadata.configuration ?? {}),
    removed: new Set(remove.map(logicalFileKey)),
    read: new Set(read?.files.map(logicalFileKey)),
    wouldRead: (file) => read?.wouldRead(file) ?? false,
    txn,
    expect,
  };
}

/** @returns true: written; false: there is another entry (or our own); an error: nobody knows. */
async function tryPut(store: ObjectStore, version: bigint, actions: readonly Action[]): Promise<boolean | Error> {
  const bytes = new TextEncoder().encode(formatEntry(actions));
  try {
    return (await store.put(commitPath(version), bytes, 'create')) === 'written';
  } catch (error) {
    return error instanceof Error ? error : new Error(messageOf(error));
  }
}

async function entriesAfter(store: ObjectStore, state: LogState | undefined): Promise<LogEntry[] | Error> {
  try {
    return await readEntriesAfter(store, state?.version ?? -1n);
  } catch (error) {
    if (error instanceof SluiceError && !isTransient(error)) throw error;
    return error instanceof Error ? error : new Error(messageOf(error));
  }
}

/** The commit stands already: not knowing its time to the millisecond must not make it fail. */
async function headQuietly(store: ObjectStore, version: bigint): Promise<number | undefined> {
  return (await store.head(commitPath(version)).catch(() => undefined))?.modifiedMs;
}

function isTransient(error: Error): boolean {
  return error instanceof SluiceError && error.code === 'STORAGE_FAILED';
}

/** A failure of storage after which the entry is known not to be there, or may be. */
function explained(failure: Error, certain: boolean, store: ObjectStore, version: bigint): Error {
  if (certain || !(failure instanceof SluiceError)) return failure;
  const file = `${store.location}/${commitPath(version)}`;
  return new SluiceError(failure.code, `it is not known whether ${file} was written: ${failure.message}`, {
    advice: 'Nothing was deleted. When storage answers again, read the table: what it says is what happened.',
    facts: { table: store.location, version },
    cause: failure,
  });
}

function contention(table: string, version: bigint): SluiceError {
  return new SluiceError(
    'COMMIT_CONTENTION',
    `${table}: other writers were first ${String(ATTEMPTS)} times in a row, last for version ${String(version)}`,
    {
      advice: 'Nothing was deleted. Let fewer writers commit to this table at once, or commit larger batches.',
      facts: { table, version },
    },
  );
}
