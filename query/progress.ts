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
  /** Told when the percents have risen, for one statement. */
  readonly onProgress?: (percent: number) => void;
  /**
   * Told each time that is looked, for work of several statements.
   * @param percent undefined where DuckDB cannot tell; @param statement which one it is, by `Session.statements`
   */
  readonly onLook?: (percent: number | undefined, statement: number) => void;
}

/**
 * Watches what a session runs from now on, until `stop`.
 * @throws SluiceError `INTERRUPTED` when the signal is aborted already.
 */
export async function watch(session: Session, { clock, signal, onProgress, onLook }: WatchParts): Promise<Watch> {
  if (signal?.aborted === true) throw new SluiceError('INTERRUPTED', 'stopped before the query began');
  const look = onLook ?? (onProgress === undefined ? undefined : rising(onProgress));
  if (look !== undefined) {
    await session.run('SET enable_progress_bar = true');
    await session.run('SET enable_progress_bar_print = false');
  }
  const over = new AbortController();
  const interrupt = (): void => {
    session.interrupt();
  };
  signal?.addEventListener('abort', interrupt, { once: true });
  const telling = look === undefined ? Promise.resolve() : tell(session, clock, over.signal, look);
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
  look: NonNullable<WatchParts['onLook']>,
): Promise<void> {
  for (;;) {
    try {
      await clock.sleep(POLL_MS, over);
    } catch {
      return;
    }
    look(session.progress(), session.statements);
  }
}

function rising(onProgress: (percent: number) => void): (percent: number | undefined) => void {
  let last = -1;
  return (percent) => {
    if (percent === undefined || percent <= last) return;
    last = percent;
    onProgress(percent);
  };
}
