/** What a caller asks of a table, and what it is told: the words of `DeltaTable.commit`, `changes` and `history`. */
import type { SluiceError } from '../core/errors.ts';
import type { JsonObject } from '../core/json.ts';
import type { StructType } from '../core/schema.ts';
import type { AddFile, RemoveFile } from './log/actions.ts';
import type { Conflict } from './log/conflicts.ts';

export interface Change {
  /** Spark's name for it where there is one: `WRITE`, `STREAMING UPDATE`, `CREATE TABLE` … */
  readonly operation: string;
  /** `overwrite` removes every file that is in the table now. */
  readonly mode: 'append' | 'overwrite';
  /** Files from `stage`. */
  readonly add: readonly AddFile[];
  /** Needed to create a table. In an append, columns that the table lacks are added; an overwrite takes it as it is. */
  readonly schema?: StructType;
  readonly partitionColumns?: readonly string[];
  /** Table properties to set; those not named stay as they are. */
  readonly properties?: Readonly<Record<string, string>>;
  readonly comment?: string;
  /** Application ids and the versions that they have after this commit. */
  readonly txn?: ReadonlyMap<string, bigint>;
  /** Application ids and the versions that they must have before it (undefined: none), else the commit is a conflict. */
  readonly expect?: ReadonlyMap<string, bigint | undefined>;
  /** As in Spark's `DESCRIBE HISTORY`; values that are no text are written as JSON text. */
  readonly operationParameters?: JsonObject;
  /** Anything else that explains the commit; kept under `sluice` in its `commitInfo`. */
  readonly info?: JsonObject;
}

export type CommitResult =
  | {
      readonly kind: 'committed';
      readonly version: bigint;
      /** The commit stands, but the checkpoint that was due after it could not be written. */
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
