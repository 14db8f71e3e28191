/**
 * Where a flow's position lives: in the `txn` actions of its target table, one application id per source partition.
 *
 * Promise: positions and rows move in one Delta commit, so a restart that reads them back knows exactly what it has.
 * Source: Delta protocol, "Transaction Identifiers".
 */
import type { Positions } from '../../ingest/source.ts';

/** @example appId('bronze.orders', 'orders/0') // 'sluice:bronze.orders:orders/0' */
function appId(target: string, partition: string): string {
  return `sluice:${target}:${partition}`;
}

/** The positions of the flow into `target`, out of all application ids of a table. */
export function positionsOf(target: string, txn: ReadonlyMap<string, bigint>): Positions {
  const prefix = appId(target, '');
  const own = [...txn].filter(([id]) => id.startsWith(prefix));
  return new Map(own.map(([id, at]) => [id.slice(prefix.length), at]));
}

/**
 * What a commit sets and what it must find: a commit that finds another position than `from` has lost a race. Only the
 * partitions that move are named, so that two workers with different partitions do not get in each other's way.
 */
export function moveTo(
  target: string,
  from: Positions,
  upTo: Positions,
): { txn: ReadonlyMap<string, bigint>; expect: ReadonlyMap<string, bigint | undefined> } {
  const moved = [...upTo].filter(([partition, at]) => from.get(partition) !== at);
  return {
    txn: new Map(moved.map(([partition, at]) => [appId(target, partition), at])),
    expect: new Map(moved.map(([partition]) => [appId(target, partition), from.get(partition)])),
  };
}
