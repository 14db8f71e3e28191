/**
 * JSON that keeps every integer: digits beyond 2^53 become `bigint` when read, and a `bigint` is written as raw digits.
 *
 * Promise: `stringifyJson(parseJson(text))` loses no digit of an integer. JavaScript numbers stay numbers where they are exact.
 */
import { SluiceError, messageOf } from './errors.ts';

export type Json =
  null | boolean | number | bigint | string | readonly Json[] | { readonly [key: string]: Json | undefined };
export type JsonObject = { readonly [key: string]: Json | undefined };

/** What a text without is read by JavaScript as it stands. Spelled out, it is looked for in a fifth of the time of `\d{16}`. */
const MANY_DIGITS = /\d\d\d\d\d\d\d\d\d\d\d\d\d\d\d\d/;
const UNSAFE_INTEGER = /(?<![\d.eE+-])-?\d{16,}(?![\d.eE])/;
const STRING = /"[^"\\]*(?:\\.[^"\\]*)*"/g;

/**
 * Parses JSON; integers that a double cannot hold become `bigint`.
 * @throws SyntaxError when the text is not JSON.
 */
export function parseJson(text: string): Json {
  if (!MANY_DIGITS.test(text) || !UNSAFE_INTEGER.test(text.replaceAll(STRING, '""'))) return JSON.parse(text) as Json;
  return new Parser(text).parse();
}

/** Writes JSON on one line; a `bigint` becomes raw digits, `undefined` members are left out. */
export function stringifyJson(value: Json | undefined): string {
  if (value === undefined || value === null) return 'null';
  if (typeof value === 'bigint') return value.toString();
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new SluiceError('INTERNAL', `JSON has no ${String(value)}`);
    return JSON.stringify(value);
  }
  if (typeof value !== 'object') return JSON.stringify(value);
  let text = '';
  if (Array.isArray(value)) {
    for (const item of value as readonly Json[]) text += `${text === '' ? '' : ','}${stringifyJson(item)}`;
    return `[${text}]`;
  }
  for (const key of Object.keys(value)) {
    const member = (value as JsonObject)[key];
    if (member !== undefined) text += `${text === '' ? '' : ','}${JSON.stringify(key)}:${stringifyJson(member)}`;
  }
  return `{${text}}`;
}

export function isJsonObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Recursive descent for texts with big integers; strings and small values still go through JSON.parse. */
class Parser {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  parse(): Json {
    const value = this.#value();
    this.#space();
    if (this.#at < this.#text.length) this.#fail();
    return value;
  }

  #value(): Json {
    this.#space();
    const char = this.#text[this.#at];
    if (char === '{') return this.#object();
    if (char === '[') return this.#array();
    if (char === '"') return this.#string();
    const match = /[^\s,\]}]+/y;
    match.lastIndex = this.#at;
    const word = match.exec(this.#text)?.[0] ?? this.#fail();
    this.#at += word.length;
    if (/^-?(0|[1-9]\d*)$/.test(word) && !Number.isSafeInteger(Number(word))) return BigInt(word);
    try {
      return JSON.parse(word) as Json;
    } catch (error) {
      throw new SyntaxError(`${messageOf(error)} (at character ${String(this.#at)})`, { cause: error });
    }
  }

  #object(): Json {
    const entries: [string, Json][] = [];
    this.#at++;
    this.#space();
    if (this.#skip('}')) return {};
    do {
      this.#space();
      const key = this.#string();
      this.#space();
      if (!this.#skip(':')) this.#fail();
      entries.push([key, this.#value()]);
      this.#space();
    } while (this.#skip(','));
    if (!this.#skip('}')) this.#fail();
    return Object.fromEntries(entries);
  }

  #array(): Json {
    const items: Json[] = [];
    this.#at++;
    this.#space();
    if (this.#skip(']')) return items;
    do {
      items.push(this.#value());
      this.#space();
    } while (this.#skip(','));
    if (!this.#skip(']')) this.#fail();
    return items;
  }

  #string(): string {
    const match = /"[^"\\]*(?:\\.[^"\\]*)*"/y;
    match.lastIndex = this.#at;
    const raw = match.exec(this.#text)?.[0] ?? this.#fail();
    this.#at += raw.length;
    return JSON.parse(raw) as string;
  }

  #space(): void {
    while (' \t\n\r'.includes(this.#text[this.#at] ?? '?')) this.#at++;
  }

  #skip(char: string): boolean {
    if (this.#text[this.#at] !== char) return false;
    this.#at++;
    return true;
  }

  #fail(): never {
    throw new SyntaxError(`not JSON at character ${String(this.#at)}`);
  }
}
