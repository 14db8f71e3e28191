/**
 * Overwrites: all rows of a table, those that a condition takes (`replaceWhere`), or the partitions that the new rows lie in
 * (dynamic partition overwrite) give way to the rows of a query, in one commit.
 *
 * Promise: all or nothing; with `replaceWhere` every new row meets the condition, and each row that does not stays as it is; rows
 * that others write meanwhile into what is replaced make it begin anew, so that none is lost unseen.
 * Source: delta.io, "Selective overwrite"; Databricks, "Selectively overwrite data with Delta Lake".
 */
import { SluiceError } from '../../core/errors.ts';
import type { StructType } from '../../core/schema.ts';
import { fitted } from '../fit.ts';
import type { AddFile } from '../log/actions.ts';
import { operate, type Attempt, type OperatedOnRows } from '../operation.ts';
import type { Snapshot } from '../snapshot.ts';
import type { Shape } from '../write.ts';
import { appendRows, parametersOf, type Creatable, type WriteResult } from './append.ts';
import { asRowsOf, checkPartitioning, schemaOfRows, type NewRows } from './new-rows.ts';
import { replaceRows } from './replace-where.ts';
import { inPartitionsOf, partitionsOverlap } from './same-partitions.ts';
import { rowsIn } from './shared.ts';
import { checkStable, inTransaction } from './stable.ts';
import { tellStep } from './steps.ts';
import { mayWiden } from '../widening.ts';

export interface OverwriteOptions extends NewRows {
  /** SQL over the table's columns: only rows that it takes are replaced, and all new rows must meet it. */
  readonly replaceWhere?: string;
  /** `dynamic`: only those partitions are replaced that the new rows lie in; a table without partitions is replaced whole. @default 'static' */
  readonly partitionOverwriteMode?: 'static' | 'dynamic';
  /** The columns, and the partitioning, become those of the new rows. @default false */
  readonly overwriteSchema?: boolean;
  /** For a table that is not there yet, or with `overwriteSchema`; else it must be partitioned so already. */
  readonly partitionColumns?: readonly string[];
}

export interface OverwriteResult extends WriteResult {
  readonly filesRemoved: number;
}

type Attempted = Attempt<Omit<OverwriteResult, 'version'>>;

/** @throws SluiceError as `appendRows`, `USAGE` for options that exclude each other, `REPLACE_WHERE_MISMATCH`, `TABLE_APPEND_ONLY` */
export async function overwriteRows(
  parts: OperatedOnRows & { readonly table: Creatable },
  options: OverwriteOptions,
): Promise<OverwriteResult> {
  const { session, table } = parts;
  checkOptions(options, table.location);
  if (options.replaceWhere !== undefined) await checkStable(session, [options.replaceWhere], table.location);
  if (!(await table.exists())) return { ...(await appendRows(parts, options)), filesRemoved: 0 };
  const rows = await schemaOfRows(session, options.source, table.location);
  return operate({ ...parts, signal: options.signal }, 'rows', (snapshot) =>
    inTransaction(session, async (): Promise<Attempted> => {
      const target = targetOf(snapshot, rows, options);
      const { query, schema } = asRowsOf(target.schema, options.source, rows);
      const areWhole = options.overwriteSchema === true;
      tellStep(options, 'writing rows');
      const add = await table.stage(session, query, { ...target, schema, areWhole, madeFor: snapshot });
      try {
        return await replacing(parts, snapshot, { add, target, options });
      } catch (error) {
        await table.discard(add).catch(() => undefined);
        throw error;
      }
    }),
  );
}

interface Replacement {
  readonly add: readonly AddFile[];
  /** What the table is afterwards. */
  readonly target: Shape;
  readonly options: OverwriteOptions;
}

async function replacing(
  parts: OperatedOnRows,
  snapshot: Snapshot,
  { add, target, options }: Replacement,
): Promise<Attempted> {
  const { session } = parts;
  const { replaceWhere, partitionOverwriteMode, overwriteSchema = false, signal, onStep } = options;
  const base = {
    operation: 'WRITE',
    partitionColumns: target.partitionColumns,
    ...(target.schema === snapshot.schema ? {} : { schema: target.schema }),
  };
  const parameters = parametersOf('Overwrite', options);
  const result = { rows: rowsIn(add), filesAdded: add.length };
  if (replaceWhere !== undefined) {
    return replaceRows(parts, snapshot, {
      ...(signal === undefined ? {} : { signal }),
      ...(onStep === undefined ? {} : { onStep }),
      where: replaceWhere,
      add,
      target,
      base: { ...base, operationParameters: parameters },
    });
  }
  if (partitionOverwriteMode === 'dynamic' && snapshot.partitionColumns.length > 0) {
    const remove = await inPartitionsOf(session, snapshot, add);
    const nothing = add.length === 0 && target.schema === snapshot.schema;
    return {
      staged: add,
      result: { ...result, filesRemoved: remove.length },
      change: nothing
        ? undefined
        : {
            ...base,
            mode: 'rewrite',
            add,
            remove,
            read: {
              version: snapshot.version,
              files: remove,
              wouldRead: (file) => partitionsOverlap(snapshot, file, add),
            },
            operationParameters: { ...parameters, isDynamicPartitionOverwrite: 'true' },
          },
    };
  }
  return {
    staged: add,
    result: { ...result, filesRemoved: snapshot.files.length },
    change: {
      ...base,
      mode: 'overwrite',
      add,
      read: { version: snapshot.version, files: snapshot.files, wouldRead: () => true },
      operationParameters: { ...parameters, ...(overwriteSchema ? { canOverwriteSchema: 'true' } : {}) },
    },
  };
}

function targetOf(snapshot: Snapshot, rows: StructType, options: OverwriteOptions): Shape {
  const { mergeSchema = false, overwriteSchema = false, partitionColumns = snapshot.partitionColumns } = options;
  const table = snapshot.location;
  if (overwriteSchema) return { schema: snapshot.mapped(rows), partitionColumns };
  checkPartitioning(snapshot, partitionColumns, 'or let the overwrite change them too (overwriteSchema)');
  return {
    schema: snapshot.mapped(
      fitted(snapshot.schema, rows, {
        table,
        evolve: mergeSchema,
        widen: mayWiden(snapshot.properties),
        option: 'mergeSchema, or overwriteSchema',
      }),
    ),
    partitionColumns,
  };
}

function checkOptions(options: OverwriteOptions, table: string): void {
  const { replaceWhere, partitionOverwriteMode, overwriteSchema = false } = options;
  const given = [
    ...(replaceWhere === undefined ? [] : ['replaceWhere']),
    ...(partitionOverwriteMode === 'dynamic' ? ["partitionOverwriteMode 'dynamic'"] : []),
    ...(overwriteSchema ? ['overwriteSchema'] : []),
  ];
  if (given.length < 2) return;
  throw new SluiceError('USAGE', `${table}: ${given.join(' and ')} exclude each other`, {
    advice: 'Give one of them: each says by itself what is replaced.',
    facts: { table },
  });
}
