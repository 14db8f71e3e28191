/**
 * `${NAME}` and `${NAME:-default}` in sluice.yaml and in SQL.
 *
 * Promise: values come from the environment that was passed in and from nowhere else, and never appear in an error.
 */
import type { Span } from '../core/source-text.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

const VARIABLE = /\$\{(?:([A-Za-z_]\w*)(?::-([^}]*))?\})?/g;

/**
 * The text with its variables replaced. An empty value counts as none where there is a default, as in a shell.
 * @param fail told the place of what is wrong within `text`, and what it is; it throws
 * @example substitute('${HOST:-localhost}:9092', {}, fail) // 'localhost:9092'
 */
export function substitute(text: string, env: Environment, fail: (at: Span, problem: string) => never): string {
  return text.replace(VARIABLE, (match, name: string | undefined, fallback: string | undefined, offset: number) => {
    const at = { start: offset, end: offset + match.length };
    if (name === undefined) fail(at, '${ does not begin a variable: write ${NAME} or ${NAME:-default}');
    const value = env[name];
    if (value !== undefined && (value !== '' || fallback === undefined)) return value;
    return fallback ?? fail(at, `the environment variable ${name} is not set`);
  });
}
