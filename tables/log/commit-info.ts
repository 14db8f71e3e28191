/** The `commitInfo` of our commits, as Spark writes it, with our own part under `sluice`. */
import { stringifyJson, type Json, type JsonObject } from '../../core/json.ts';
import type { Change } from '../change.ts';
import type { Action } from './actions.ts';
import type { IsolationLevel } from './conflicts.ts';

/** The name that `DESCRIBE HISTORY` shows; the version is that of package.json. */
export const ENGINE_INFO = 'sluice/0.1.0';

interface CommitFacts {
  readonly txnId: string;
  readonly nowMs: number;
  /** How many files it removes. */
  readonly removed: number;
  readonly level: IsolationLevel;
  /** The time that the commit gives itself, where the table keeps such times. */
  readonly inCommitMs?: number | undefined;
  /** Whether rows keep the ids that they had, where the table tracks rows. */
  readonly keepsIds?: boolean | undefined;
}

export function commitInfo(
  change: Change,
  { txnId, nowMs, removed, level, inCommitMs, keepsIds }: CommitFacts,
): JsonObject {
  const { operation, mode, add, info, partitionColumns, read } = change;
  const writing = { mode: mode === 'append' ? 'Append' : 'Overwrite', partitionBy: partitionColumns ?? [] };
  const parameters = change.operationParameters ?? (mode === 'rewrite' ? {} : writing);
  const text = (value: Json | undefined): string => (typeof value === 'string' ? value : stringifyJson(value));
  return {
    ...(inCommitMs === undefined ? {} : { inCommitTimestamp: inCommitMs }),
    timestamp: nowMs,
    operation,
    operationParameters: Object.fromEntries(Object.entries(parameters).map(([name, value]) => [name, text(value)])),
    isolationLevel: mode === 'rewrite' ? level : 'Serializable',
    isBlindAppend: mode === 'append' && read === undefined,
    operationMetrics: {
      numFiles: String(add.length),
      numOutputRows: String(add.reduce((sum, file) => sum + (file.rows ?? 0n), 0n)),
      numOutputBytes: String(add.reduce((sum, file) => sum + file.bytes, 0n)),
      ...(mode === 'append' ? {} : { numRemovedFiles: String(removed) }),
      ...change.metrics,
    },
    engineInfo: ENGINE_INFO,
    txnId,
    ...(keepsIds === undefined ? {} : { tags: { 'delta.rowTracking.preserved': String(keepsIds) } }),
    ...(info === undefined ? {} : { sluice: info }),
  };
}

/** The unique id of the commit that made an entry, where its writer gave one. */
export function txnIdOf(actions: readonly Action[]): string | undefined {
  for (const action of actions) {
    const id = action.kind === 'commitInfo' ? action.commitInfo['txnId'] : undefined;
    if (typeof id === 'string') return id;
  }
  return undefined;
}
