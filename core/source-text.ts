/**
 * A text that a user wrote, and how an error points into it: `file:line:column`, the line itself and a caret.
 *
 * Promise: what is shown is the text as it stands in the file. Values that came out of the environment are not in it,
 * and what follows the word password (or secret) on a line is shown as stars.
 */
import { SluiceError, type ErrorCode, type Facts } from './errors.ts';

export interface Place {
  /** Relative to the project's folder, with `/` between folders; or what a text without a file is called, `query`. */
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** From 1, in UTF-16 units. */
  readonly column: number;
}

/** The part of a text that an error is about: offsets in UTF-16 units. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

export class SourceText {
  readonly file: string;
  readonly text: string;

  constructor(file: string, text: string) {
    this.file = file;
    this.text = text;
  }

  placeAt(offset: number): Place {
    const before = this.text.slice(0, offset);
    const lineStart = before.lastIndexOf('\n') + 1;
    return { file: this.file, line: before.split('\n').length, column: offset - lineStart + 1 };
  }

  /**
   * An error that shows the place.
   * @example throw source.error('SQL_SYNTAX', token, 'expected AS', { advice: 'Write AS before the query.' })
   */
  error(
    code: ErrorCode,
    span: Span,
    what: string,
    details: { readonly advice?: string | undefined; readonly facts?: Facts; readonly cause?: unknown } = {},
  ): SluiceError {
    const at = this.placeAt(span.start);
    return new SluiceError(code, `${showPlace(at)}: ${what}\n${this.#excerpt(at, span)}`, {
      ...(details.advice === undefined ? {} : { advice: details.advice }),
      ...(details.cause === undefined ? {} : { cause: details.cause }),
      facts: { ...details.facts, file: at.file, line: at.line, column: at.column },
    });
  }

  #excerpt(at: Place, span: Span): string {
    const lineStart = span.start - at.column + 1;
    const next = this.text.indexOf('\n', lineStart);
    const line = hideSecrets(this.text.slice(lineStart, next < 0 ? undefined : next).replace(/\r$/, ''));
    const number = String(at.line);
    const before = line.slice(0, at.column - 1).replace(/[^\t]/g, ' ');
    const width = Math.max(1, Math.min(span.end - span.start, line.length - at.column + 1));
    return `  ${number} | ${line}\n  ${' '.repeat(number.length)} | ${before}${'^'.repeat(width)}`;
  }
}

/** @example showPlace({ file: 'pipelines/a.sql', line: 3, column: 8 }) // 'pipelines/a.sql:3:8' */
export function showPlace({ file, line, column }: Place): string {
  return `${file}:${String(line)}:${String(column)}`;
}

const SECRET = /((?:password|secret|jaas\.config)["'`]?\s*(?:=>|:|=)\s*)(.+)/gi;

/** As long as it was, so that carets stay right; a variable is a name and no secret. */
function hideSecrets(line: string): string {
  return line.replace(SECRET, (match, before: string, value: string) =>
    /^["']?\$\{[^}]*\}["']?[\s,})]*$/.test(value) ? match : before + '*'.repeat(value.length),
  );
}
