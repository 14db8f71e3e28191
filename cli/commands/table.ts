/**
 * `sluice table`: changes of one table, and what keeps it tidy.
 *
 * Promise: what is printed was done; a command that fails, or is stopped, has changed no row. (OPTIMIZE commits in steps and VACUUM
 * deletes file after file: what was done by then stays.)
 */
import { SluiceError } from '../../core/errors.ts';
import { stringifyJson, type JsonObject } from '../../core/json.ts';
import type { Session } from '../../engine/session.ts';
import { formatBytes, formatCount, plural } from '../format.ts';
import type { TableProblem } from '../../tables/index.ts';
import { write, type Io } from '../io.ts';
import { withTable, type OpenTable } from '../open-table.ts';
import { QueryProgress } from '../progress/query.ts';
import { stopOnSignals } from '../stop.ts';

export interface TableOptions {
  readonly project?: string;
  /** `silver.orders`, or a path. */
  readonly name: string;
  readonly format: 'table' | 'json';
}

export interface DeleteOptions extends TableOptions {
  readonly where?: string;
  /** Without a condition every row is meant: that must be said. */
  readonly all?: boolean;
}

export interface UpdateOptions extends DeleteOptions {
  /** `column = expression` */
  readonly set: readonly string[];
}

export interface OptimizeOptions extends TableOptions {
  readonly where?: string;
}

export interface VacuumOptions extends TableOptions {
  readonly retainHours?: number;
  readonly force?: boolean;
  readonly dryRun?: boolean;
}

export interface RestoreOptions extends TableOptions {
  readonly version?: bigint;
  readonly timestamp?: Date;
}

export async function deleteFrom(io: Io, options: DeleteOptions): Promise<void> {
  checkMeant(options, 'delete');
  await withSession(io, options, async ({ table }, session, { signal }) => {
    const condition = options.where === undefined ? {} : { where: options.where };
    const { version, rows, filesAdded, filesRemoved } = await table.delete(session, { ...condition, signal });
    const text = `${plural(rows, 'row')} deleted${filesText(filesRemoved, filesAdded)}`;
    return told(options, version, { deleted_rows: rows, files_removed: filesRemoved, files_added: filesAdded }, text);
  });
}

export async function updateTable(io: Io, options: UpdateOptions): Promise<void> {
  checkMeant(options, 'update');
  const set = assignments(options.set);
  await withSession(io, options, async ({ table }, session, { signal }) => {
    const condition = options.where === undefined ? {} : { where: options.where };
    const { version, rows, filesAdded, filesRemoved } = await table.update(session, { ...condition, set, signal });
    const text = `${plural(rows, 'row')} updated${filesText(filesRemoved, filesAdded)}`;
    return told(options, version, { updated_rows: rows, files_removed: filesRemoved, files_added: filesAdded }, text);
  });
}

export async function optimizeTable(io: Io, options: OptimizeOptions): Promise<void> {
  await withSession(io, options, async ({ table }, session, { signal, ...progress }) => {
    const onProgress = (done: bigint, all: bigint): void => {
      progress.onProgress?.(all === 0n ? 100 : (Number(done) / Number(all)) * 100);
    };
    const where = options.where === undefined ? {} : { where: options.where };
    const done = await table.optimize(session, { ...where, onProgress, signal });
    const { version, filesAdded, filesRemoved, bytesAdded, bytesRemoved } = done;
    const sizes = `${formatBytes(bytesRemoved)} → ${formatBytes(bytesAdded)}`;
    const text =
      version === undefined
        ? 'nothing to do: no small files that could become larger ones'
        : `${plural(filesRemoved, 'file')} became ${formatCount(filesAdded)} (${sizes})`;
    const facts = { files_removed: filesRemoved, files_added: filesAdded, bytes_removed: bytesRemoved, bytes_added: bytesAdded }; // prettier-ignore
    return told(options, version, facts, text);
  });
}

export async function vacuumTable(io: Io, options: VacuumOptions): Promise<void> {
  await withSession(io, options, async ({ table }, _, { signal, ...progress }) => {
    const onProgress = (done: number, all: number): void => progress.onProgress?.((done / all) * 100);
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
export async function checkTable(io: Io, options: TableOptions): Promise<void> {
  let problems: readonly TableProblem[] = [];
  await withSession(io, options, async ({ table }, session, { signal, ...progress }) => {
    const onProgress = (done: number, all: number): void => progress.onProgress?.((done / all) * 100);
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

export async function restoreTable(io: Io, options: RestoreOptions): Promise<void> {
  const at = options.version ?? options.timestamp;
  if (at === undefined || (options.version !== undefined && options.timestamp !== undefined)) {
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

interface Running {
  readonly signal: AbortSignal;
  readonly onProgress?: (percent: number) => void;
}

/** Runs work with a table and a session, which the first Ctrl-C interrupts, and prints what the work says. */
async function withSession(
  io: Io,
  options: TableOptions,
  work: (open: OpenTable, session: Session, running: Running) => Promise<string>,
): Promise<void> {
  await withTable(io, options, async (open) => {
    const session = await open.parts.engine.session();
    const progress = new QueryProgress(io);
    const stop = stopOnSignals(() => {
      session.interrupt();
    }, open.cleanUp);
    try {
      const text = await work(open, session, { signal: stop.signal, ...progress.callback() });
      progress.clear();
      await write(io.stdout, text);
    } finally {
      progress.clear();
      stop.release();
      session.close();
    }
  });
}

function told({ name, format }: TableOptions, version: bigint | undefined, facts: JsonObject, text: string): string {
  if (format === 'json') return `${stringifyJson({ table: name, version: version ?? null, ...facts })}\n`;
  return `${name}${version === undefined ? '' : `@${String(version)}`}: ${text}\n`;
}

function filesText(removed: number, added: number): string {
  return removed === 0 ? '' : ` (${plural(removed, 'file')} became ${formatCount(added)})`;
}

function checkMeant({ where, all = false }: DeleteOptions, verb: string): void {
  if ((where === undefined) === all) return;
  const message = all ? '--all and --where exclude each other' : `which rows to ${verb} was not said`;
  throw new SluiceError('USAGE', message, { advice: 'Give a condition (--where "id = 7"), or --all for every row.' });
}

function assignments(texts: readonly string[]): Record<string, string> {
  const pairs = texts.map(assignment);
  const twice = pairs.find(([column], i) => pairs.findIndex(([other]) => other === column) !== i);
  if (twice !== undefined) {
    throw new SluiceError('USAGE', `the column ${twice[0]} is set twice`, { advice: 'Leave one of the two out.' });
  }
  return Object.fromEntries(pairs);
}

/** `amount = amount * 2` → ['amount', 'amount * 2'] */
function assignment(text: string): [string, string] {
  const match = /^\s*(?:"((?:[^"]|"")+)"|([\p{L}_][\p{L}\p{N}_]*))\s*=(?!=)([^]*\S[^]*)$/u.exec(text);
  if (match === null) {
    throw new SluiceError('USAGE', `not an assignment: ${text}`, {
      advice: `Write it as --set "amount = amount * 2"; a name with other characters as --set '"odd name" = 1'.`,
    });
  }
  const [, quoted, plain = '', value = ''] = match;
  return [quoted?.replaceAll('""', '"') ?? plain, value.trim()];
}
