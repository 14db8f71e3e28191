/**
 * Whether a change still stands after others have committed in between. Pure; a conflict is a value.
 *
 * Source: Delta protocol, "Concurrency control", and the checks that Delta's own writers make.
 */
import type { Action } from './actions.ts';

export type ConflictKind = 'txn' | 'metadata' | 'protocol' | 'concurrentAppend';

export interface Conflict {
  readonly kind: ConflictKind;
  readonly message: string;
  /** The version that was there first. */
  readonly version: bigint;
}

export interface Intent {
  readonly mode: 'append' | 'overwrite';
  /** Application ids that the change sets. */
  readonly txn?: ReadonlyMap<string, bigint>;
  /** Application ids and the versions that the change starts from. */
  readonly expect?: ReadonlyMap<string, bigint | undefined>;
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
  for (const action of winner) {
    if (action.kind === 'protocol') return { kind: 'protocol', version, message: 'the protocol was changed' };
    if (action.kind === 'metaData') return { kind: 'metadata', version, message: 'the metadata was changed' };
    if (action.kind === 'add' && action.add.dataChange && intent.mode === 'overwrite') {
      return { kind: 'concurrentAppend', version, message: 'rows were added that the overwrite has not seen' };
    }
    const appId = action.kind === 'txn' ? action.txn.appId : undefined;
    if (appId !== undefined && intent.txn?.has(appId) === true && intent.expect?.has(appId) !== true) {
      return { kind: 'txn', version, message: `${appId} was set by another worker` };
    }
  }
  return undefined;
}
