/**
 * Whether a change still stands after others have committed in between. Pure; a conflict is a value.
 *
 * Source: Delta protocol, "Concurrency control", and the checks that Delta's own writers make.
 */
import { CLUSTERING } from '../clustering.ts';
import type { Action, AddFile, RemoveFile } from './actions.ts';
import { logicalFileKey } from './deletion-vector.ts';

export type ConflictKind =
  'txn' | 'metadata' | 'protocol' | 'concurrentAppend' | 'concurrentDeleteRead' | 'concurrentDeleteDelete';

export interface Conflict {
  readonly kind: ConflictKind;
  readonly message: string;
  /** The version that was there first. */
  readonly version: bigint;
}

/**
 * How much a change may be put before or after what it has not seen. `WriteSerializable`: rows that others append without
 * reading the table count as appended after it. `Serializable`: no row may come that the change would have read.
 * Source: Databricks, "Isolation levels and write conflicts".
 */
export type IsolationLevel = 'Serializable' | 'WriteSerializable';

/** What `delta.isolationLevel` says; what nobody has set, or nobody knows, is Databricks' default. */
export function isolationLevelOf(configuration: Readonly<Record<string, string>>): IsolationLevel {
  return configuration['delta.isolationLevel'] === 'Serializable' ? 'Serializable' : 'WriteSerializable';
}

/** What the entry of a vacuum that begins to delete is called. */
export const VACUUM_START = 'VACUUM START';
export const VACUUM_END = 'VACUUM END';

export interface Intent {
  readonly mode: 'append' | 'overwrite' | 'rewrite';
  readonly level: IsolationLevel;
  /** Whether it sets columns or properties: then rows that others append meanwhile were not made for it. */
  readonly changesMetadata: boolean;
  /** Whether it says by which columns the table is clustered. */
  readonly clusters: boolean;
  /** Whether files of an older version come back: a vacuum may be deleting them. */
  readonly bringsBack: boolean;
  /** Files that it removes, and files that it has read, by `logicalFileKey`. */
  readonly removed: ReadonlySet<string>;
  readonly read: ReadonlySet<string>;
  /** Whether it would have read rows of a file that it has not seen. */
  readonly wouldRead: (file: AddFile) => boolean;
  /** Application ids that the change sets. */
  readonly txn?: ReadonlyMap<string, bigint> | undefined;
  /** Application ids and the versions that the change starts from. */
  readonly expect?: ReadonlyMap<string, bigint | undefined> | undefined;
}

/** Compare-and-set on application ids: the positions of flows are the fence between two workers. */
export function txnConflict(
  expect: ReadonlyMap<string, bigint | undefined>,
  found: { get(appId: string): { readonly version: bigint } | undefined },
  version: bigint,
): Conflict | undefined {
  for (const [appId, expected] of expect) {
    const actual = found.get(appId)?.version;
    if (actual === expected) continue;
    const shown = (value: bigint | undefined): string => (value === undefined ? 'none' : String(value));
    return {
      kind: 'txn',
      version,
      message: `${appId} is at ${shown(actual)}, not at ${shown(expected)}: another worker has committed`,
    };
  }
  return undefined;
}

/**
 * What the winner of a race for a version did that this change cannot be put after. Application ids that the change expects
 * something of are for `txnConflict` to judge, against the state after the winner.
 */
export function conflictWith(intent: Intent, version: bigint, winner: readonly Action[]): Conflict | undefined {
  const isBlind = winner.some((action) => action.kind === 'commitInfo' && action.commitInfo['isBlindAppend'] === true);
  for (const action of winner) {
    const found = conflictWithAction(intent, action, isBlind);
    if (found !== undefined) return { ...found, version };
  }
  return undefined;
}

function conflictWithAction(intent: Intent, action: Action, isBlind: boolean): Omit<Conflict, 'version'> | undefined {
  switch (action.kind) {
    case 'protocol':
      return { kind: 'protocol', message: 'the protocol was changed' };
    case 'metaData':
      return { kind: 'metadata', message: 'the metadata was changed' };
    case 'add':
      return addConflict(intent, action.add, isBlind);
    case 'remove':
      return removeConflict(intent, action.remove);
    case 'txn': {
      const { appId } = action.txn;
      if (intent.txn?.has(appId) !== true || intent.expect?.has(appId) === true) return undefined;
      return { kind: 'txn', message: `${appId} was set by another worker` };
    }
    case 'commitInfo':
      if (!intent.bringsBack || action.commitInfo['operation'] !== VACUUM_START) return undefined;
      return { kind: 'concurrentDeleteRead', message: 'a vacuum has begun' };
    case 'domainMetadata':
      // Ids of rows are given anew at each attempt; other domains are set by no change.
      if (!intent.clusters || action.domainMetadata.domain !== CLUSTERING) return undefined;
      return { kind: 'metadata', message: 'the clustering columns were changed' };
    case 'cdc':
      return undefined;
  }
}

function addConflict(intent: Intent, file: AddFile, isBlind: boolean): Omit<Conflict, 'version'> | undefined {
  if (!file.dataChange) return undefined;
  if (intent.mode === 'overwrite')
    return { kind: 'concurrentAppend', message: 'rows were added that the overwrite has not seen' };
  const comesAfter = isBlind && intent.level === 'WriteSerializable' && !intent.changesMetadata;
  if (comesAfter || !intent.wouldRead(file)) return undefined;
  return { kind: 'concurrentAppend', message: `rows were added that it would have read (${file.path})` };
}

function removeConflict(intent: Intent, file: RemoveFile): Omit<Conflict, 'version'> | undefined {
  const key = logicalFileKey(file);
  if (intent.removed.has(key))
    return { kind: 'concurrentDeleteDelete', message: `a file that it removes was removed (${file.path})` };
  if (!file.dataChange || !intent.read.has(key)) return undefined;
  return { kind: 'concurrentDeleteRead', message: `a file that it has read was removed (${file.path})` };
}
