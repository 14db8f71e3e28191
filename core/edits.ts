/**
 * Replacements in a text, with the way back: which character of the old text a character of the new one comes from.
 *
 * Promise: every place in the new text has one in the old; what was put in comes from where it was put.
 */
import type { Span } from './source-text.ts';

/** Put `text` where `start` to `end` was. */
export interface Edit extends Span {
  readonly text: string;
}

export interface EditedText {
  readonly text: string;
  /** The offset in the old text, of an offset in the new one. */
  readonly originOf: (offset: number) => number;
}

/**
 * @param edits in any order; they must not overlap
 * @example applyEdits('a b', [{ start: 2, end: 3, text: 'xyz' }]).text // 'a xyz'
 */
export function applyEdits(old: string, edits: readonly Edit[]): EditedText {
  const pieces: { readonly at: number; readonly origin: number; readonly kept: boolean }[] = [];
  let text = '';
  let from = 0;
  for (const edit of [...edits].sort((a, b) => a.start - b.start || a.end - b.end)) {
    pieces.push({ at: text.length, origin: from, kept: true });
    text += old.slice(from, edit.start);
    pieces.push({ at: text.length, origin: edit.start, kept: false });
    text += edit.text;
    from = edit.end;
  }
  pieces.push({ at: text.length, origin: from, kept: true });
  text += old.slice(from);
  return {
    text,
    originOf: (offset) => {
      const piece = pieces.findLast(({ at }) => at <= offset) ?? { at: 0, origin: 0, kept: true };
      return piece.kept ? piece.origin + offset - piece.at : piece.origin;
    },
  };
}
