/**
 * The end of the process while something still runs.
 *
 * Promise: it ends, whatever runs, and with the exit code that was meant: statements are stopped first. A way out that does
 * not pass here is killed rather than left to hang.
 */
import { EXIT_CODES, messageOf } from '../core/errors.ts';
import { Engine } from '../engine/engine.ts';

let isEnding = false;

/** @param last called right before the process ends */
export function exitNow(code: number, last: () => void = () => undefined): void {
  if (isEnding) return;
  isEnding = true;
  void Engine.abandonAll().finally(() => {
    last();
    process.exit(code);
  });
}

/** For the command line: an error that nobody caught is told, and ends the process. */
export function endOnUncaughtErrors(): void {
  process.on('uncaughtException', (error: unknown) => {
    const stack = error instanceof Error ? error.stack : undefined;
    process.stderr.write(`${stack ?? messageOf(error)}\n`);
    exitNow(EXIT_CODES.internal);
  });
  process.on('exit', () => {
    if (Engine.isWaitedFor) process.kill(process.pid, 'SIGKILL');
  });
}
