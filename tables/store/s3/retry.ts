/**
 * Tries a request again, with growing pauses of random length, when the service or the network had a weak moment.
 *
 * Promise: attempts are bounded; what cannot get better is not tried again. The pauses are the time that the clock is told
 * to wait, so that tests need not. Source: AWS, "Exponential Backoff And Jitter" (full jitter).
 */
import type { Clock } from '../../../core/clock.ts';
import type { Random } from '../../../core/random.ts';
import { canRetry, explain, faultOf, isUnreachable, type Fault } from './faults.ts';

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5000;
/** A wrong address does not get better; a service that is started again does. */
const ATTEMPTS_TO_CONNECT = 4;

export interface RetryParts {
  readonly clock: Clock;
  readonly random: Random;
  /** How often a request is sent at the most. */
  readonly attempts: number;
}

/**
 * @param request sends it; told what failed the times before, newest last
 * @param what for messages: `read`, with the place
 * @throws SluiceError explaining the last fault
 */
export async function retried<T>(
  { clock, random, attempts }: RetryParts,
  what: string,
  place: string,
  request: (before: readonly Fault[]) => Promise<T>,
): Promise<T> {
  const faults: Fault[] = [];
  for (;;) {
    try {
      return await request(faults);
    } catch (error) {
      const fault = faultOf(error);
      faults.push(fault);
      const most = isUnreachable(fault) ? Math.min(attempts, ATTEMPTS_TO_CONNECT) : attempts;
      if (faults.length >= most || !canRetry(fault)) throw explain(error, what, place, faults.length);
      const longestMs = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (faults.length - 1));
      await clock.sleep(random.next() * longestMs);
    }
  }
}
