/** What it means that DuckDB did not find a file, when that is one of a table's. */
import { SluiceError } from '../core/errors.ts';

export interface TableVersion {
  readonly location: string;
  readonly version: bigint;
}

/** @returns undefined when the error is about something else */
export function missingDataFile(error: unknown, tables: readonly TableVersion[]): SluiceError | undefined {
  const file = error instanceof SluiceError ? error.facts['missingFile'] : undefined;
  if (typeof file !== 'string') return undefined;
  const table = tables.find(({ location }) => file.startsWith(`${location}/`));
  if (table === undefined) return undefined;
  const { location, version } = table;
  return new SluiceError('FILE_MISSING', `${location}@${String(version)}: its data file ${file} does not exist`, {
    advice:
      'It was removed without the table knowing, or vacuumed: restore it, or read a version that does not need it.',
    facts: { table: location, version, file },
    cause: error,
  });
}
