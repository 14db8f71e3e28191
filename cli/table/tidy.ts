/** `sluice table optimize`, `vacuum` and `check`: what keeps a table tidy. */
import { Option, type Command } from 'commander';
import { SluiceError } from '../../core/errors.ts';
import type { TableProblem } from '../../tables/index.ts';
import { formatBytes, formatCount, plural } from '../format.ts';
import type { Io } from '../io.ts';
import { machineFormat } from '../options.ts';
import { columns, hours } from './arguments.ts';
import { percents, told, withSession, type TableOptions, type Verbs } from './verb.ts';

interface OptimizeOptions extends TableOptions {
  readonly where?: string;
  readonly zorderBy?: readonly string[];
  readonly purge?: boolean;
}

interface VacuumOptions extends TableOptions {
  readonly retainHours?: number;
  readonly force?: boolean;
  readonly dryRun?: boolean;
}

export function addTidyVerbs({ io, globals, add }: Verbs): void {
  add('optimize', 'write small files anew as larger ones', [
    `sluice table optimize silver.orders --where "order_date >= '2026-01-01'"`,
    'sluice table optimize silver.orders --zorder-by customer_id,ts',
    'sluice table optimize silver.orders --purge',
  ])
    .option('--where <condition>', 'SQL over partition columns')
    .option(
      '--zorder-by <columns>',
      'put the rows in order, so that filters on any of the columns read few files',
      columns,
    )
    .addOption(
      new Option('--purge', 'only files with deleted rows (deletion vectors), without those rows').conflicts(
        'zorderBy',
      ),
    )
    .addOption(machineFormat())
    .action(async (name: string, options: Omit<OptimizeOptions, 'name'>, command: Command) => {
      await optimizeTable(io, { ...globals(command), ...options, name });
    });
  add('vacuum', 'delete files that no version within the retention time needs', [
    'sluice table vacuum silver.orders --dry-run',
    'sluice table vacuum silver.orders --retain-hours 200',
  ])
    .option(
      '--retain-hours <hours>',
      'keep what was needed within this time (default: as the table says, else 168)',
      hours,
    )
    .option('--force', 'allow less than the table keeps: readers and writers at work may lose files')
    .option('--dry-run', 'list the files, and delete none')
    .addOption(machineFormat())
    .action(async (name: string, options: Omit<VacuumOptions, 'name'>, command: Command) => {
      await vacuumTable(io, { ...globals(command), ...options, name });
    });
  add('check', 'compare every file of the newest version with the log: size, rows, statistics', [
    'sluice table check silver.orders',
  ])
    .addOption(machineFormat())
    .action(async (name: string, options: Omit<TableOptions, 'name'>, command: Command) => {
      await checkTable(io, { ...globals(command), ...options, name });
    });
}

async function optimizeTable(io: Io, options: OptimizeOptions): Promise<void> {
  await withSession(io, options, async ({ table }, session, { signal, ...progress }) => {
    const onProgress = percents(progress.onProgress);
    const where = options.where === undefined ? {} : { where: options.where };
    const { zorderBy: zOrderBy = [], purge = false } = options;
    const done = await table.optimize(session, { ...where, zOrderBy, purge, onProgress, signal });
    const { version, filesAdded, filesRemoved, bytesAdded, bytesRemoved } = done;
    const sizes = `${formatBytes(bytesRemoved)} → ${formatBytes(bytesAdded)}`;
    const text =
      version === undefined
        ? `nothing to do: ${idle(zOrderBy, purge)}`
        : `${plural(filesRemoved, 'file')} became ${formatCount(filesAdded)} (${sizes})`;
    const facts = { files_removed: filesRemoved, files_added: filesAdded, bytes_removed: bytesRemoved, bytes_added: bytesAdded }; // prettier-ignore
    return told(options, version, facts, text);
  });
}

function idle(zOrderBy: readonly string[], purge: boolean): string {
  if (purge) return 'no files with deleted rows';
  return zOrderBy.length > 0 ? 'the rows are in this order' : 'no small files that could become larger ones';
}

async function vacuumTable(io: Io, options: VacuumOptions): Promise<void> {
  await withSession(io, options, async ({ table }, _, { signal, ...progress }) => {
    const onProgress = percents(progress.onProgress);
    const { retainHours, force = false, dryRun = false } = options;
    const { deleted, bytes } = await table.vacuum({ ...(retainHours === undefined ? {} : { retainHours }), force, dryRun, onProgress, signal }); // prettier-ignore
    const what = `${plural(deleted.length, 'file')} (${formatBytes(bytes)}) ${dryRun ? 'would be deleted' : 'deleted'}`;
    const list = deleted.map((path) => `  ${path}\n`).join('');
    const { version } = await table.snapshot();
    const text = `${what}${dryRun && list !== '' ? `:\n${list.trimEnd()}` : ''}`;
    return told(options, version, { dry_run: dryRun, deleted: [...deleted], bytes }, text);
  });
}

/** Prints each problem; then fails when there was one. */
async function checkTable(io: Io, options: TableOptions): Promise<void> {
  let problems: readonly TableProblem[] = [];
  await withSession(io, options, async ({ table }, session, { signal, ...progress }) => {
    const onProgress = percents(progress.onProgress);
    const result = await table.check(session, { onProgress, signal });
    ({ problems } = result);
    const lines = problems.map(({ kind, file, message }) => `\n  ${kind}: ${file}: ${message}`).join('');
    const text = `${plural(result.files, 'file')} checked, ${plural(problems.length, 'problem')}${lines}`;
    return told(options, result.version, { files: result.files, problems: problems.map((one) => ({ ...one })) }, text);
  });
  const [first] = problems;
  if (first === undefined) return;
  throw new SluiceError(
    'TABLE_DAMAGED',
    `${options.name} is not what its log says: ${plural(problems.length, 'problem')}, the first in ${first.file}: ${first.message}`,
    {
      advice:
        'Restore the files from a backup, or the table to a version that does not need them (sluice table restore).',
      facts: { table: options.name, file: first.file },
    },
  );
}
