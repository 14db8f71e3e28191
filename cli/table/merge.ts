/** `sluice table merge`: a query, or another table, updates, deletes and inserts rows of a table, in one commit. */
import type { Command } from 'commander';
import { SluiceError } from '../../core/errors.ts';
import { openSource } from '../../query/index.ts';
import { FileLease, type InsertClause, type MergeOptions, type RowClause } from '../../tables/index.ts';
import { formatCount, plural } from '../format.ts';
import type { Io } from '../io.ts';
import { machineFormat } from '../options.ts';
import { collected } from './arguments.ts';
import { assignments } from './assignments.ts';
import { queryOf, USING } from './using.ts';
import { told, withSession, type TableOptions, type Verbs } from './verb.ts';

interface MergeFlags extends TableOptions {
  readonly using: string;
  readonly on: string;
  readonly whenMatchedDelete?: string | true;
  readonly whenMatchedUpdate?: readonly string[];
  readonly whenMatchedUpdateIf?: string;
  readonly whenNotMatchedInsert?: readonly string[];
  readonly whenNotMatchedInsertIf?: string;
  readonly whenNotMatchedBySourceDelete?: string | true;
  readonly whenNotMatchedBySourceUpdate?: readonly string[];
  readonly whenNotMatchedBySourceUpdateIf?: string;
  readonly withSchemaEvolution?: boolean;
}

export function addMergeVerb({ io, globals, add }: Verbs): void {
  add('merge', 'update, delete and insert rows as a query or another table says, in one commit', [
    `sluice table merge silver.orders --using "FROM 'new.parquet'" --on "target.id = source.id" --when-matched-update "*" --when-not-matched-insert "*"`,
    `sluice table merge silver.orders --using bronze.changes --on "target.id = source.id" --when-matched-delete "source.op = 'D'" --when-matched-update "*"`,
  ])
    .requiredOption('--using <source>', `${USING}; its rows are called source`)
    .requiredOption('--on <condition>', 'which rows belong together: SQL over target and source')
    .option('--when-matched-delete [condition]', 'rows that have one in the source go; looked at before the update')
    .option('--when-matched-update <assignment>', '"*", or column = expression; may be repeated', collected)
    .option('--when-matched-update-if <condition>', 'only where this is true')
    .option('--when-not-matched-insert <assignment>', '"*", or column = expression; may be repeated', collected)
    .option('--when-not-matched-insert-if <condition>', 'only where this is true')
    .option('--when-not-matched-by-source-delete [condition]', 'rows that have none in the source go')
    .option(
      '--when-not-matched-by-source-update <assignment>',
      'column = expression over target; may be repeated',
      collected,
    )
    .option('--when-not-matched-by-source-update-if <condition>', 'only where this is true')
    .option('--with-schema-evolution', 'add columns, and fields of structs, that the source has and the table lacks')
    .addOption(machineFormat())
    .action(async (name: string, options: Omit<MergeFlags, 'name'>, command: Command) => {
      await merge(io, { ...globals(command), ...options, name });
    });
}

async function merge(io: Io, options: MergeFlags): Promise<void> {
  const clauses = clausesOf(options);
  await withSession(io, options, async ({ table, catalog, parts }, session, { signal, onStep }) =>
    // The files that the source reads are kept until it was read.
    FileLease.during(async () => {
      await table.snapshot();
      const source = await openSource(session, queryOf(options.using), catalog, { ...parts, file: '--using', signal });
      try {
        const { version, inserted, updated, deleted, filesAdded, filesRemoved } = await table.merge(session, {
          source: source.sql,
          on: options.on,
          ...clauses,
          signal,
          onStep,
        });
        const counts = `${plural(inserted, 'row')} inserted, ${formatCount(updated)} updated, ${formatCount(deleted)} deleted`;
        const facts = { inserted_rows: inserted, updated_rows: updated, deleted_rows: deleted, files_removed: filesRemoved, files_added: filesAdded }; // prettier-ignore
        return told(options, version, facts, counts);
      } finally {
        await source.close();
      }
    }),
  );
}

function clausesOf(options: MergeFlags): Omit<MergeOptions, 'source' | 'on'> {
  const { whenMatchedUpdate, whenNotMatchedInsert, whenNotMatchedBySourceUpdate } = options;
  const set = (name: string, texts: readonly string[]): '*' | Record<string, string> =>
    texts.length === 1 && texts[0]?.trim() === '*' ? '*' : assignments(name, texts);
  const when = (condition: string | true | undefined): { readonly condition?: string } =>
    typeof condition === 'string' ? { condition } : {};
  const deletion = (asked: string | true | undefined): RowClause[] =>
    asked === undefined ? [] : [{ ...when(asked), delete: true }];
  const update = (name: string, texts: readonly string[] | undefined, condition: string | undefined): RowClause[] => {
    checkPair(name, texts, condition);
    return texts === undefined ? [] : [{ ...when(condition), set: set(name, texts) }];
  };
  checkPair('--when-not-matched-insert', whenNotMatchedInsert, options.whenNotMatchedInsertIf);
  const whenNotMatched: InsertClause[] =
    whenNotMatchedInsert === undefined
      ? []
      : [{ ...when(options.whenNotMatchedInsertIf), values: set('--when-not-matched-insert', whenNotMatchedInsert) }];
  const whenMatched = [
    ...deletion(options.whenMatchedDelete),
    ...update('--when-matched-update', whenMatchedUpdate, options.whenMatchedUpdateIf),
  ];
  const whenNotMatchedBySource = [
    ...deletion(options.whenNotMatchedBySourceDelete),
    ...update(
      '--when-not-matched-by-source-update',
      whenNotMatchedBySourceUpdate,
      options.whenNotMatchedBySourceUpdateIf,
    ),
  ];
  if (whenMatched.length + whenNotMatched.length + whenNotMatchedBySource.length === 0) {
    throw new SluiceError('USAGE', 'a merge without a clause would do nothing', {
      advice: 'Say what happens: --when-matched-update "*", --when-not-matched-insert "*", --when-matched-delete …',
    });
  }
  if (whenNotMatchedBySourceUpdate?.some((text) => text.trim() === '*') === true) {
    throw new SluiceError('USAGE', '--when-not-matched-by-source-update "*": there is no row of the source', {
      advice: 'Name columns: --when-not-matched-by-source-update "active = false".',
    });
  }
  const evolution = options.withSchemaEvolution === true ? { withSchemaEvolution: true } : {};
  return { whenMatched, whenNotMatched, whenNotMatchedBySource, ...evolution };
}

function checkPair(name: string, texts: readonly string[] | undefined, condition: string | undefined): void {
  if (condition === undefined || texts !== undefined) return;
  throw new SluiceError('USAGE', `${name}-if without ${name}`, {
    advice: `Add ${name} "*", or leave the condition out.`,
  });
}
