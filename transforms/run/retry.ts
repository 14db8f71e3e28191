/** When a failed flow is tried again, and after how long. Pure: chance comes in as a number. */
import { ERROR_CODES, messageOf, SluiceError } from '../../core/errors.ts';

const FIRST_MS = 500;
const LONGEST_MS = 30_000;
/** In a run with an end (`--available-now`), how often in a row a flow may fail without any progress in between. */
const ATTEMPTS_WITH_AN_END = 4;

/**
 * Milliseconds until the next attempt, or undefined when there shall be none. A wrong project stays wrong until somebody
 * edits it; anything else may heal (a broker comes back, a disk gets room, a topic is made), so a continuous run goes on
 * trying for ever, and a run with an end a few times, unless the source never answered at all or the data itself is wrong.
 *
 * @param failures how many attempts in a row have failed without progress, this one included (≥ 1)
 * @param chance in [0, 1), spreads the attempts of many workers
 */
export function retryInMs(
  error: SluiceError,
  failures: number,
  chance: number,
  run: { readonly availableNow: boolean; readonly progressed: boolean },
): number | undefined {
  const kind = ERROR_CODES[error.code];
  if (kind === 'project' || kind === 'interrupted' || error.code === 'UNSUPPORTED_FEATURE') return undefined;
  if (run.availableNow) {
    const heals = kind === 'source' || error.code === 'COMMIT_CONTENTION' || error.code === 'STORAGE_FAILED';
    if (!heals || !run.progressed || failures >= ATTEMPTS_WITH_AN_END) return undefined;
  }
  const ceiling = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(failures - 1, 10));
  return Math.round(ceiling * (0.5 + chance / 2));
}

/** Anything thrown as a `SluiceError`, for whom a flow that fails must still be told clearly. */
export function asSluiceError(error: unknown, flow: string): SluiceError {
  if (error instanceof SluiceError) return error;
  return new SluiceError('INTERNAL', `${flow}: ${messageOf(error)}`, {
    advice:
      'This is a fault of sluice itself: please report it with this message. The table is as its last commit left it.',
    facts: { flow },
    cause: error,
  });
}
