/** `sluice table clone` and `convert`: a table out of another one, or out of Parquet files. */
import type { Command } from 'commander';
import { SluiceError } from '../../core/errors.ts';
import { parseSchema } from '../../core/schema-text.ts';
import type { Field } from '../../core/schema.ts';
import { formatBytes, formatCount, plural } from '../format.ts';
import type { Io } from '../io.ts';
import { machineFormat } from '../options.ts';
import { timestamp, version } from './arguments.ts';
import { percents, told, withSession, type TableOptions, type Verbs } from './verb.ts';

interface CloneFlags extends TableOptions {
  readonly target: string;
  readonly shallow?: boolean;
  readonly replace?: boolean;
  readonly versionAsOf?: bigint;
  readonly timestampAsOf?: Date;
}

interface ConvertFlags extends TableOptions {
  readonly partitionedBy?: readonly Field[];
}

export function addCopyVerbs({ io, globals, add }: Verbs): void {
  add('clone', 'make another table what this one is: with copies of its files, or with the files themselves', [
    'sluice table clone silver.orders backup.orders',
    'sluice table clone silver.orders ./try --shallow --version-as-of 3',
  ])
    .argument('<target>', 'the table that is made: as backup.orders, or a path')
    .option('--shallow', 'copy no file: the clone names those of the source')
    .option('--version-as-of <version>', 'a version of the source, as `sluice history` lists them', version)
    .option('--timestamp-as-of <time>', 'the version of the source that was the newest then', timestamp)
    .option('--replace', 'take the place of a table that is no clone of the source, or was changed since')
    .addOption(machineFormat())
    .action(async (name: string, target: string, options: Omit<CloneFlags, 'name' | 'target'>, command: Command) => {
      await cloneTable(io, { ...globals(command), ...options, name, target });
    });
  add('convert', 'make a table of the Parquet files in a folder, where they lie', [
    'sluice table convert ./events',
    'sluice table convert ./events --partitioned-by "day DATE, country STRING"',
  ])
    .option('--partitioned-by <columns>', 'the columns of folders such as day=2026-01-01, with their types', columns)
    .addOption(machineFormat())
    .action(async (path: string, options: Omit<ConvertFlags, 'name'>, command: Command) => {
      // It is a folder, and no table yet.
      const name = path.includes('/') ? path : `./${path}`;
      await convertFolder(io, { ...globals(command), ...options, name });
    });
}

async function cloneTable(io: Io, options: CloneFlags): Promise<void> {
  const { versionAsOf, timestampAsOf, shallow = false, replace = false } = options;
  if (versionAsOf !== undefined && timestampAsOf !== undefined) {
    throw new SluiceError('USAGE', 'there are a version and a time', {
      advice: 'Name one of them, or none for the newest.',
    });
  }
  const at = versionAsOf ?? timestampAsOf;
  await withSession(io, options, async ({ table, other }, _, { signal, onProgress }) => {
    const done = await table.clone(other(options.target), {
      shallow,
      replace,
      signal,
      onProgress: percents(onProgress),
      ...(at === undefined ? {} : { at }),
    });
    const { sourceVersion, filesAdded, filesRemoved, filesCopied, bytesCopied } = done;
    const source = `${options.name}@${String(sourceVersion)}`;
    const text =
      done.version === undefined
        ? `it is what ${source} is already`
        : `cloned from ${source}: ${plural(filesAdded, 'file')} added, ${formatCount(filesRemoved)} removed, ${formatCount(filesCopied)} copied (${formatBytes(bytesCopied)})`;
    const facts = { source: options.name, source_version: sourceVersion, shallow, files_added: filesAdded, files_removed: filesRemoved, files_copied: filesCopied, bytes_copied: bytesCopied }; // prettier-ignore
    return told({ ...options, name: options.target }, done.version, facts, text);
  });
}

async function convertFolder(io: Io, options: ConvertFlags): Promise<void> {
  await withSession(io, options, async ({ table }, session, { signal, onProgress }) => {
    const { partitionedBy } = options;
    const done = await table.convert(session, {
      signal,
      onProgress: percents(onProgress),
      ...(partitionedBy === undefined ? {} : { partitionColumns: partitionedBy }),
    });
    const { version: made, files, rows, bytes } = done;
    const text =
      made === undefined
        ? 'it is a Delta table already: nothing to do'
        : `${plural(files, 'file')} (${formatBytes(bytes)}, ${plural(rows, 'row')}) became a table`;
    return told(options, made, { files, rows, bytes }, text);
  });
}

function columns(text: string): readonly Field[] {
  try {
    return parseSchema(text).fields;
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error;
    throw new SluiceError('USAGE', `not columns with types: ${text}: ${error.message}`, {
      advice: 'Write them as --partitioned-by "day DATE, country STRING".',
      cause: error,
    });
  }
}
