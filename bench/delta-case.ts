/** The cases of the bench `delta`. */
export const DELTA_CASES = ['open', 'query', 'append', 'commit', 'merge'] as const;
export type DeltaCase = (typeof DELTA_CASES)[number];
