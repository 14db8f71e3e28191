/** `sluice table history`, `changes` and `restore`: the versions of a table. */
import { Option, type Command } from 'commander';
import { SluiceError } from '../../core/errors.ts';
import { FORMATS, watch, writeResult, type Format } from '../../query/index.ts';
import { addHistoryOptions, history, type HistoryFlags } from '../commands/history.ts';
import { FileLease } from '../../tables/index.ts';
import { formatCount, plural } from '../format.ts';
import { resultLimits, type Io } from '../io.ts';
import { machineFormat } from '../options.ts';
import { timestamp, version, versionOrTime } from './arguments.ts';
import { atWork, told, withSession, type Globals, type TableOptions, type Verbs } from './verb.ts';

interface RestoreOptions extends TableOptions {
  readonly versionAsOf?: bigint;
  readonly timestampAsOf?: Date;
}

interface ChangesOptions extends Globals {
  readonly name: string;
  readonly from: bigint | Date;
  readonly to?: bigint | Date;
  readonly format: Format;
}

export function addVersionVerbs({ io, globals, add }: Verbs): void {
  addHistoryOptions(
    add('history', 'list the commits of a table, newest first (as `sluice history`)', [
      'sluice table history silver.orders --limit 5',
    ]),
  ).action(async (table: string, options: HistoryFlags, command: Command) => {
    await history(io, { ...globals(command), ...options, table });
  });
  add('changes', 'which rows some versions inserted, updated and deleted (delta.enableChangeDataFeed)', [
    'sluice table changes silver.orders --from 3 --to 7',
    'sluice table changes silver.orders --from 2026-01-02 --format csv',
  ])
    .requiredOption('--from <version>', 'the first version, or a time: the first one since', versionOrTime)
    .option(
      '--to <version>',
      'the last version, or a time: the last one until then (default: the newest)',
      versionOrTime,
    )
    .addOption(new Option('--format <format>', 'how rows are written').choices([...FORMATS]).default('table'))
    .action(async (name: string, options: Omit<ChangesOptions, 'name'>, command: Command) => {
      await tableChanges(io, { ...globals(command), ...options, name });
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

/** Rows are written as they come, in the order of their versions. */
async function tableChanges(io: Io, options: ChangesOptions): Promise<void> {
  await atWork(io, options, ({ table, parts, session, running, print }) =>
    FileLease.during(async () => {
      const { relation } = await table.changeFeed(options.from, options.to);
      const watching = await watch(session, { clock: parts.clock, ...running });
      try {
        const result = await session.stream(`SELECT * FROM ${relation} ORDER BY _commit_version`);
        await writeResult(result, options.format, print, resultLimits(io));
      } finally {
        await watching.stop();
      }
    }),
  );
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
