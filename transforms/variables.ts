/**
 * `${NAME}` and `${NAME:-default}` in sluice.yaml and in SQL.
 *
 * Promise: values come from the environment that was passed in and from nowhere else, and never appear in an error.
 */
import type { Span } from '../core/source-text.ts';
import type { Edit } from '../core/edits.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

const VARIABLE = /\$\{(?:([A-Za-z_]\w*)(?::-([^}]*))?\})?/g;

/**
 * What to put for the variables of a text. An empty value counts as none where there is a default, as in a shell.
 * @param fail told the place of what is wrong within `text`, what it is and what to do; it throws
 * @example applyEdits(text, fillVariables(text, process.env, fail)).text
 */
export function fillVariables(
  text: string,
  env: Environment,
  fail: (at: Span, problem: string, advice: string) => never,
): Edit[] {
  return [...text.matchAll(VARIABLE)].map((match) => {
    const [all, name, fallback] = match;
    const at = { start: match.index, end: match.index + all.length };
    if (name === undefined) fail(at, '${ does not begin a variable', 'Write ${NAME} or ${NAME:-default}.');
    const value = env[name];
    if (value !== undefined && (value !== '' || fallback === undefined)) return { ...at, text: value };
    if (fallback !== undefined) return { ...at, text: fallback };
    return fail(at, `the environment variable ${name} is not set`, `Set it, or give a default: \${${name}:-default}.`);
  });
}
