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
  /** A SQL relation (table name or parenthesised query) inside the engine of the flow; its columns are the source's. */
  readonly relation: string;
  readonly rows: number;
  /** Bytes of the raw records, for metrics. */
  readonly bytes: number;
  /** The positions after this batch: a full map, entries that did not move included. */
  readonly upTo: Positions;
  /** What the commit says of its inputs (promise 3): for Kafka the offset ranges, for Delta the versions. */
  readonly inputs: Readonly<Record<string, string>>;
  /** Gives back the memory. Idempotent; to be called whether the batch was committed or thrown away. */
  release(): Promise<void>;
}

export interface Source {
  /**
   * The next batch after `from`, or undefined when there is nothing new: at once with `untilIdle`, otherwise after
   * `flushMs` without a record. Positions other than those of the last batch (a lost race, a restart) make it seek.
   * @throws SluiceError `SOURCE_*` when it cannot be read; the reason of `signal` when aborted.
   */
  read(from: Positions, limits: BatchLimits, signal: AbortSignal): Promise<Batch | undefined>;
  /** True when everything that existed when the source was opened has been handed over: ends `--available-now`. */
  exhausted(from: Positions): Promise<boolean>;
  /** Told after each commit; Kafka writes the group offsets for lag tools here. Never fails the flow. */
  committed(positions: Positions): Promise<void>;
  close(): Promise<void>;
}
