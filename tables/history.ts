/** What was done to a table, newest first: the `commitInfo` of its log entries. Source: Delta protocol, "Commit Provenance". */
import { isJsonObject, type Json } from '../core/json.ts';
import type { CommitSummary, HistoryEntry } from './change.ts';
import { readEntries } from './log/entry.ts';
import { listLog } from './log/listing.ts';
import type { LogEntry } from './log/replay.ts';
import { inCommitMs } from './log/in-commit.ts';
import { monotonic } from './log/time.ts';
import type { ObjectStore } from './store/object-store.ts';

/** The newest `limit` entries that the log still has. */
export async function readHistory(store: ObjectStore, limit: number | undefined): Promise<HistoryEntry[]> {
  const { commits } = await listLog(store);
  const times = monotonic(commits.map(({ version, modifiedMs }) => ({ version, timestampMs: modifiedMs })));
  const wanted = times.slice(limit === undefined ? 0 : Math.max(0, times.length - limit));
  const history: HistoryEntry[] = [];
  for await (const entries of readEntries(
    store,
    wanted.map(({ version, timestampMs }) => ({ version, modifiedMs: timestampMs })),
  )) {
    for (const entry of entries) if (entry !== undefined) history.push(historyEntry(entry));
  }
  return history.reverse();
}

export function summaryOf({ version, actions }: LogEntry): CommitSummary {
  return {
    version,
    adds: actions.flatMap((action) => (action.kind === 'add' ? [action.add] : [])),
    removes: actions.flatMap((action) => (action.kind === 'remove' ? [action.remove] : [])),
    metadataChanged: actions.some((action) => action.kind === 'metaData'),
  };
}

function historyEntry(entry: LogEntry): HistoryEntry {
  const action = entry.actions.find((a) => a.kind === 'commitInfo');
  const said = action?.kind === 'commitInfo' ? action.commitInfo : {};
  const { operation, operationParameters, operationMetrics, engineInfo, isBlindAppend, sluice } = said;
  const text = (value: Json | undefined): string | undefined => (typeof value === 'string' ? value : undefined);
  const metrics = Object.entries(isJsonObject(operationMetrics) ? operationMetrics : {}).flatMap(([name, value]) =>
    typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint' ? [[name, String(value)]] : [],
  );
  return {
    version: entry.version,
    timestampMs: inCommitMs(entry) ?? entry.timestampMs,
    operation: text(operation),
    operationParameters: isJsonObject(operationParameters) ? operationParameters : {},
    metrics: Object.fromEntries(metrics) as Record<string, string>,
    engineInfo: text(engineInfo),
    isBlindAppend: typeof isBlindAppend === 'boolean' ? isBlindAppend : undefined,
    info: isJsonObject(sluice) ? sluice : {},
  };
}
