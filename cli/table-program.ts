/** What `sluice table` takes: its verbs, their options and examples. */
import type { Command } from 'commander';
import { SluiceError } from '../core/errors.ts';
import { checkTable, deleteFrom, optimizeTable, restoreTable, updateTable, vacuumTable } from './commands/table.ts';
import { tableProperties } from './commands/table-properties.ts';
import type { Io } from './io.ts';
import { examples, machineFormat, type MachineFormat } from './options.ts';

/** Adds the command, with all its verbs. */
export function addTableCommands(
  program: Command,
  io: Io,
  globals: (command: Command) => { readonly project?: string },
): void {
  const table = program
    .command('table')
    .description('change a table, and keep it tidy: delete, update, optimize, vacuum, check, properties, restore')
    .helpCommand(false)
    .addHelpText('after', examples(Object.values(EXAMPLES).flat()));
  const verb = (name: keyof typeof EXAMPLES, description: string): Command =>
    table
      .command(name)
      .description(description)
      .argument('<table>', 'as silver.orders, or the path of any Delta table')
      .addOption(machineFormat())
      .addHelpText('after', examples(EXAMPLES[name]));

  verb('delete', 'delete rows, in one commit')
    .option('--where <condition>', 'SQL over the columns')
    .option('--all', 'every row')
    .action(
      async (name: string, options: { where?: string; all?: boolean; format: MachineFormat }, command: Command) => {
        await deleteFrom(io, { ...globals(command), ...options, name });
      },
    );
  verb('update', 'change values, in one commit')
    .requiredOption('--set <assignment>', 'column = expression; may be repeated', collected)
    .option('--where <condition>', 'SQL over the columns')
    .option('--all', 'every row')
    .action(
      async (
        name: string,
        options: { set: string[]; where?: string; all?: boolean; format: MachineFormat },
        command: Command,
      ) => {
        await updateTable(io, { ...globals(command), ...options, name });
      },
    );
  verb('optimize', 'write small files anew as larger ones')
    .option('--where <condition>', 'SQL over partition columns')
    .action(async (name: string, options: { where?: string; format: MachineFormat }, command: Command) => {
      await optimizeTable(io, { ...globals(command), ...options, name });
    });
  verb('vacuum', 'delete files that no version within the retention time needs')
    .option(
      '--retain-hours <hours>',
      'keep what was needed within this time (default: as the table says, else 168)',
      hours,
    )
    .option('--force', 'allow less than the table keeps: readers and writers at work may lose files')
    .option('--dry-run', 'list the files, and delete none')
    .action(
      async (
        name: string,
        options: { retainHours?: number; force?: boolean; dryRun?: boolean; format: MachineFormat },
        command: Command,
      ) => {
        await vacuumTable(io, { ...globals(command), ...options, name });
      },
    );
  verb('check', 'compare every file of the newest version with the log: size, rows, statistics').action(
    async (name: string, options: { format: MachineFormat }, command: Command) => {
      await checkTable(io, { ...globals(command), ...options, name });
    },
  );
  verb('properties', 'list the table properties, or set some')
    .option('--set <property>', 'key=value; may be repeated', collected)
    .action(async (name: string, options: { set?: string[]; format: MachineFormat }, command: Command) => {
      await tableProperties(io, { ...globals(command), ...options, set: options.set ?? [], name });
    });
  verb('restore', 'make the table what it was, as a new version')
    .option('--version-as-of <version>', 'a version, as `sluice history` lists them', version)
    .option('--timestamp-as-of <time>', 'the version that was the newest then', timestamp)
    .action(
      async (
        name: string,
        options: { versionAsOf?: bigint; timestampAsOf?: Date; format: MachineFormat },
        command: Command,
      ) => {
        const { versionAsOf, timestampAsOf, format } = options;
        await restoreTable(io, {
          ...globals(command),
          ...(versionAsOf === undefined ? {} : { version: versionAsOf }),
          ...(timestampAsOf === undefined ? {} : { timestamp: timestampAsOf }),
          format,
          name,
        });
      },
    );
}

const EXAMPLES = {
  delete: [`sluice table delete silver.orders --where "customer = 'c1'"`],
  update: [`sluice table update silver.orders --set "amount = amount * 2" --where "id = 7"`],
  optimize: [`sluice table optimize silver.orders --where "order_date >= '2026-01-01'"`],
  vacuum: ['sluice table vacuum silver.orders --dry-run', 'sluice table vacuum silver.orders --retain-hours 200'],
  check: ['sluice table check silver.orders'],
  properties: [
    'sluice table properties silver.orders',
    'sluice table properties silver.orders --set delta.appendOnly=true',
  ],
  restore: ['sluice table restore silver.orders --version-as-of 3'],
};

function collected(text: string, before: readonly string[] | undefined): string[] {
  return [...(before ?? []), text];
}

function hours(text: string): number {
  if (/^\d{1,7}(\.\d+)?$/.test(text)) return Number(text);
  throw new SluiceError('USAGE', `not a number of hours: ${text}`, { advice: 'Write it as --retain-hours 168.' });
}

function version(text: string): bigint {
  if (/^\d{1,18}$/.test(text)) return BigInt(text);
  throw new SluiceError('USAGE', `not a version: ${text}`, { advice: 'Write it as --version-as-of 3.' });
}

/** ISO 8601; without a zone it is UTC, as everywhere in sluice. */
function timestamp(text: string): Date {
  const [, day = '', time = '00:00:00', zone = 'Z'] =
    /^(\d{4}-\d\d-\d\d)(?:[ T](\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?)\s?(Z|[+-]\d\d:\d\d)?)?$/i.exec(text) ?? [];
  const date = new Date(`${day}T${time}${zone.toUpperCase()}`);
  if (isCalendarDay(day) && !Number.isNaN(date.getTime())) return date;
  throw new SluiceError('USAGE', `not a time: ${text}`, {
    advice: 'Write it as --timestamp-as-of 2026-01-02T03:04:05Z.',
  });
}

/** The 31st of February is none, though JavaScript counts on from there. */
function isCalendarDay(day: string): boolean {
  const midnight = new Date(`${day}T00:00:00Z`);
  return !Number.isNaN(midnight.getTime()) && midnight.toISOString().startsWith(day);
}
