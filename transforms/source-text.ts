/** Texts that users wrote and places in them live in core/, since queries and feature sets point into theirs too. */
export { showPlace, SourceText, type Place, type Span } from '../core/source-text.ts';
