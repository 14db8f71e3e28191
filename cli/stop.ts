/**
 * Ctrl-C and SIGTERM.
 *
 * Promise: the first asks for a clean stop (what is being committed is let through); the second stops what runs and ends the
 * process with exit code 130; the third kills it. None loses anything, since a batch that is not committed is read again.
 */
import { EXIT_CODES } from '../core/errors.ts';
import { exitNow } from './exit.ts';

export interface Stop {
  readonly signal: AbortSignal;
  /** Takes the handlers off again. */
  release(): void;
}

/** @param onFirst told of the first signal; @param onForced told of the second, right before the process ends */
export function stopOnSignals(onFirst: () => void, onForced: () => void): Stop {
  const controller = new AbortController();
  let isForced = false;
  const handle = (): void => {
    if (isForced) process.kill(process.pid, 'SIGKILL');
    if (controller.signal.aborted) {
      isForced = true;
      exitNow(EXIT_CODES.interrupted, onForced);
      return;
    }
    controller.abort();
    onFirst();
  };
  process.on('SIGINT', handle).on('SIGTERM', handle);
  return {
    signal: controller.signal,
    release: () => {
      process.off('SIGINT', handle).off('SIGTERM', handle);
    },
  };
}
