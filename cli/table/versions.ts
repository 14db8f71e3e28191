/** `sluice table history` and `restore`: the versions of a table. */
import { SluiceError } from '../../core/errors.ts';
import type { Command } from 'commander';
import { addHistoryOptions, history, type HistoryFlags } from '../commands/history.ts';
import { formatCount, plural } from '../format.ts';
import type { Io } from '../io.ts';
import { machineFormat } from '../options.ts';
import { timestamp, version } from './arguments.ts';
import { told, withSession, type TableOptions, type Verbs } from './verb.ts';

interface RestoreOptions extends TableOptions {
  readonly versionAsOf?: bigint;
  readonly timestampAsOf?: Date;
}

export function addVersionVerbs({ io, globals, add }: Verbs): void {
  addHistoryOptions(
    add('history', 'list the commits of a table, newest first (as `sluice history`)', [
      'sluice table history silver.orders --limit 5',
    ]),
  ).action(async (table: string, options: HistoryFlags, command: Command) => {
    await history(io, { ...globals(command), ...options, table });
  });
  add('restore', 'make the table what it was, as a new version', [
    'sluice table restore silver.orders --version-as-of 3',
  ])
    .option('--version-as-of <version>', 'a version, as `sluice history` lists them', version)
    .option('--timestamp-as-of <time>', 'the version that was the newest then', timestamp)
    .addOption(machineFormat())
    .action(async (name: string, options: Omit<RestoreOptions, 'name'>, command: Command) => {
      await restoreTable(io, { ...globals(command), ...options, name });
    });
}

async function restoreTable(io: Io, options: RestoreOptions): Promise<void> {
  const at = options.versionAsOf ?? options.timestampAsOf;
  if (at === undefined || (options.versionAsOf !== undefined && options.timestampAsOf !== undefined)) {
    throw new SluiceError('USAGE', 'name either a version or a time', {
      advice:
        'For example `--version-as-of 3`, or `--timestamp-as-of 2026-01-02T03:04:05Z`; `sluice history` lists them.',
    });
  }
  await withSession(io, options, async ({ table }) => {
    const { version, restored, filesRestored, filesRemoved } = await table.restore(at);
    const text =
      version === undefined
        ? `it is at version ${String(restored)} already`
        : `restored to version ${String(restored)}: ${plural(filesRestored, 'file')} back, ${formatCount(filesRemoved)} gone`;
    return told(options, version, { restored_version: restored, files_restored: filesRestored, files_removed: filesRemoved }, text); // prettier-ignore
  });
}
