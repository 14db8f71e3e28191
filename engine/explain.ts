/**
 * What DuckDB says of a wrong query, in fewer words, with one suggestion.
 *
 * Promise: pure; what DuckDB says that is not known here is passed on as it is, without its "Binder Error: ".
 */
import type { ErrorCode, SluiceError } from '../core/errors.ts';
import { didYouMean, listed } from '../core/suggest.ts';

export interface Explained {
  readonly code: ErrorCode;
  readonly what: string;
  readonly advice: string | undefined;
  /** The name that it is about, for those cases in which DuckDB tells no position. */
  readonly name: string | undefined;
}

type Rule = readonly [RegExp, (match: RegExpExecArray, columns: readonly string[]) => Explained];

const RULES: readonly Rule[] = [
  [
    /^(?:Referenced column|Table ".*?" does not have a column named|Column|column with name) "([^"]+)"(?: (?:not found|in \w+ list not found|named))?[\s\S]*?(?:Candidate bindings: :? ?(.*))?$/,
    ([all, name = '', candidates], columns) =>
      /must appear in the GROUP BY|is ambiguous/i.test(all)
        ? plain('SQL_INVALID', all, name)
        : {
            code: 'UNKNOWN_COLUMN',
            what: `there is no column ${name}`,
            advice: didYouMean(name, columns.length > 0 ? columns : quoted(candidates)) ?? listed(columns),
            name,
          },
  ],
  [
    /^Referenced table "([^"]+)" not found![\s\S]*?(?:Candidate tables: (.*))?$/,
    ([, name = '', candidates]) => ({
      code: 'SQL_INVALID',
      what: `there is no table or alias ${name} in this FROM`,
      advice: didYouMean(name, quoted(candidates)) ?? listed(quoted(candidates)),
      name,
    }),
  ],
  [
    /^((?:\w+ )*?Function) with name "?(\S+?)"? does not exist!\s*(?:Did you mean "([^"]+)"\?)?/i,
    ([, , name = '', near]) => ({
      code: 'SQL_INVALID',
      what: `there is no function ${name}`,
      advice: near === undefined ? undefined : didYouMean(name, [near.replace(/^main\./, '')]),
      name,
    }),
  ],
  [
    /^Type with name "?(\S+?)"? does not exist!/,
    ([, name = '']) => ({
      code: 'SQL_INVALID',
      what: `there is no type ${name}`,
      advice: didYouMean(name, TYPES),
      name,
    }),
  ],
  [
    /^No function matches the given name and argument types '(.*)'\. You might need to add explicit type casts\.\s*Candidate functions:\s*([\s\S]*)$/,
    ([, call = '', candidates = '']) => {
      const forms = candidates.split('\n').map((line) => line.trim()).filter((line) => line !== ''); // prettier-ignore
      const shown = forms.slice(0, 5).join(', ');
      return {
        code: 'SQL_INVALID',
        what: `no function takes these types: ${call}`,
        advice: `Cast the argument. ${forms.length > 5 ? 'Among others there are' : 'There is'} ${shown}.`,
        name: undefined,
      };
    },
  ],
];

const TYPES = [
  'STRING', 'VARCHAR', 'BIGINT', 'LONG', 'INTEGER', 'INT', 'SMALLINT', 'TINYINT', 'FLOAT', 'DOUBLE', 'BOOLEAN', 'BINARY', 'DATE',
  'TIMESTAMP', 'TIMESTAMP_NTZ', 'DECIMAL', 'STRUCT', 'MAP',
]; // prettier-ignore

/**
 * @param columns that the query can name, for the suggestion; DuckDB's own candidates serve when there are none
 * @example explainEngineError(error, ['amount']) // { code: 'UNKNOWN_COLUMN', what: 'there is no column amuont', advice: 'Did you mean amount?' }
 */
export function explainEngineError(error: SluiceError, columns: readonly string[] = []): Explained {
  const text = error.message.replace(/^[A-Z][\w ]*? Error: /, '').trim();
  for (const [pattern, explain] of RULES) {
    const match = pattern.exec(text);
    if (match !== null) return explain(match, columns);
  }
  return { ...plain(error.code, text, undefined), advice: error.advice };
}

function plain(code: ErrorCode, text: string, name: string | undefined): Explained {
  const [what = text, ...more] = text.split('\n');
  const advice = more.map((line) => line.trim()).filter((line) => line !== ''); // prettier-ignore
  return { code, what, advice: advice.length === 0 ? undefined : advice.join(' '), name };
}

function quoted(list: string | undefined): string[] {
  return [...(list ?? '').matchAll(/"([^"]+)"/g)].map(([, name = '']) => name);
}
