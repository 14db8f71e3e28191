/**
 * How one piece of work tells another that something has changed, so that nobody waits for a poll.
 *
 * Promise: a signal sent between looking and waiting is not lost: who waits says how many signals there were before it looked.
 */
import type { Clock } from './clock.ts';

export class Signals {
  readonly #clock: Clock;
  #count = 0;
  #waiting = new Set<() => void>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** How many signals there have been. */
  get count(): number {
    return this.#count;
  }

  /** Something has changed: whoever waits looks again. */
  notify(): void {
    this.#count++;
    const waiting = this.#waiting;
    this.#waiting = new Set();
    for (const wake of waiting) wake();
  }

  /**
   * Resolves at the first signal after the `seen` ones, after `maxMs` at the latest: what changes outside this process sends none.
   * @throws the reason of `signal` when aborted.
   */
  async after(seen: number, maxMs: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#count !== seen) return;
    const stop = new AbortController();
    const wake = (): void => {
      stop.abort();
    };
    this.#waiting.add(wake);
    signal.addEventListener('abort', wake, { once: true });
    try {
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
