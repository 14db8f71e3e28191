/** Colours for a terminal, and nothing at all elsewhere. */
import type { Env } from './env.ts';

export type Paint = (text: string) => string;

export interface Style {
  readonly bold: Paint;
  readonly dim: Paint;
  readonly red: Paint;
  readonly green: Paint;
  readonly yellow: Paint;
  readonly cyan: Paint;
}

const PLAIN: Style = { bold: same, dim: same, red: same, green: same, yellow: same, cyan: same };

const COLOURED: Style = {
  bold: ansi(1, 22),
  dim: ansi(2, 22),
  red: ansi(31, 39),
  green: ansi(32, 39),
  yellow: ansi(33, 39),
  cyan: ansi(36, 39),
};

/** Source: no-color.org (any value that is not empty switches colour off). */
export function styleOf(stream: { readonly isTTY?: boolean }, env: Env): Style {
  const wanted = stream.isTTY === true && (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb';
  return wanted ? COLOURED : PLAIN;
}

function same(text: string): string {
  return text;
}

function ansi(on: number, off: number): Paint {
  return (text) => `\u001b[${String(on)}m${text}\u001b[${String(off)}m`;
}
