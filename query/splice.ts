/** A text with parts of it replaced, and the way back from places in the new text to places in the old one. */

export interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

export interface Spliced {
  readonly text: string;
  /** The place in the old text of a place in the new one; inside a replacement, where the replaced part starts. */
  readonly toOriginal: (offset: number) => number;
}

/**
 * @param edits that do not overlap, in any order
 * @example splice('a b c', [{ start: 2, end: 3, text: 'long' }]).text // 'a long c'
 */
export function splice(original: string, edits: readonly Edit[]): Spliced {
  const sorted = [...edits].sort((a, b) => a.start - b.start || a.end - b.end);
  const pieces: { readonly from: number; readonly original: number; readonly copied: boolean }[] = [];
  let text = '';
  let at = 0;
  for (const edit of sorted) {
    pieces.push({ from: text.length, original: at, copied: true });
    text += original.slice(at, edit.start);
    pieces.push({ from: text.length, original: edit.start, copied: false });
    text += edit.text;
    at = edit.end;
  }
  pieces.push({ from: text.length, original: at, copied: true });
  text += original.slice(at);
  return {
    text,
    toOriginal: (offset) => {
      const piece = pieces.findLast(({ from }) => from <= offset);
      if (piece === undefined) return offset;
      return piece.copied ? piece.original + offset - piece.from : piece.original;
    },
  };
}
