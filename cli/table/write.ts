/** `sluice table append` and `overwrite`: rows of a query, or of another table, in one commit. */
import type { Command } from 'commander';
import { openSource } from '../../query/index.ts';
import { FileLease, type DeltaTable } from '../../tables/index.ts';
import type { Session } from '../../engine/session.ts';
import { formatCount, plural } from '../format.ts';
import type { Io } from '../io.ts';
import { machineFormat } from '../options.ts';
import { queryOf, USING } from './using.ts';
import { told, withSession, type Running, type TableOptions, type Verbs } from './verb.ts';

interface AppendFlags extends TableOptions {
  readonly using: string;
  readonly mergeSchema?: boolean;
}

interface OverwriteFlags extends AppendFlags {
  readonly replaceWhere?: string;
  readonly dynamicPartitions?: boolean;
  readonly overwriteSchema?: boolean;
}

export function addWriteVerbs({ io, globals, add }: Verbs): void {
  add('append', 'append the rows of a query or another table, in one commit', [
    `sluice table append silver.orders --using "FROM 'new.parquet'"`,
  ])
    .requiredOption('--using <source>', USING)
    .option('--merge-schema', 'add columns, and fields of structs, that the table lacks')
    .addOption(machineFormat())
    .action(async (name: string, options: Omit<AppendFlags, 'name'>, command: Command) => {
      await write(io, { ...globals(command), ...options, name }, async (table, session, parts) => ({
        ...(await table.append(session, parts)),
        filesRemoved: 0,
      }));
    });
  add('overwrite', 'replace all rows, or those that a condition takes, by those of a query or another table', [
    `sluice table overwrite silver.orders --using "FROM 'day.parquet'" --replace-where "order_date = '2026-01-02'"`,
  ])
    .requiredOption('--using <source>', USING)
    .option('--replace-where <condition>', 'only rows that this takes are replaced; all new rows must meet it')
    .option('--dynamic-partitions', 'only those partitions are replaced that the new rows lie in')
    .option('--merge-schema', 'add columns, and fields of structs, that the table lacks')
    .option('--overwrite-schema', 'the columns become those of the new rows')
    .addOption(machineFormat())
    .action(async (name: string, options: Omit<OverwriteFlags, 'name'>, command: Command) => {
      const { replaceWhere, dynamicPartitions = false, overwriteSchema = false } = options;
      await write(io, { ...globals(command), ...options, name }, (table, session, parts) =>
        table.overwrite(session, {
          ...parts,
          overwriteSchema,
          ...(replaceWhere === undefined ? {} : { replaceWhere }),
          ...(dynamicPartitions ? { partitionOverwriteMode: 'dynamic' } : {}),
        }),
      );
    });
}

interface Written {
  readonly version: bigint | undefined;
  readonly rows: bigint;
  readonly filesAdded: number;
  readonly filesRemoved: number;
}

interface NewRows extends Pick<Running, 'signal' | 'onStep'> {
  readonly source: string;
  readonly mergeSchema: boolean;
}

async function write(
  io: Io,
  options: AppendFlags,
  work: (table: DeltaTable, session: Session, rows: NewRows) => Promise<Written>,
): Promise<void> {
  await withSession(io, options, async ({ table, catalog, parts }, session, { signal, onStep }) =>
    // The files that the source reads are kept until it was read.
    FileLease.during(async () => {
      const source = await openSource(session, queryOf(options.using), catalog, { ...parts, file: '--using', signal });
      try {
        const rows = { source: source.sql, mergeSchema: options.mergeSchema === true, signal, onStep };
        const { version, rows: written, filesAdded, filesRemoved } = await work(table, session, rows);
        const facts = { written_rows: written, files_added: filesAdded, files_removed: filesRemoved };
        const text = `${plural(written, 'row')} written (${plural(filesAdded, 'file')} added, ${formatCount(filesRemoved)} removed)`;
        return told(options, version, facts, text);
      } finally {
        await source.close();
      }
    }),
  );
}
