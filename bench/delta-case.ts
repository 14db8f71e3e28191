/** What one side of the bench `delta` is asked to do and what it answers; the same JSON for Node and Python. */
export const DELTA_CASES = ['open', 'query', 'append', 'commit', 'merge'] as const;
export type DeltaCase = (typeof DELTA_CASES)[number];

export interface DeltaInput {
  readonly case: DeltaCase;
  /** The folder of the table: of both sides for `open` and `query`, of its own otherwise. */
  readonly table: string;
  /** A Parquet file: the rows of the table that `append` and `merge` make. */
  readonly rows: string;
  /** A Parquet file: what `merge` merges. */
  readonly changes: string;
  /** How many commits, or queries. */
  readonly times: number;
  /** The id that `query` looks for. */
  readonly id: number;
}

export interface DeltaResult {
  /** Each run of the case in the process; the first is cold. */
  readonly ms: readonly number[];
  readonly peakMiB: number;
  /** Files for `open`, rows that were found or are in the table for the others: both sides must agree. */
  readonly count: number;
}
