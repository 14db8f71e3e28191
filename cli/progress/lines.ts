/** How far long work is, where nobody watches: a plain line now and then, for logs. */
import type { Clock } from '../../core/clock.ts';
import type { Io } from '../io.ts';
import type { OnProgress } from './query.ts';

/** Work that is shorter says nothing. */
const EVERY_MS = 10_000;

/** @returns a callback that writes to stderr, at most one line each ten seconds */
export function progressLines(io: Io, clock: Clock, what: string): OnProgress {
  let lastMs = clock.nowMs();
  return (percent, step) => {
    const nowMs = clock.nowMs();
    if (nowMs - lastMs < EVERY_MS) return;
    lastMs = nowMs;
    const shown = [step, percent === undefined ? undefined : `${String(Math.floor(percent))} %`];
    io.stderr.write(
      `${new Date(nowMs).toISOString()} ${[what, ...shown.filter((text) => text !== undefined)].join(': ')}\n`,
    );
  };
}
