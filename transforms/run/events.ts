/** What a run tells while it goes on, for progress lines, logs and metrics, and what it sums up at its end. */
import type { SluiceError } from '../../core/errors.ts';

export type RunEvent =
  | { readonly kind: 'flow_started'; readonly flow: string }
  | {
      readonly kind: 'batch_committed';
      readonly flow: string;
      readonly version: bigint;
      readonly rows: bigint;
      readonly quarantined: bigint;
      readonly dropped: bigint;
      readonly durationMs: number;
    }
  | { readonly kind: 'flow_idle'; readonly flow: string }
  | { readonly kind: 'flow_retrying'; readonly flow: string; readonly error: SluiceError; readonly inMs: number }
  | { readonly kind: 'flow_failed'; readonly flow: string; readonly error: SluiceError }
  | { readonly kind: 'flow_finished'; readonly flow: string; readonly rows: bigint }
  /** Small files of a table were put together in the background. */
  | {
      readonly kind: 'table_compacted';
      readonly table: string;
      readonly version: bigint;
      readonly filesRemoved: number;
      readonly filesAdded: number;
    }
  /** They were not: the table is as it was, and the next commits try again. */
  | { readonly kind: 'compaction_failed'; readonly table: string; readonly error: SluiceError }
  | { readonly kind: 'caught_up' };

export interface FlowSummary {
  readonly flow: string;
  readonly status: 'completed' | 'failed' | 'stopped';
  readonly rows: bigint;
  readonly quarantined: bigint;
  readonly commits: number;
  readonly error?: SluiceError;
}

export interface RunSummary {
  readonly flows: readonly FlowSummary[];
}
