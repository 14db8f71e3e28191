/** What DuckDB says about a statement, told about the statement as the user wrote it: place, line, caret, a better name. */
import { SluiceError, type ErrorCode } from '../core/errors.ts';
import type { SourceText } from '../core/source-text.ts';
import { didYouMean, listed } from '../core/suggest.ts';
import { tokenize } from '../core/sql-tokens.ts';
import { missingDataFile, type TableVersion } from '../tables/index.ts';

const UNKNOWN_COLUMN = /Referenced column "(.+?)" not found|does not have a column named "(.+?)"/;

export interface ErrorContext {
  readonly source: SourceText;
  /** From the place in the SQL that DuckDB saw to the place in the source. */
  readonly toOriginal: (offset: number) => number;
  /** Columns of the tables that the statement reads. */
  readonly columns: readonly string[];
  readonly tables?: readonly TableVersion[];
}

/** The same failure with its place in the source; what is not about the SQL itself comes back as it was. */
export function placedError(error: unknown, { source, toOriginal, columns, tables = [] }: ErrorContext): unknown {
  if (!(error instanceof SluiceError) || error.facts['file'] !== undefined) return error;
  const missing = missingDataFile(error, tables);
  if (missing !== undefined) return missing;
  const position = error.facts['position'];
  const about: readonly ErrorCode[] = ['SQL_SYNTAX', 'SQL_INVALID', 'QUERY_FAILED'];
  if (!about.includes(error.code)) return error;
  const text = error.message.replace(/^(Parser|Binder|Catalog|Syntax) Error: (syntax error: )?/i, '');
  const column = UNKNOWN_COLUMN.exec(text);
  const name = column?.[1] ?? column?.[2];
  const code = name === undefined ? error.code : 'UNKNOWN_COLUMN';
  const what = name === undefined ? text : `there is no column ${name}`;
  const advice = name === undefined ? error.advice : (didYouMean(name, columns) ?? listed(columns));
  if (typeof position !== 'number') {
    return new SluiceError(code, `${source.file}: ${what}`, {
      ...(advice === undefined ? {} : { advice }),
      facts: { ...error.facts, file: source.file },
      cause: error,
    });
  }
  const start = Math.min(toOriginal(position), source.text.length);
  const end = start + (firstTokenLength(source.text.slice(start)) ?? 1);
  return source.error(code, { start, end }, what, { advice, facts: { engine: error.facts['engine'] }, cause: error });
}

function firstTokenLength(text: string): number | undefined {
  try {
    const [first] = tokenize(text.split('\n')[0] ?? '');
    return first === undefined ? undefined : first.end - first.start;
  } catch {
    return undefined;
  }
}
