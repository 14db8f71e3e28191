/**
 * How a failure is told to a person: what failed, the place if there is one, and what to do next.
 *
 * Promise: no stack trace unless asked for with --debug; every failure has a code and an exit code that docs/operations.md
 * explains.
 */
import { EXIT_CODES, messageOf, SluiceError, systemCodeOf, type ErrorCode } from '../core/errors.ts';
import type { Style } from './style.ts';

const SYSTEM: Readonly<Record<string, { code: ErrorCode; advice: string }>> = {
  ENOSPC: { code: 'STORAGE_FULL', advice: 'Free some space and try again.' },
  EDQUOT: { code: 'STORAGE_FULL', advice: 'Free some space and try again.' },
  EROFS: { code: 'STORAGE_READ_ONLY', advice: 'Choose a folder that can be written to.' },
  EACCES: { code: 'STORAGE_READ_ONLY', advice: 'Give the user that runs sluice the right to write there.' },
  EPERM: { code: 'STORAGE_READ_ONLY', advice: 'Give the user that runs sluice the right to write there.' },
  ENOTDIR: { code: 'STORAGE_FAILED', advice: 'A file is in the way where a folder should be.' },
  EIO: { code: 'STORAGE_FAILED', advice: 'Look at the disk and try again.' },
};

/** A failure that was told when it happened: it decides the exit code, and is not told again. */
export class ToldError extends Error {
  readonly error: SluiceError;

  constructor(error: SluiceError) {
    super(error.message, { cause: error });
    this.error = error;
  }
}

/** Anything thrown, as the error that users see. */
export function toSluiceError(error: unknown): SluiceError {
  if (error instanceof SluiceError) return error;
  if (error instanceof ToldError) return error.error;
  const known = SYSTEM[systemCodeOf(error) ?? ''];
  if (known !== undefined) {
    return new SluiceError(known.code, messageOf(error), { advice: known.advice, cause: error });
  }
  return new SluiceError('INTERNAL', messageOf(error), {
    advice:
      'This is a fault of sluice itself: please report it with what --debug prints. No table was left half written.',
    cause: error,
  });
}

/**
 * The text of an error, with its end of line.
 * @example errorText(new SluiceError('UNKNOWN_TABLE', 'no table silver.ordres'), { style, debug: false })
 */
export function errorText(error: SluiceError, options: { readonly style: Style; readonly debug: boolean }): string {
  const { style } = options;
  const [first = '', ...rest] = error.message.trimEnd().split('\n');
  const lines = [`${style.bold(style.red(`error[${error.code}]:`))} ${first}`, ...rest];
  if (error.advice !== undefined) lines.push(`${style.cyan('→')} ${error.advice}`);
  if (options.debug) lines.push(style.dim(causes(error)));
  return `${lines.join('\n')}\n`;
}

/** Interrupted is 130 as a shell has it; the rest is in core/errors.ts. */
export function exitCodeOf(error: unknown): number {
  return error instanceof SluiceError ? error.exitCode : EXIT_CODES.internal;
}

function causes(error: unknown): string {
  const stacks: string[] = [];
  for (let at = error, depth = 0; at !== undefined && depth < 10; depth++) {
    stacks.push(at instanceof Error ? (at.stack ?? at.message) : messageOf(at));
    at = at instanceof Error ? at.cause : undefined;
  }
  return stacks.join('\ncaused by: ');
}
