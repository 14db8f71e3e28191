/**
 * Spark's words for what DuckDB has under others: names in quotes, `<=>`, CONCAT, DATE_FORMAT.
 *
 * Promise: pure; only spelling, no meaning: whether the result is the same to both is for `expression.ts` to say. What either would take for
 * something else is refused.
 */
import type { StructType } from '../../core/schema.ts';
import { tokenize, type Token } from '../../core/sql-tokens.ts';
import { quoteIdent, quoteString } from '../../engine/quoting.ts';

/** Says what of an expression is not taken. */
export function refuse(why: string): never {
  throw new SyntaxError(why);
}

export function respelled(expression: string, { fields }: StructType): string {
  const columns = new Set(fields.map(({ name }) => name.toLowerCase()));
  const tokens = tokenize(expression);
  // Beside a string it is DATE '…', before a bracket a function.
  const isColumn = (i: number): boolean => {
    const [before, token, after] = [tokens[i - 1], tokens[i], tokens[i + 1]];
    if (token?.kind !== 'word' || after?.text === '(' || after?.kind === 'string') return false;
    return before?.text === '.' || columns.has(token.value.toLowerCase());
  };
  const words = tokens.map(({ kind, text, value }, i) => {
    const before = tokens[i - 1];
    if (kind === 'name' && !text.startsWith('`')) refuse(`${text} is a text to Spark, and a name to others`);
    if (kind === 'string' && (!text.startsWith("'") || text.includes('\\'))) refuse(`${text} has a backslash`);
    if (before?.kind === 'string' && kind === 'string') refuse(`${before.text} ${text} stand side by side`);
    if (kind === 'parameter') refuse(`${text} is a parameter`);
    return kind === 'name' || isColumn(i) ? quoteIdent(value) : text;
  });
  for (const [i, { text, start }] of tokens.entries()) {
    const [before, after] = [tokens[i - 1], tokens[i + 1]];
    if (text === '>' && before?.text === '<=' && before.end === start) {
      words[i - 1] = '';
      words[i] = 'IS NOT DISTINCT FROM';
    }
    if (after?.text !== '(') continue;
    const name = text.toLowerCase();
    if (name === 'strftime') refuse(`${text} is no function of Spark`);
    if (name === 'concat') respellConcat(tokens, words, i);
    if (name === 'date_format') respellFormat(tokens, words, i);
  }
  return words.filter((word) => word !== '').join(' ');
}

/** CONCAT of a NULL is NULL, as of `||`. */
function respellConcat(tokens: readonly Token[], words: string[], at: number): void {
  const { commas, close } = argumentsOf(tokens, at);
  words[at] = '';
  words[at + 1] = '((';
  for (const comma of commas) words[comma] = ') || (';
  words[close] = '))';
}

const PARTS: Readonly<Record<string, string>> = { yyyy: '%Y', MM: '%m', dd: '%d', HH: '%H', mm: '%M', ss: '%S' };

function respellFormat(tokens: readonly Token[], words: string[], at: number): void {
  const { commas, close } = argumentsOf(tokens, at);
  const [comma = -1, ...more] = commas;
  const pattern = tokens[comma + 1];
  if (more.length > 0 || pattern?.kind !== 'string' || comma + 2 !== close)
    return refuse('date_format wants a pattern');
  const parts = pattern.value.match(/([A-Za-z])\1*|[^A-Za-z]+/g) ?? [];
  const formats = parts.map((part) => (/^[-/.: _]+$/.test(part) ? part : PARTS[part]));
  if (formats.includes(undefined)) refuse(`date_format with the pattern ${pattern.text}`);
  words[at] = 'strftime';
  words[comma + 1] = quoteString(formats.join(''));
}

/** Where the commas of a function's arguments are, and the bracket after them. */
function argumentsOf(
  tokens: readonly Token[],
  at: number,
): { readonly commas: readonly number[]; readonly close: number } {
  const commas: number[] = [];
  let depth = 0;
  for (let i = at + 1; i < tokens.length; i++) {
    const text = tokens[i]?.kind === 'symbol' ? tokens[i]?.text : undefined;
    if (text === '(') depth++;
    if (text === ')' && --depth === 0) return { commas, close: i };
    if (text === ',' && depth === 1) commas.push(i);
  }
  return refuse('a bracket is not closed');
}
