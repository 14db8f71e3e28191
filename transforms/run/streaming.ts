/**
 * The loop of a streaming flow: read after the position, land the batch, go on from where the table then stands.
 *
 * Promise: the position always comes from the table; nothing is remembered that a crash could lose.
 */
import type { Clock } from '../../core/clock.ts';
import type { BatchLimits, Positions, Source } from '../../ingest/source.ts';
import { land, landedPositions, type Landing } from './land.ts';
import type { RunEvent } from './events.ts';

export interface StreamingParts {
  readonly landing: Landing;
  readonly source: Source;
  readonly limits: BatchLimits;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly onEvent: (event: RunEvent) => void;
  /** Asked after each commit, since a busy source is never without anything new, and when it is: true ends the loop. */
  readonly finished: (from: Positions) => Promise<boolean>;
}

/**
 * Runs until `finished`, or until `signal` is aborted (a batch that is being committed is let through).
 * @throws whatever reading or landing throws; the caller may call again, and nothing is lost or doubled.
 */
export async function stream(parts: StreamingParts): Promise<void> {
  const { landing, source, signal, clock } = parts;
  let from = await landedPositions(landing.flow, landing.target);
  while (!signal.aborted) {
    const batch = await source.read(from, parts.limits, signal);
    if (batch === undefined) {
      if (await parts.finished(from)) return;
      parts.onEvent({ kind: 'flow_idle', flow: landing.flow });
      continue;
    }
    try {
      const startMs = clock.nowMs();
      const landed = await land(batch, landing);
      if (landed.kind === 'lost') {
        from = await landedPositions(landing.flow, landing.target);
        continue;
      }
      from = new Map([...from, ...batch.upTo]);
      const { staged, version } = landed;
      const dropped = [...staged.expectations.values()].filter((count) => count.action === 'drop');
      parts.onEvent({
        kind: 'batch_committed',
        flow: landing.flow,
        version,
        rows: staged.rowsOut,
        quarantined: staged.quarantined,
        dropped: dropped.reduce((sum, count) => sum + count.failed, 0n),
        durationMs: clock.nowMs() - startMs,
      });
      await source.committed(from);
    } finally {
      await batch.release();
    }
    if (await parts.finished(from)) return;
  }
}
