/**
 * From log entries to the state of a table: the newest action wins.
 *
 * Promise: pure, and the same whether it starts at version 0 or at any checkpoint. Source: Delta protocol, "Action
 * Reconciliation".
 */
import { SluiceError } from '../../core/errors.ts';
import type { Action, AddFile, Metadata, Protocol, RemoveFile, Txn } from './actions.ts';

export interface LogState {
  readonly version: bigint;
  readonly protocol: Protocol;
  readonly metadata: Metadata;
  /** By path, in the order in which they were added. */
  readonly files: ReadonlyMap<string, AddFile>;
  /** Tombstones, which checkpoints carry until they expire. */
  readonly removed: ReadonlyMap<string, RemoveFile>;
  readonly txn: ReadonlyMap<string, Txn>;
}

/**
 * Applies entries, oldest first, to a state (undefined before version 0 or a checkpoint).
 * @throws SluiceError `LOG_CORRUPT` when the first entries give no protocol or metadata.
 */
export function replay(
  base: LogState | undefined,
  entries: readonly { readonly version: bigint; readonly actions: readonly Action[] }[],
  table: string,
): LogState {
  const files = new Map(base?.files);
  const removed = new Map(base?.removed);
  const txn = new Map(base?.txn);
  let { version, protocol, metadata } = base ?? { version: -1n };
  for (const entry of entries) {
    version = entry.version;
    for (const action of entry.actions) {
      switch (action.kind) {
        case 'add':
          files.delete(action.add.path);
          files.set(action.add.path, action.add);
          removed.delete(action.add.path);
          break;
        case 'remove':
          files.delete(action.remove.path);
          removed.set(action.remove.path, action.remove);
          break;
        case 'metaData':
          metadata = action.metaData;
          break;
        case 'protocol':
          protocol = action.protocol;
          break;
        case 'txn':
          txn.set(action.txn.appId, action.txn);
          break;
        case 'commitInfo':
          break;
      }
    }
  }
  if (protocol === undefined || metadata === undefined) {
    const what = protocol === undefined ? 'protocol' : 'metaData';
    throw new SluiceError('LOG_CORRUPT', `${table}@${String(version)}: the log has no ${what} action`, {
      advice: 'Its first entries are missing or damaged: restore `_delta_log` from a backup.',
      facts: { table, version },
    });
  }
  return { version, protocol, metadata, files, removed, txn };
}
