/** A place in the tokens of a statement that moves forward, and says what it wanted when something else stands there. */
import type { SluiceError } from '../../core/errors.ts';
import type { Span } from '../../core/source-text.ts';
import { isKeyword, isSymbol, type Token } from '../../core/sql-tokens.ts';
import { suggest } from '../../core/suggest.ts';
import type { ErrorMore, Script } from './script.ts';

/** A name and where it stands. */
export interface Identifier extends Span {
  readonly value: string;
}

/** A name of several parts, `schema.table`. */
export interface QualifiedName extends Span {
  readonly parts: readonly string[];
}

export class Cursor {
  readonly script: Script;
  readonly #tokens: readonly Token[];
  #at = 0;

  constructor(script: Script, tokens: readonly Token[]) {
    this.script = script;
    this.#tokens = tokens;
  }

  get atEnd(): boolean {
    return this.#at >= this.#tokens.length;
  }

  /** The token at hand, or one further on. */
  peek(ahead = 0): Token | undefined {
    return this.#tokens[this.#at + ahead];
  }

  /** The place of the token at hand; after the last one its end. */
  here(): Span {
    const token = this.peek();
    if (token !== undefined) return token;
    const end = this.#tokens.at(-1)?.end ?? 0;
    return { start: end, end };
  }

  next(wanted: string): Token {
    const token = this.peek();
    if (token === undefined) throw this.expected(wanted);
    this.#at++;
    return token;
  }

  /** What is left, and nothing is left then. */
  rest(): readonly Token[] {
    const rest = this.#tokens.slice(this.#at);
    this.#at = this.#tokens.length;
    return rest;
  }

  /** Moves past these keywords when they all stand here. */
  keywords(...words: readonly string[]): boolean {
    if (!words.every((word, i) => isKeyword(this.peek(i), word))) return false;
    this.#at += words.length;
    return true;
  }

  expectKeywords(...words: readonly string[]): void {
    for (const word of words) if (!this.keywords(word)) throw this.expected(words.join(' '), [word]);
  }

  symbol(symbol: string): boolean {
    if (!isSymbol(this.peek(), symbol)) return false;
    this.#at++;
    return true;
  }

  expectSymbol(symbol: string): Token {
    if (!isSymbol(this.peek(), symbol)) throw this.expected(symbol);
    return this.next(symbol);
  }

  identifier(what: string): Identifier {
    const token = this.peek();
    if (token?.kind !== 'word' && token?.kind !== 'name') throw this.expected(what);
    return this.next(what);
  }

  qualifiedName(what: string): QualifiedName {
    const parts = [this.identifier(what)];
    while (this.symbol('.')) parts.push(this.identifier(what));
    const { start, end } = { start: parts[0]?.start ?? 0, end: parts.at(-1)?.end ?? 0 };
    return { parts: parts.map((part) => part.value), start, end };
  }

  string(what: string): Token {
    if (this.peek()?.kind !== 'string') throw this.expected(`${what} in single quotes`);
    return this.next(what);
  }

  /** The tokens up to the bracket that closes the one just passed; moves past it. */
  untilClosed(): readonly Token[] {
    const inside: Token[] = [];
    for (let depth = 0; ;) {
      const token = this.next(')');
      if (isSymbol(token, ')') && depth-- === 0) return inside;
      if (isSymbol(token, '(')) depth++;
      inside.push(token);
    }
  }

  /** `expected X, but …`, with the nearest of the keywords that could stand here. */
  expected(wanted: string, keywords: readonly string[] = []): SluiceError {
    const token = this.peek();
    const near = token?.kind === 'word' ? suggest(token.text, keywords) : undefined;
    const found = token === undefined ? 'the statement ends here' : `found ${token.text.split('\n')[0] ?? ''}`;
    return this.error(`expected ${wanted}, but ${found}`, {
      advice:
        near === undefined || near.toUpperCase() === token?.text.toUpperCase() ? undefined : `Did you mean ${near}?`,
    });
  }

  error(what: string, more: ErrorMore = {}, at: Span = this.here()): SluiceError {
    return this.script.error('SQL_SYNTAX', at, what, more);
  }
}
