/** What a long change of rows is at: told as it goes on, for people who wait. */

/** The next part of the work begins. When others were faster and the change is made anew, its steps are told anew. */
export interface Step {
  /** Rows of a source are read, the rows that are meant are looked for, rows are written. */
  readonly name: 'reading the source' | 'finding rows' | 'writing rows';
  /** From 1. */
  readonly part: number;
  /** Of about the same size, one after the other. */
  readonly parts: number;
}

export interface Stepwise {
  /** Told before each step; DuckDB knows how far its running statement is (`Session.progress`). */
  readonly onStep?: (step: Step) => void;
}

export function tellStep({ onStep }: Stepwise, name: Step['name'], part = 1, parts = 1): void {
  onStep?.({ name, part, parts });
}
