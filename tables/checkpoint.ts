/**
 * The checkpoint that is due after some commits, and the log's clean-up after it.
 *
 * Promise: a commit stands whatever becomes of them: a failure is a value, and the next one that is due makes up for it.
 */
import type { Clock } from '../core/clock.ts';
import { SluiceError } from '../core/errors.ts';
import type { Engine } from '../engine/engine.ts';
import { cleanUpLog } from './clean-up.ts';
import { writeCheckpoint } from './log/checkpoint-write.ts';
import type { LogState } from './log/replay.ts';
import { withoutExpired } from './log/retention.ts';
import type { ObjectStore } from './store/object-store.ts';

interface CheckpointParts {
  readonly store: ObjectStore;
  readonly engine: Engine;
  readonly clock: Clock;
  readonly checkpointInterval?: number;
}

const CHECKPOINT_INTERVAL = 10;

/** @returns the state without what the checkpoint left out because it had expired */
export async function checkpointIfDue(
  { store, engine, clock, checkpointInterval = CHECKPOINT_INTERVAL }: CheckpointParts,
  state: LogState,
): Promise<{ readonly kept: LogState; readonly error?: SluiceError }> {
  const own = Number(state.metadata.configuration['delta.checkpointInterval']);
  const interval = own >= 1 ? Math.trunc(own) : checkpointInterval;
  if (state.version === 0n || state.version % BigInt(interval) !== 0n) return { kept: state };
  let kept = state;
  try {
    const lasting = withoutExpired(state, clock.nowMs());
    await writeCheckpoint(engine, store, lasting);
    kept = lasting;
    await cleanUpLog({ store, engine, clock }, kept);
    return { kept };
  } catch (cause) {
    const what = kept === state ? 'the checkpoint failed' : 'the clean-up of the log failed';
    const error =
      cause instanceof SluiceError ? cause : new SluiceError('STORAGE_FAILED', `${store.location}: ${what}`, { cause });
    return { kept, error };
  }
}
