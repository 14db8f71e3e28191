/** What an error of the file system means to a user. */
import { systemCodeOf, type ErrorCode } from '../../core/errors.ts';

/** @returns undefined when it is none that has a code of its own */
export function diskFault(error: unknown): { readonly code: ErrorCode; readonly advice: string } | undefined {
  const code = systemCodeOf(error) ?? '';
  if (['ENOSPC', 'EDQUOT'].includes(code)) {
    return { code: 'STORAGE_FULL', advice: 'Free some space; nothing of the failed write is visible in the table.' };
  }
  if (['EROFS', 'EACCES', 'EPERM'].includes(code)) {
    return { code: 'STORAGE_READ_ONLY', advice: 'Give the user that runs sluice the right to write there.' };
  }
  return undefined;
}
