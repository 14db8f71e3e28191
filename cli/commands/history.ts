/** `sluice history TABLE`: who wrote what, when, and from which input positions. */
import type { Command } from 'commander';
import { SluiceError } from '../../core/errors.ts';
import { isJsonObject, stringifyJson, type JsonObject } from '../../core/json.ts';
import type { HistoryEntry } from '../../tables/index.ts';
import { formatCount, formatTime } from '../format.ts';
import { write, type Io } from '../io.ts';
import { withTable } from '../open-table.ts';
import { machineFormat, type MachineFormat } from '../options.ts';
import { textTable } from '../text-table.ts';

export interface HistoryFlags {
  readonly limit: number;
  readonly format: MachineFormat;
}

interface HistoryOptions extends HistoryFlags {
  readonly project?: string;
  readonly table: string;
}

/** What the command takes beside the table. */
export function addHistoryOptions(command: Command): Command {
  return command.option('-n, --limit <n>', 'at most this many commits', wholeNumber, 20).addOption(machineFormat());
}

/** @throws SluiceError `UNKNOWN_TABLE`, `TABLE_NOT_FOUND`, `LOG_*` */
export async function history(io: Io, options: HistoryOptions): Promise<void> {
  await withTable(io, { ...options, name: options.table }, async ({ table }) => {
    const entries = await table.history(options.limit);
    await write(io.stdout, options.format === 'json' ? asJson(entries) : asText(io, entries));
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

function wholeNumber(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) {
    throw new SluiceError('USAGE', `not a whole number of at least 1: ${text}`, { advice: 'Write it as --limit 20.' });
  }
  return Number(text);
}
