/**
 * What one statement of `sluice sql` is, as far as its first words tell.
 *
 * Promise: pure; a statement that could write is refused by its first word, before anything of it is run. (Whatever passes is
 * parsed as a SELECT by DuckDB too, which knows no writing ones.)
 */
import { isKeyword, isSymbol, type Token } from '../core/sql-tokens.ts';
import type { SourceText } from '../core/source-text.ts';

export type Statement =
  | {
      readonly kind: 'select';
      /** Where the SELECT starts: after EXPLAIN, if there is one. */
      readonly start: number;
    }
  | { readonly kind: 'show_tables'; readonly schema: string | undefined };

const READING = [
  'SELECT', 'WITH', 'FROM', 'VALUES', 'TABLE', 'DESCRIBE', 'DESC', 'SHOW', 'SUMMARIZE', 'PIVOT', 'UNPIVOT', 'PIVOT_WIDER', 'PIVOT_LONGER',
]; // prettier-ignore
const WRITING = [
  'INSERT', 'UPDATE', 'DELETE', 'MERGE', 'TRUNCATE', 'CREATE', 'DROP', 'ALTER', 'COMMENT', 'COPY', 'EXPORT', 'IMPORT', 'ATTACH', 'DETACH',
  'USE', 'INSTALL', 'LOAD', 'UPDATE', 'SET', 'RESET', 'PRAGMA', 'CALL', 'CHECKPOINT', 'FORCE', 'VACUUM', 'ANALYZE', 'BEGIN', 'START',
  'COMMIT', 'ROLLBACK', 'ABORT', 'PREPARE', 'EXECUTE', 'DEALLOCATE', 'OPTIMIZE', 'RESTORE', 'REFRESH',
]; // prettier-ignore

/**
 * @param tokens of the statement, one at least
 * @throws SluiceError `SQL_NOT_READ_ONLY`, `SQL_SYNTAX`
 */
export function classify(source: SourceText, tokens: readonly Token[]): Statement {
  const first = afterExplain(tokens);
  const token = tokens[first] ?? tokens.at(-1);
  if (token === undefined) throw source.error('SQL_SYNTAX', { start: 0, end: 0 }, 'there is no statement');
  const word = token.text.toUpperCase();
  if (WRITING.includes(word)) {
    throw source.error('SQL_NOT_READ_ONLY', token, `${word} is not allowed here: queries only read`, {
      advice: 'Tables are written by the statements in pipelines/*.sql and `sluice run`. Here, use SELECT.',
    });
  }
  if (word === 'SHOW') {
    const at = isKeyword(tokens[first + 1], 'ALL') ? first + 2 : first + 1;
    if (isKeyword(tokens[at], 'TABLES')) {
      const named = isKeyword(tokens[at + 1], 'FROM') || isKeyword(tokens[at + 1], 'IN');
      const extra = tokens[named ? at + 3 : at + 1];
      if (extra !== undefined || (named && tokens[at + 2] === undefined)) {
        throw source.error('SQL_SYNTAX', extra ?? token, 'SHOW TABLES takes FROM and a schema, or nothing', {
          advice: 'Write SHOW TABLES, or SHOW TABLES FROM silver.',
        });
      }
      return { kind: 'show_tables', schema: named ? tokens[at + 2]?.value : undefined };
    }
  }
  if (word === 'PIVOT' || word === 'PIVOT_WIDER') {
    throw source.error(
      'SQL_INVALID',
      token,
      `${word} as a statement is not supported, since it makes types of its own`,
      {
        advice: "Name the values: FROM t PIVOT (sum(amount) FOR status IN ('paid', 'open')).",
      },
    );
  }
  if (!READING.includes(word) && !isSymbol(token, '(')) {
    throw source.error('SQL_SYNTAX', token, `a statement cannot start with ${token.text}`, {
      advice: 'Start with SELECT, WITH, FROM, VALUES, DESCRIBE, SUMMARIZE, SHOW TABLES or EXPLAIN.',
    });
  }
  return { kind: 'select', start: token.start };
}

/** The token after `EXPLAIN [ANALYZE] [(options)]`. */
function afterExplain(tokens: readonly Token[]): number {
  if (!isKeyword(tokens[0], 'EXPLAIN')) return 0;
  let at = isKeyword(tokens[1], 'ANALYZE') ? 2 : 1;
  const isOptions =
    isSymbol(tokens[at], '(') && ['FORMAT', 'ANALYZE', 'CODEGEN'].some((w) => isKeyword(tokens[at + 1], w));
  if (isOptions) {
    while (at < tokens.length && !isSymbol(tokens[at], ')')) at++;
    at++;
  }
  return at;
}
