/** The `commitInfo` of our commits, as Spark writes it, with our own part under `sluice`. */
import { stringifyJson, type Json, type JsonObject } from '../../core/json.ts';
import type { Change } from '../change.ts';
import type { Action } from './actions.ts';

/** The name that `DESCRIBE HISTORY` shows; the version is that of package.json. */
export const ENGINE_INFO = 'sluice/0.1.0';

export function commitInfo(
  change: Change,
  { txnId, nowMs, removed }: { readonly txnId: string; readonly nowMs: number; readonly removed: number },
): JsonObject {
  const { operation, mode, add, info, partitionColumns } = change;
  const parameters = change.operationParameters ?? {
    mode: mode === 'append' ? 'Append' : 'Overwrite',
    partitionBy: partitionColumns ?? [],
  };
  const text = (value: Json | undefined): string => (typeof value === 'string' ? value : stringifyJson(value));
  return {
    timestamp: nowMs,
    operation,
    operationParameters: Object.fromEntries(Object.entries(parameters).map(([name, value]) => [name, text(value)])),
    isolationLevel: 'Serializable',
    isBlindAppend: mode === 'append',
    operationMetrics: {
      numFiles: String(add.length),
      numOutputRows: String(add.reduce((sum, file) => sum + (file.rows ?? 0n), 0n)),
      numOutputBytes: String(add.reduce((sum, file) => sum + file.bytes, 0n)),
      ...(mode === 'overwrite' ? { numRemovedFiles: String(removed) } : {}),
    },
    engineInfo: ENGINE_INFO,
    txnId,
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
