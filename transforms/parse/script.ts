/**
 * One SQL file: its text with the variables filled in, as tokens, with the way back to what the user wrote.
 *
 * Promise: a value of the environment inside a string or quoted name stays inside it, whatever it holds; errors show the
 * text as written, never a value.
 */
import { SluiceError, type ErrorCode, type Facts } from '../../core/errors.ts';
import { SourceText, type Place, type Span } from '../../core/source-text.ts';
import { isSymbol, tokenize, type Token } from '../../core/sql-tokens.ts';
import { applyEdits, type Edit, type EditedText } from '../../core/edits.ts';
import { fillVariables, type Environment } from '../variables.ts';

export interface ErrorMore {
  readonly advice?: string | undefined;
  readonly facts?: Facts;
  readonly cause?: unknown;
}

export class Script {
  readonly text: string;
  readonly tokens: readonly Token[];
  readonly #source: SourceText;
  readonly #filled: EditedText;

  /**
   * @param file as errors shall name it
   * @throws SluiceError `SQL_SYNTAX` for a string without an end, or a variable that is not set.
   */
  constructor(file: string, written: string, env: Environment) {
    this.#source = new SourceText(file, written);
    this.#filled = { text: written, originOf: (offset) => offset };
    this.#filled = applyEdits(written, this.#variables(this.#tokenize(written), env));
    this.text = this.#filled.text;
    this.tokens = this.#tokenize(this.text);
  }

  /** The tokens of each statement; empty statements are left out. */
  statements(): Token[][] {
    const statements: Token[][] = [[]];
    for (const token of this.tokens) {
      if (isSymbol(token, ';')) statements.push([]);
      else statements.at(-1)?.push(token);
    }
    return statements.filter((tokens) => tokens.length > 0);
  }

  placeAt(offset: number): Place {
    return this.#source.placeAt(this.#filled.originOf(offset));
  }

  /** An error at a place of `text`. */
  error(code: ErrorCode, { start, end }: Span, what: string, more: ErrorMore = {}): SluiceError {
    const from = this.#filled.originOf(start);
    const upTo = this.#filled.originOf(Math.max(start, end - 1)) + 1;
    return this.#source.error(code, { start: from, end: Math.max(from, upTo) }, what, more);
  }

  #tokenize(text: string): Token[] {
    try {
      return tokenize(text);
    } catch (error) {
      if (!(error instanceof SluiceError)) throw error;
      const start = Number(error.facts['position'] ?? 0);
      throw this.error('SQL_SYNTAX', { start, end: start + 1 }, error.message, { advice: error.advice });
    }
  }

  #variables(tokens: readonly Token[], env: Environment): Edit[] {
    const edits: Edit[] = [];
    const text = this.#source.text;
    for (const token of tokens) {
      const bare = isSymbol(token, '$') && text[token.end] === '{';
      if (!bare && token.kind !== 'string' && token.kind !== 'name') continue;
      const close = text.indexOf('}', token.end) + 1;
      const end = bare ? (close === 0 ? text.length : close) : token.end;
      const found = fillVariables(text.slice(token.start, end), env, (at, problem, advice) => {
        const span = { start: token.start + at.start, end: token.start + at.end };
        throw this.#source.error('SQL_SYNTAX', span, problem, { advice });
      });
      const escape = bare ? (value: string) => value : escapeFor(token);
      edits.push(
        ...found.map((edit) => ({
          start: token.start + edit.start,
          end: token.start + edit.end,
          text: escape(edit.text),
        })),
      );
    }
    return edits;
  }
}

function escapeFor({ text }: Token): (value: string) => string {
  const quote = text.at(-1) ?? '';
  if (quote === '$') return (value) => value;
  const doubled = (value: string): string => value.replaceAll(quote, quote + quote);
  return /^e/i.test(text) ? (value) => doubled(value.replaceAll('\\', '\\\\')) : doubled;
}
