/**
 * How long a table keeps its tombstones, its application ids and its log.
 *
 * Promise: what cannot be read as a duration keeps things longer, never shorter. Source: Delta's table properties
 * `delta.deletedFileRetentionDuration`, `delta.setTransactionRetentionDuration`, `delta.logRetentionDuration` and
 * `delta.enableExpiredLogCleanup`.
 */
import { logicalFileKey } from './deletion-vector.ts';
import { isOn, type Properties } from './properties.ts';
import type { LogState } from './replay.ts';

const UNITS_MS: Readonly<Record<string, number>> = {
  week: 604_800_000,
  day: 86_400_000,
  hour: 3_600_000,
  minute: 60_000,
  second: 1000,
  millisecond: 1,
};
const DEFAULT_TOMBSTONE_MS = 604_800_000;
const DEFAULT_LOG_MS = 2_592_000_000;
export const DAY_MS = 86_400_000;

/** @example durationMs('interval 1 week') // 604800000 */
export function durationMs(interval: string | undefined): number | undefined {
  const text = interval
    ?.trim()
    .toLowerCase()
    .replace(/^interval\s+/, '');
  if (text === undefined || !/^(\d+\s+[a-z]+\s*)+$/.test(text)) return undefined;
  let sum = 0;
  for (const [, amount, unit = ''] of text.matchAll(/(\d+)\s+([a-z]+)/g)) {
    const ms = UNITS_MS[unit.replace(/s$/, '')];
    if (ms === undefined) return undefined;
    sum += Number(amount) * ms;
  }
  return sum;
}

/** How long an application id without news is kept; undefined: for ever. */
export function txnRetentionMs(state: Pick<LogState, 'metadata'>): number | undefined {
  return durationMs(state.metadata.configuration['delta.setTransactionRetentionDuration']);
}

/** How long files that were removed are kept, in milliseconds; for ever where the table says what nobody understands. */
export function tombstoneRetentionMs(configuration: Readonly<Record<string, string>>): number {
  const kept = configuration['delta.deletedFileRetentionDuration'];
  return kept === undefined ? DEFAULT_TOMBSTONE_MS : (durationMs(kept) ?? Infinity);
}

/**
 * The midnight (UTC) before which a table's log may be cleaned up; undefined where it is to be kept for ever.
 * Source: Delta protocol, "Metadata Cleanup".
 */
export function logCutOffMs(configuration: Properties, nowMs: number): number | undefined {
  const cleanUp = 'delta.enableExpiredLogCleanup';
  if (configuration[cleanUp] !== undefined && !isOn(configuration, cleanUp)) return undefined;
  const kept = configuration['delta.logRetentionDuration'];
  const keptMs = kept === undefined ? DEFAULT_LOG_MS : durationMs(kept);
  return keptMs === undefined ? undefined : Math.floor((nowMs - keptMs) / DAY_MS) * DAY_MS;
}

/** The state without the tombstones and application ids that have expired. */
export function withoutExpired(state: LogState, nowMs: number): LogState {
  const tombstoneMs = tombstoneRetentionMs(state.metadata.configuration);
  const txnMs = txnRetentionMs(state);
  const removed = [...state.removed.values()].filter((file) => file.deletionMs <= nowMs - tombstoneMs);
  const txn = [...state.txn.values()].filter(
    ({ lastUpdatedMs }) => txnMs !== undefined && lastUpdatedMs !== undefined && lastUpdatedMs <= nowMs - txnMs,
  );
  return {
    ...state,
    removed:
      removed.length === 0 ? state.removed : state.removed.with(removed.map((f) => [logicalFileKey(f), undefined])),
    txn: txn.length === 0 ? state.txn : state.txn.with(txn.map((t) => [t.appId, undefined])),
  };
}
