/**
 * The consumer groups of workers: a name of its own for each, unless the pipeline gives one to share.
 *
 * A worker that was killed stays a member of its group until the session times out, and a rebalance waits for it. Positions
 * live in the table, so a worker that is alone needs no group that outlives it: it starts at once in a new one, and removes
 * those that earlier ones have left. Group offsets are for lag tools only.
 */
import type { Admin } from 'kafkajs';

/** @example groupPrefix('shop', 'bronze.orders') // 'sluice-shop-bronze.orders-' */
export function groupPrefix(project: string, flow: string): string {
  return `sluice-${project}-${flow}-`;
}

/** Removes the empty groups of earlier workers of the same flow; whatever goes wrong is no matter. */
export async function removeLeftGroups(admin: Admin, prefix: string, own: string): Promise<void> {
  try {
    const { groups } = await admin.listGroups();
    const left = groups.map(({ groupId }) => groupId).filter((id) => id.startsWith(prefix) && id !== own);
    if (left.length === 0) return;
    const { groups: described } = await admin.describeGroups(left);
    const empty = described.filter(({ state }) => state === 'Empty' || state === 'Dead').map(({ groupId }) => groupId);
    if (empty.length > 0) await admin.deleteGroups(empty);
  } catch {
    return;
  }
}
