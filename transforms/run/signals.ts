/**
 * How one flow tells another that its table has moved, so that nobody waits for a poll.
 *
 * Promise: a signal sent between looking and waiting is not lost: `next` is taken before the look.
 */
import type { Clock } from '../../core/clock.ts';

export class TableSignals {
  readonly #clock: Clock;
  #waiting = new Set<() => void>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Some table has a new version, or some flow has ended. */
  notify(): void {
    const waiting = this.#waiting;
    this.#waiting = new Set();
    for (const wake of waiting) wake();
  }

  /**
   * Resolves at the next `notify`, after `maxMs` at the latest: rows of writers outside this process send no signal.
   * @throws the reason of `signal` when aborted.
   */
  async next(maxMs: number, signal: AbortSignal): Promise<void> {
    const stop = new AbortController();
    const wake = (): void => {
      stop.abort();
    };
    this.#waiting.add(wake);
    signal.addEventListener('abort', wake, { once: true });
    try {
      signal.throwIfAborted();
      await this.#clock.sleep(maxMs, stop.signal).catch((error: unknown) => {
        if (!stop.signal.aborted) throw error;
      });
      signal.throwIfAborted();
    } finally {
      this.#waiting.delete(wake);
      signal.removeEventListener('abort', wake);
    }
  }
}
