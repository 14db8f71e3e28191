/** `sluice history TABLE`: who wrote what, when, and from which input positions. */
import { SluiceError } from '../../core/errors.ts';
import { isJsonObject, stringifyJson, type JsonObject } from '../../core/json.ts';
import { suggest } from '../../core/suggest.ts';
import type { HistoryEntry } from '../../tables/index.ts';
import { formatCount, formatTime } from '../format.ts';
import { write, type Io } from '../io.ts';
import { textTable } from '../text-table.ts';
import { withTables } from '../workspace.ts';

export interface HistoryOptions {
  readonly project?: string;
  readonly table: string;
  readonly limit: number;
  readonly format: 'table' | 'json';
}

/** @throws SluiceError `UNKNOWN_TABLE`, `LOG_*` */
export async function history(io: Io, options: HistoryOptions): Promise<void> {
  await withTables(io, options.project, async ({ catalog }) => {
    const name = options.table.toLowerCase();
    const table = await catalog.open(name);
    if (table === undefined) throw unknownTable(options.table, await catalog.names());
    const entries = await table.history(options.limit);
    await write(io.stdout, options.format === 'json' ? asJson(entries) : asText(io, entries));
  });
}

function unknownTable(name: string, names: readonly string[]): SluiceError {
  const near = suggest(name, names);
  const known = names.length === 0 ? 'There are no tables yet: run `sluice run`.' : `There are ${names.join(', ')}.`;
  return new SluiceError('UNKNOWN_TABLE', `no table ${name}`, {
    advice: near === undefined ? known : `Did you mean ${near}?`,
    facts: { table: name },
  });
}

function asJson(entries: readonly HistoryEntry[]): string {
  const lines = entries.map(({ version, timestampMs, operation, operationParameters, metrics, engineInfo, info }) => ({
    version,
    timestamp: new Date(timestampMs).toISOString(),
    operation: operation ?? null,
    operationParameters,
    metrics,
    engineInfo: engineInfo ?? null,
    info,
  }));
  return `[${lines.map((line) => `\n  ${stringifyJson(line)}`).join(',')}${lines.length === 0 ? '' : '\n'}]\n`;
}

function asText(io: Io, entries: readonly HistoryEntry[]): string {
  return textTable(
    [
      { title: 'version', align: 'right' },
      { title: 'time (UTC)' },
      { title: 'operation' },
      { title: 'rows', align: 'right' },
      { title: 'files', align: 'right' },
      { title: 'inputs' },
    ],
    entries.map(({ version, timestampMs, operation, metrics, info }) => [
      { text: String(version), paint: io.style.bold },
      formatTime(timestampMs),
      operation ?? '?',
      counted(metrics['numOutputRows']),
      counted(metrics['numFiles'] ?? metrics['numAddedFiles']),
      inputsOf(info),
    ]),
    io.style,
  );
}

function counted(metric: string | undefined): string {
  return metric !== undefined && /^\d+$/.test(metric) ? formatCount(BigInt(metric)) : '';
}

/** `orders/0 1500..3000, silver.orders 7` */
function inputsOf(info: JsonObject): string {
  const inputs = info['inputs'];
  if (!isJsonObject(inputs)) return '';
  return Object.entries(inputs)
    .map(([name, range]) => `${name} ${typeof range === 'string' ? range : stringifyJson(range)}`)
    .join(', ');
}
