/** What DuckDB throws, in the words of sluice: a literal code, the place where DuckDB names one, and what to do. */
import { messageOf, SluiceError, type ErrorCode } from '../core/errors.ts';

const KINDS: readonly (readonly [RegExp, ErrorCode, string | undefined])[] = [
  [/^INTERRUPT/i, 'INTERRUPTED', undefined],
  [/No space left on device|disk quota exceeded/i, 'STORAGE_FULL', 'Free some space; what was being written is not visible.'],
  [/Read-only file system|Permission denied/i, 'STORAGE_READ_ONLY', 'Give the user that runs sluice the right to write there.'],
  [/^Parser Error/i, 'SQL_SYNTAX', undefined],
  [/^Out of Memory/i, 'QUERY_FAILED', 'Raise engine.memory_limit in sluice.yaml, or cut the batch smaller (ingest.max_batch_rows).'],
  [/^(Binder|Catalog) Error/i, 'SQL_INVALID', undefined],
]; // prettier-ignore

/** The first of them is what DuckDB says of a file that it is to read, the other one of a file that goes meanwhile. */
const MISSING_FILE = [
  /No files found that match the pattern "([^"]+)"/,
  /Cannot open file "([^"]+)": No such file/,
] as const;

/**
 * Wraps an error of DuckDB. `facts.engine` holds DuckDB's own kind ("Binder Error"), `facts.position` the offset in the SQL
 * when DuckDB shows one, `facts.missingFile` the file that was to be read and is not there.
 */
export function engineError(error: unknown, sql: string): SluiceError {
  if (error instanceof SluiceError) return error;
  const text = messageOf(error);
  const [, code, advice] = KINDS.find(([pattern]) => pattern.test(text)) ?? [
    undefined,
    'QUERY_FAILED' as const,
    undefined,
  ];
  const shown = /\n\s*\nLINE (\d+): /.exec(text);
  const message = (shown === null ? text : text.slice(0, shown.index)).trim();
  const position = shown === null ? undefined : positionOf(text.slice(shown.index).trimStart(), Number(shown[1]), sql);
  const kind = /^[A-Z][\w ]*?Error/.exec(text)?.[0];
  const missingFile = MISSING_FILE[0].exec(text)?.[1] ?? MISSING_FILE[1].exec(text)?.[1];
  return new SluiceError(code, message, {
    ...(advice === undefined ? {} : { advice }),
    facts: { engine: kind, position, missingFile },
    cause: error,
  });
}

/** DuckDB shows `LINE n: …excerpt` and a caret below; the excerpt may be cut at both ends. */
function positionOf(shown: string, line: number, sql: string): number | undefined {
  const [excerptLine = '', caretLine = ''] = shown.split('\n');
  const prefix = /^LINE \d+: /.exec(excerptLine)?.[0].length ?? 0;
  const caret = caretLine.indexOf('^') - prefix;
  if (caret < 0) return undefined;
  const lines = sql.split('\n');
  const start = lines.slice(0, line - 1).reduce((sum, text) => sum + text.length + 1, 0);
  const excerpt = excerptLine.slice(prefix);
  const cut = excerpt.startsWith('...');
  const at = cut ? (lines[line - 1] ?? '').indexOf(excerpt.slice(3).replace(/\.\.\.$/, '')) - 3 : 0;
  return start + Math.max(0, at) + caret;
}
