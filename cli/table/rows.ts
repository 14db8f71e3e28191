/** `sluice table delete` and `update`: rows that a condition names, all of them in one commit. */
import type { Command } from 'commander';
import { SluiceError } from '../../core/errors.ts';
import { formatCount, plural } from '../format.ts';
import type { Io } from '../io.ts';
import { machineFormat } from '../options.ts';
import { collected } from './arguments.ts';
import { assignments } from './assignments.ts';
import { told, withSession, type TableOptions, type Verbs } from './verb.ts';

interface DeleteOptions extends TableOptions {
  readonly where?: string;
  /** Without a condition every row is meant: that must be said. */
  readonly all?: boolean;
}

interface UpdateOptions extends DeleteOptions {
  /** `column = expression` */
  readonly set: readonly string[];
}

export function addRowVerbs({ io, globals, add }: Verbs): void {
  add('delete', 'delete rows, in one commit', [`sluice table delete silver.orders --where "customer = 'c1'"`])
    .option('--where <condition>', 'SQL over the columns')
    .option('--all', 'every row')
    .addOption(machineFormat())
    .action(async (name: string, options: Omit<DeleteOptions, 'name'>, command: Command) => {
      await deleteFrom(io, { ...globals(command), ...options, name });
    });
  add('update', 'change values, in one commit', [
    `sluice table update silver.orders --set "amount = amount * 2" --where "id = 7"`,
  ])
    .requiredOption('--set <assignment>', 'column = expression; may be repeated', collected)
    .option('--where <condition>', 'SQL over the columns')
    .option('--all', 'every row')
    .addOption(machineFormat())
    .action(async (name: string, options: Omit<UpdateOptions, 'name'>, command: Command) => {
      await updateTable(io, { ...globals(command), ...options, name });
    });
}

async function deleteFrom(io: Io, options: DeleteOptions): Promise<void> {
  checkMeant(options, 'delete');
  await withSession(io, options, async ({ table }, session, { signal, onStep }) => {
    const condition = options.where === undefined ? {} : { where: options.where };
    const { version, rows, filesAdded, filesRemoved } = await table.delete(session, { ...condition, signal, onStep });
    const text = `${plural(rows, 'row')} deleted${filesText(filesRemoved, filesAdded)}`;
    return told(options, version, { deleted_rows: rows, files_removed: filesRemoved, files_added: filesAdded }, text);
  });
}

async function updateTable(io: Io, options: UpdateOptions): Promise<void> {
  checkMeant(options, 'update');
  const set = assignments('--set', options.set);
  await withSession(io, options, async ({ table }, session, { signal, onStep }) => {
    const condition = options.where === undefined ? {} : { where: options.where };
    const { version, rows, filesAdded, filesRemoved } = await table.update(session, {
      ...condition,
      set,
      signal,
      onStep,
    });
    const text = `${plural(rows, 'row')} updated${filesText(filesRemoved, filesAdded)}`;
    return told(options, version, { updated_rows: rows, files_removed: filesRemoved, files_added: filesAdded }, text);
  });
}

/** How many files became how many; those whose rows were deleted where they lie stay. */
function filesText(removed: number, added: number): string {
  if (removed === 0 && added > 0) return ` (${plural(added, 'file')} added)`;
  return removed === 0 ? '' : ` (${plural(removed, 'file')} became ${formatCount(added)})`;
}

function checkMeant({ where, all = false }: DeleteOptions, verb: string): void {
  if ((where === undefined) === all) return;
  const message = all ? '--all and --where exclude each other' : `which rows to ${verb} was not said`;
  throw new SluiceError('USAGE', message, { advice: 'Give a condition (--where "id = 7"), or --all for every row.' });
}
