/** What goes on beside a running statement: its progress is told, and an abort stops it. */
import type { Clock } from '../core/clock.ts';
import { SluiceError } from '../core/errors.ts';
import type { Session } from '../engine/session.ts';

const POLL_MS = 200;

export interface Watch {
  /** Ends it. Idempotent; never throws. */
  stop(): Promise<void>;
}

export interface WatchParts {
  readonly clock: Clock;
  readonly signal?: AbortSignal;
  readonly onProgress?: (percent: number) => void;
}

/**
 * Watches what a session runs from now on, until `stop`.
 * @throws SluiceError `INTERRUPTED` when the signal is aborted already.
 */
export async function watch(session: Session, { clock, signal, onProgress }: WatchParts): Promise<Watch> {
  if (signal?.aborted === true) throw new SluiceError('INTERRUPTED', 'stopped before the query began');
  if (onProgress !== undefined) {
    await session.run('SET enable_progress_bar = true');
    await session.run('SET enable_progress_bar_print = false');
  }
  const over = new AbortController();
  const interrupt = (): void => {
    session.interrupt();
  };
  signal?.addEventListener('abort', interrupt, { once: true });
  const telling = onProgress === undefined ? Promise.resolve() : tell(session, clock, over.signal, onProgress);
  return {
    stop: async () => {
      signal?.removeEventListener('abort', interrupt);
      over.abort();
      await telling;
    },
  };
}

async function tell(
  session: Session,
  clock: Clock,
  over: AbortSignal,
  onProgress: (percent: number) => void,
): Promise<void> {
  let last = -1;
  for (;;) {
    try {
      await clock.sleep(POLL_MS, over);
    } catch {
      return;
    }
    const percent = session.progress();
    if (percent === undefined || percent <= last) continue;
    last = percent;
    onProgress(percent);
  }
}
