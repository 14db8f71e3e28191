/**
 * The times that commits give themselves, in tables that keep such times.
 *
 * Promise: pure; each is later than the one before, whatever the clocks of the writers say. Source: Delta protocol, "In-Commit Timestamps".
 */
import type { Action, Metadata } from './actions.ts';
import { isOn, type Properties } from './properties.ts';

const ENABLED = 'delta.enableInCommitTimestamps';
/** Since when, where the table is older than that. */
const VERSION = 'delta.inCommitTimestampEnablementVersion';
const TIMESTAMP = 'delta.inCommitTimestampEnablementTimestamp';

/** The time that an entry gives itself. */
export function inCommitMs(entry: { readonly actions: readonly Action[] } | undefined): number | undefined {
  for (const action of entry?.actions ?? []) {
    const ms = action.kind === 'commitInfo' ? action.commitInfo['inCommitTimestamp'] : undefined;
    if (typeof ms === 'number') return ms;
  }
  return undefined;
}

/** The first version that gives itself a time, and that time; undefined where none does. */
export function inCommitSince(configuration: Properties): { version: bigint; timestampMs: number } | undefined {
  if (!isOn(configuration, ENABLED)) return undefined;
  const [version = '', timestamp = ''] = [configuration[VERSION], configuration[TIMESTAMP]];
  const isSaid = /^\d+$/.test(version) && /^\d+$/.test(timestamp);
  return isSaid
    ? { version: BigInt(version), timestampMs: Number(timestamp) }
    : { version: 0n, timestampMs: -Infinity };
}

interface Before {
  readonly version: bigint;
  readonly timestampMs: number;
  readonly metadata: Metadata;
}

/**
 * The time of the next commit, and what the table says of itself with it: since when its commits have such times.
 * @param before the state that the commit comes after; undefined where it makes the table
 */
export function withInCommitTime(
  next: Metadata,
  before: Before | undefined,
  nowMs: number,
): { readonly metadata: Metadata; readonly inCommitMs?: number } {
  if (!isOn(next.configuration, ENABLED)) return { metadata: next };
  const ms = Math.max(nowMs, (before?.timestampMs ?? -1) + 1);
  const wasOn = before !== undefined && isOn(before.metadata.configuration, ENABLED);
  if (wasOn && next === before.metadata) return { metadata: next, inCommitMs: ms };
  const others = Object.entries(next.configuration).filter(([key]) => key !== VERSION && key !== TIMESTAMP);
  const said =
    before === undefined
      ? []
      : wasOn
        ? Object.entries(before.metadata.configuration).filter(([key]) => key === VERSION || key === TIMESTAMP)
        : [
            [VERSION, String(before.version + 1n)],
            [TIMESTAMP, String(ms)],
          ];
  const configuration = Object.fromEntries([...others, ...said]) as Properties;
  return { metadata: { ...next, configuration }, inCommitMs: ms };
}
