/**
 * What `sluice table alter` is told about columns: `note STRING COMMENT 'why' AFTER id`, `amount TYPE DECIMAL(12,2)`.
 *
 * Promise: pure; a text that is not wholly understood is refused with an example.
 */
import { SluiceError } from '../../core/errors.ts';
import { isKeyword, tokenize, type Token } from '../../core/sql-tokens.ts';
import { parseSchema, type ColumnChange, type Field, type NewColumn, type Position } from '../../tables/index.ts';

/** @throws SluiceError `USAGE` */
export function newColumn(text: string): NewColumn {
  const { path, tokens } = startingWithPath(text, ADD);
  const [last, before] = [tokens.at(-1), tokens.at(-2)];
  const position = positionOf(before, last);
  const rest = position === undefined ? tokens : tokens.slice(0, position === 'first' ? -1 : -2);
  if (rest.length === 0) throw notUnderstood(text, ADD);
  const column = definition(path.at(-1) ?? '', textOf(text, rest));
  return { column, parent: path.slice(0, -1), ...(position === undefined ? {} : { position }) };
}

/** @throws SluiceError `USAGE` */
export function columnChange(text: string): ColumnChange {
  const { path: column, tokens } = startingWithPath(text, CHANGE);
  const [first, second, third] = tokens;
  if (isKeyword(first, 'TYPE') && second !== undefined)
    return { column, type: definition('c', textOf(text, tokens.slice(1))).type };
  if (isKeyword(first, 'COMMENT') && second?.kind === 'string' && tokens.length === 2)
    return { column, comment: second.value };
  const isNotNull = isKeyword(second, 'NOT') && isKeyword(third, 'NULL') && tokens.length === 3;
  if (isNotNull && (isKeyword(first, 'SET') || isKeyword(first, 'DROP')))
    return { column, nullable: isKeyword(first, 'DROP') };
  const position = tokens.length <= 2 ? positionOf(tokens.at(-2), tokens.at(-1)) : undefined;
  if (position === undefined || (position === 'first' && tokens.length > 1)) throw notUnderstood(text, CHANGE);
  return { column, position };
}

/** `old = new` @throws SluiceError `USAGE` */
export function renaming(text: string): { readonly from: readonly string[]; readonly to: string } {
  const { path: from, tokens } = startingWithPath(text, RENAME);
  const [sign, to] = tokens;
  if (sign?.text !== '=' || to === undefined || !isName(to) || tokens.length > 2) throw notUnderstood(text, RENAME);
  return { from, to: to.value };
}

/** `name = condition` @throws SluiceError `USAGE` */
export function constraint(text: string): { readonly name: string; readonly expression: string } {
  const [, name = '', expression = ''] = /^\s*([\p{L}_][\p{L}\p{N}_]*)\s*=(?!=)([^]*\S[^]*)$/u.exec(text) ?? [];
  if (name === '') throw notUnderstood(text, '--add-constraint "positive = amount > 0"');
  return { name, expression: expression.trim() };
}

const ADD = '--add-column "note STRING COMMENT \'why\' AFTER id", or "customer.zip STRING"';
const CHANGE = '--alter-column "amount TYPE DECIMAL(12,2)", "… COMMENT \'why\'", "… SET NOT NULL", "… DROP NOT NULL", "… FIRST" or "… AFTER id"'; // prettier-ignore
const RENAME = '--rename-column "old = new"';

/** The dotted name that a text begins with, and what comes after it. */
function startingWithPath(text: string, example: string): { path: string[]; tokens: readonly Token[] } {
  const tokens = tokenize(text);
  const path: string[] = [];
  let at = 0;
  for (;;) {
    const token = tokens[at];
    if (token === undefined || !isName(token)) throw notUnderstood(text, example);
    path.push(token.value);
    if (tokens[at + 1]?.text !== '.') return { path, tokens: tokens.slice(at + 1) };
    at += 2;
  }
}

function positionOf(before: Token | undefined, last: Token | undefined): Position | undefined {
  if (isKeyword(before, 'AFTER') && last !== undefined && isName(last)) return { after: last.value };
  return isKeyword(last, 'FIRST') ? 'first' : undefined;
}

function definition(name: string, type: string): Field {
  const [field] = parseSchema(`"${name.replaceAll('"', '""')}" ${type}`).fields;
  if (field !== undefined) return field;
  throw notUnderstood(type, ADD);
}

function isName({ kind }: Token): boolean {
  return kind === 'word' || kind === 'name';
}

function textOf(text: string, tokens: readonly Token[]): string {
  return text.slice(tokens[0]?.start ?? 0, tokens.at(-1)?.end ?? 0);
}

function notUnderstood(text: string, example: string): SluiceError {
  return new SluiceError('USAGE', `not understood: ${text}`, {
    advice: `Write it as ${example}; a name with other characters in double quotes.`,
  });
}
