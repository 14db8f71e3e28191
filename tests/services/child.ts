/** Processes that the services of tests start: stopped for sure, also when the tests themselves are stopped. */
import type { ChildProcess } from 'node:child_process';

export function hasExited(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

/** Sends a signal and waits until the process is gone; after `patienceMs` it is killed. */
export async function end(child: ChildProcess, signal: 'SIGTERM' | 'SIGKILL', patienceMs = 15_000): Promise<void> {
  if (hasExited(child)) return;
  const gone = new Promise<void>((resolve) => {
    child.once('exit', () => {
      resolve();
    });
  });
  child.kill(signal);
  const impatient = setTimeout(() => child.kill('SIGKILL'), patienceMs);
  await gone;
  clearTimeout(impatient);
}

/**
 * Calls `stop` when this process ends, by itself or by a signal; `stop` must be synchronous.
 * @returns takes the call back.
 */
export function atExit(stop: () => void): () => void {
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  const onSignal = (signal: NodeJS.Signals): void => {
    forget();
    stop();
    if (process.listenerCount(signal) === 0) process.kill(process.pid, signal);
  };
  const forget = (): void => {
    process.off('exit', stop);
    for (const signal of signals) process.off(signal, onSignal);
  };
  process.on('exit', stop);
  for (const signal of signals) process.on(signal, onSignal);
  return forget;
}
