/** How far long work is, where nobody watches: a plain line now and then, for logs. */
import type { Clock } from '../../core/clock.ts';
import type { Io } from '../io.ts';

/** Work that is shorter says nothing. */
const EVERY_MS = 10_000;

/** @returns a callback that writes to stderr, at most one line each ten seconds */
export function progressLines(io: Io, clock: Clock, what: string): (percent: number) => void {
  let lastMs = clock.nowMs();
  return (percent) => {
    const nowMs = clock.nowMs();
    if (nowMs - lastMs < EVERY_MS) return;
    lastMs = nowMs;
    io.stderr.write(`${new Date(nowMs).toISOString()} ${what}: ${String(Math.floor(percent))} %\n`);
  };
}
