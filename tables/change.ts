/** What a caller asks of a table, and what it is told: the words of `DeltaTable.commit`, `changes` and `history`. */
import type { SluiceError } from '../core/errors.ts';
import type { JsonObject } from '../core/json.ts';
import type { StructType } from '../core/schema.ts';
import type { ColumnPath } from './alter/path.ts';
import type { AddFile, Metadata, Protocol, RemoveFile } from './log/actions.ts';
import type { Conflict } from './log/conflicts.ts';

export interface Change {
  /** Spark's name for it where there is one: `WRITE`, `STREAMING UPDATE`, `CREATE TABLE` … */
  readonly operation: string;
  /** `overwrite` removes every file that is in the table now, `rewrite` those of `remove`. */
  readonly mode: 'append' | 'overwrite' | 'rewrite';
  /** Files from `stage`. */
  readonly add: readonly AddFile[];
  /** In a rewrite: files of the snapshot in `read`. */
  readonly remove?: readonly AddFile[];
  /** Files from `stage` that say which rows change, for tables that keep a change data feed: all of the change, or nothing of it. */
  readonly changes?: readonly AddFile[];
  /** What the change was made from. Without it, it depends on nothing that is in the table. */
  readonly read?: ReadSet;
  /** False: no row changes, they only lie in other files, and a stream that follows the table passes over the commit. */
  readonly dataChange?: boolean;
  /** Needed to create a table. In an append, columns that the table lacks are added; an overwrite takes it as it is. */
  readonly schema?: StructType;
  readonly partitionColumns?: readonly string[];
  /** Takes the place of all that the table says of itself, but its id. */
  readonly metadata?: Metadata;
  /** What the table demands from then on. @default the least that its columns need, and never less than before */
  readonly protocol?: Protocol;
  /** Table properties to set; those not named stay as they are. */
  readonly properties?: Readonly<Record<string, string>>;
  /** Table properties to take away; those that are not there are passed over. */
  readonly unset?: readonly string[];
  readonly comment?: string;
  /** The columns by which OPTIMIZE puts rows in order from then on; empty for none. @default as it is */
  readonly clusterBy?: readonly ColumnPath[];
  /** Application ids and the versions that they have after this commit. */
  readonly txn?: ReadonlyMap<string, bigint>;
  /** Application ids and the versions that they must have before it (undefined: none), else the commit is a conflict. */
  readonly expect?: ReadonlyMap<string, bigint | undefined>;
  /** As in Spark's `DESCRIBE HISTORY`; values that are no text are written as JSON text. */
  readonly operationParameters?: JsonObject;
  /** Beside those that every commit has: `numDeletedRows` … as Spark names them. */
  readonly metrics?: Readonly<Record<string, string>>;
  /** Anything else that explains the commit; kept under `sluice` in its `commitInfo`. */
  readonly info?: JsonObject;
}

/** What a change was made from: once others have changed that, it no longer stands. */
export interface ReadSet {
  /** Of the snapshot that was read. */
  readonly version: bigint;
  /** Whose rows were read. */
  readonly files: readonly AddFile[];
  /** Whether a file that others have added may have rows that would have been read too. */
  readonly wouldRead: (file: AddFile) => boolean;
}

export type CommitResult =
  | {
      readonly kind: 'committed';
      readonly version: bigint;
      /** The commit stands, but the checkpoint that was due after it could not be written, or the log not be cleaned up. */
      readonly checkpointError?: SluiceError;
    }
  | { readonly kind: 'conflict'; readonly reason: Conflict };

/** What one version added and removed. */
export interface CommitSummary {
  readonly version: bigint;
  readonly adds: readonly AddFile[];
  readonly removes: readonly RemoveFile[];
  /** Whether it set the schema, the properties or the comment. */
  readonly metadataChanged: boolean;
}

/** One line of a table's history; what the writer did not say is undefined or empty. */
export interface HistoryEntry {
  readonly version: bigint;
  /** When it was committed, milliseconds since the epoch; later versions have later times. */
  readonly timestampMs: number;
  readonly operation: string | undefined;
  readonly operationParameters: JsonObject;
  /** `numFiles`, `numOutputRows`, `numOutputBytes` …, as text. */
  readonly metrics: Readonly<Record<string, string>>;
  readonly engineInfo: string | undefined;
  readonly isBlindAppend: boolean | undefined;
  /** `Change.info` of commits that sluice made. */
  readonly info: JsonObject;
}
