/**
 * From log entries to the state of a table: the newest action wins.
 *
 * Promise: pure, and the same whether it starts at version 0 or at any checkpoint. Source: Delta protocol, "Action
 * Reconciliation".
 */
import { SluiceError } from '../../core/errors.ts';
import type { Action, AddFile, DomainMetadata, Metadata, Protocol, RemoveFile, Txn } from './actions.ts';
import { logicalFileKey } from './deletion-vector.ts';
import { inCommitMs, inCommitSince } from './in-commit.ts';
import { OverlayMap } from './overlay-map.ts';

export interface LogState {
  readonly version: bigint;
  /** When the version was committed, milliseconds since the epoch: the time that its entry gives itself, or that of its file. */
  readonly timestampMs: number;
  /** The time that the entry gives itself; undefined as long as only a checkpoint was read. */
  readonly inCommitMs?: number | undefined;
  readonly protocol: Protocol;
  readonly metadata: Metadata;
  /** By `logicalFileKey`, in the order in which they were added. */
  readonly files: OverlayMap<AddFile>;
  /** Tombstones, which checkpoints carry until they expire. */
  readonly removed: OverlayMap<RemoveFile>;
  readonly txn: OverlayMap<Txn>;
  /** By name, without those that were taken away. */
  readonly domains: OverlayMap<DomainMetadata>;
}

/** What one version says: a log entry, or all the rows of a checkpoint. */
export interface LogEntry {
  readonly version: bigint;
  readonly timestampMs: number;
  readonly actions: readonly Action[];
}

/**
 * Applies entries, oldest first, to a state (undefined before version 0 or a checkpoint).
 * @throws SluiceError `LOG_CORRUPT` when the first entries give no protocol or metadata.
 */
export function replay(base: LogState | undefined, entries: readonly LogEntry[], table: string): LogState {
  const files = new Map<string, AddFile | undefined>();
  const removed = new Map<string, RemoveFile | undefined>();
  const txn = new Map<string, Txn>();
  const domains = new Map<string, DomainMetadata | undefined>();
  let { version, timestampMs, protocol, metadata } = base ?? { version: -1n, timestampMs: 0 };
  for (const entry of entries) {
    ({ version, timestampMs } = entry);
    for (const action of entry.actions) {
      switch (action.kind) {
        case 'add': {
          const key = logicalFileKey(action.add);
          files.delete(key);
          files.set(key, action.add);
          takeOut(removed, base?.removed, key);
          break;
        }
        case 'remove': {
          const key = logicalFileKey(action.remove);
          takeOut(files, base?.files, key);
          removed.set(key, action.remove);
          break;
        }
        case 'metaData':
          metadata = action.metaData;
          break;
        case 'protocol':
          protocol = action.protocol;
          break;
        case 'txn':
          txn.set(action.txn.appId, action.txn);
          break;
        case 'domainMetadata': {
          const { domain } = action.domainMetadata;
          if (action.domainMetadata.removed) takeOut(domains, base?.domains, domain);
          else domains.set(domain, action.domainMetadata);
          break;
        }
        case 'cdc':
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
  const ownMs = inCommitSince(metadata.configuration) && inCommitMs(entries.at(-1));
  return {
    version,
    timestampMs: ownMs ?? timestampMs,
    inCommitMs: ownMs,
    protocol,
    metadata,
    files: applied(base?.files, files),
    removed: applied(base?.removed, removed),
    txn: applied(base?.txn, txn),
    domains: applied(base?.domains, domains),
  };
}

/** A tombstone of a key only where the base has it: a checkpoint's hundreds of thousands of files need none. */
function takeOut<V>(changes: Map<string, V | undefined>, base: OverlayMap<V> | undefined, key: string): void {
  if (base?.has(key) === true) changes.set(key, undefined);
  else changes.delete(key);
}

function applied<V>(base: OverlayMap<V> | undefined, changes: ReadonlyMap<string, V | undefined>): OverlayMap<V> {
  if (base !== undefined) return changes.size === 0 ? base : base.with(changes);
  // Without a base nothing is taken out of it: `takeOut` has left no tombstones.
  return OverlayMap.over(changes as ReadonlyMap<string, V>);
}
