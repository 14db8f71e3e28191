/**
 * Ctrl-C and SIGTERM.
 *
 * Promise: the first asks for a clean stop (what is being committed is let through); the second ends the process at once
 * with exit code 130, which loses nothing either, since a batch that is not committed is read again.
 */
import { EXIT_CODES } from '../core/errors.ts';

export interface Stop {
  readonly signal: AbortSignal;
  /** Takes the handlers off again. */
  release(): void;
}

/** @param onFirst told of the first signal; @param onForced told of the second, right before the process ends */
export function stopOnSignals(onFirst: () => void, onForced: () => void): Stop {
  const controller = new AbortController();
  const handle = (): void => {
    if (controller.signal.aborted) {
      onForced();
      process.exit(EXIT_CODES.interrupted);
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
