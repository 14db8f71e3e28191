/** Long work in JavaScript, cut so that it keeps nobody waiting. */
import { setImmediate } from 'node:timers/promises';

/** Resolves after everything that waits for the event loop by now: sockets, files, DuckDB's calls for rows. */
export async function nextTurn(): Promise<void> {
  await setImmediate();
}
