/**
 * What every source of a flow looks like, whether Kafka, a generator or another Delta table.
 *
 * Promise: a batch holds exactly the records from the positions it was asked for up to `upTo`, no record twice and none
 * left out; a source keeps nothing that must survive a crash, since the position lives in the target table.
 */

/** How far a flow has read: source partition (`orders/0` for Kafka, a table id for Delta) to the next record or last version. */
export type Positions = ReadonlyMap<string, bigint>;

/** When a batch is cut: at whichever limit is met first. */
export interface BatchLimits {
  readonly rows: number;
  readonly bytes: number;
  /** A batch that has rows is handed over after this time, also on an idle topic. */
  readonly flushMs: number;
}

export interface Batch {
  /** A SQL relation inside the engine of the flow: a table name for raw records, a parenthesised query for rows of a table. */
  readonly relation: string;
  readonly rows: number;
  /**
   * Rows with a true `UNSURE_COLUMN`: all others certainly fit the schema they are to be decoded with. Undefined when the
   * source has not looked.
   */
  readonly unsureRows?: number | undefined;
  /** Bytes of the raw records, for metrics. */
  readonly bytes: number;
  /** Where the batch starts: one entry for each partition that it moves; none for a partition that is read for the first time. */
  readonly from: Positions;
  /** Where it ends: the partitions that it moves, and no others, since another worker may be moving those. */
  readonly upTo: Positions;
  /** What the commit says of its inputs (promise 3): for Kafka the offset ranges, for Delta the versions. */
  readonly inputs: Readonly<Record<string, string>>;
  /** Gives back the memory. Idempotent; to be called whether the batch was committed or thrown away. */
  release(): Promise<void>;
}

export interface Source {
  /**
   * The next batch after `from`, or undefined when nothing new came within about `flushMs`. Positions other than those that
   * the last batch ended at (a lost race, a restart) make it seek. A batch may start further on than `from` says, when a
   * rebalance made the source look the positions up again: what counts is the batch's own `from`.
   * @throws SluiceError `SOURCE_*` when it cannot be read; the reason of `signal` when aborted.
   */
  read(from: Positions, limits: BatchLimits, signal: AbortSignal): Promise<Batch | undefined>;
  /** True when everything that existed when the source was opened has been handed over: ends `--available-now`. */
  exhausted(from: Positions): Promise<boolean>;
  /** Told after each commit; Kafka writes the group offsets for lag tools here. Never fails the flow. */
  committed(positions: Positions): Promise<void>;
  close(): Promise<void>;
}
