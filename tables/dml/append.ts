/**
 * Appends, and the creation of tables: what fits is written, and what does not is refused before.
 *
 * Promise: all or nothing; of several who create one table at the same time one creates it, and the others append to it.
 */
import { SluiceError } from '../../core/errors.ts';
import type { StructType } from '../../core/schema.ts';
import { partsOf, pathText, type ColumnPath } from '../alter/path.ts';
import type { Change, ReadSet } from '../change.ts';
import { fitted } from '../fit.ts';
import { operate, type Attempt, type OperatedWithRows, type Steps } from '../operation.ts';
import { asRowsOf, checkPartitioning, schemaOfRows, type NewRows } from './new-rows.ts';
import { rowsIn } from './shared.ts';
import { inTransaction } from './stable.ts';
import { tellStep } from './steps.ts';
import { mayWiden } from '../widening.ts';

export interface AppendOptions extends NewRows {
  /** For a table that is not there yet; else it must be partitioned so already. */
  readonly partitionColumns?: readonly string[];
  /**
   * Application ids and the versions that they have after the commit, as a Spark writer's `txnAppId` and `txnVersion`: where the table has
   * them already nothing is appended, so that a program that does not know how its last attempt ended can just try again.
   */
  readonly txn?: ReadonlyMap<string, bigint>;
}

export interface WriteResult {
  /** The version that was made; undefined when there was nothing to do. */
  readonly version: bigint | undefined;
  readonly rows: bigint;
  readonly filesAdded: number;
}

export interface CreateOptions {
  readonly schema: StructType;
  readonly partitionColumns?: readonly string[];
  readonly properties?: Readonly<Record<string, string>>;
  readonly comment?: string;
  /** Columns by which OPTIMIZE puts the rows in order; not with `partitionColumns`. */
  readonly clusterBy?: readonly ColumnPath[];
  /** A table that is there already is left as it is. @default false: it is an error */
  readonly ifNotExists?: boolean;
}

/** A table that may not be there yet. */
export interface Creatable extends Steps {
  exists(): Promise<boolean>;
}

const CREATIONS = 3;
/** Whoever has committed anything was first. */
const NOTHING_THERE: ReadSet = { version: -1n, files: [], wouldRead: () => true };

/** @throws SluiceError `SCHEMA_INCOMPATIBLE`, `VALUE_OUT_OF_RANGE`, `SQL_*`, `TYPE_UNSUPPORTED`, `COMMIT_CONTENTION`, `STORAGE_*` */
export async function appendRows(
  parts: OperatedWithRows & { readonly table: Creatable },
  options: AppendOptions,
): Promise<WriteResult> {
  const { session, table } = parts;
  const rows = await schemaOfRows(session, options.source, table.location);
  for (let attempt = 0; attempt < CREATIONS && !(await table.exists()); attempt++) {
    const created = await createWith(parts, rows, options);
    if (created !== undefined) return created;
  }
  return operate({ ...parts, signal: options.signal }, 'files', (snapshot) =>
    inTransaction(session, async (): Promise<Attempt<Omit<WriteResult, 'version'>>> => {
      const { txn } = options;
      if (txn !== undefined && [...txn].every(([appId, version]) => (snapshot.txn.get(appId) ?? -1n) >= version)) {
        return { change: undefined, staged: [], result: { rows: 0n, filesAdded: 0 } };
      }
      const { location } = snapshot;
      const evolve = options.mergeSchema === true;
      const widen = mayWiden(snapshot.properties);
      const schema = fitted(snapshot.schema, rows, { table: location, evolve, widen, option: 'mergeSchema' });
      const { partitionColumns } = snapshot;
      checkPartitioning(
        snapshot,
        options.partitionColumns ?? partitionColumns,
        'or overwrite the table with overwriteSchema',
      );
      const own = asRowsOf(schema, options.source, rows);
      tellStep(options, 'writing rows');
      const add = await table.stage(session, own.query, { schema: own.schema, partitionColumns, madeFor: snapshot });
      const change: Change = {
        operation: 'WRITE',
        mode: 'append',
        add,
        partitionColumns,
        ...(schema === snapshot.schema ? {} : { schema }),
        ...(txn === undefined ? {} : { txn, expect: new Map([...txn.keys()].map((id) => [id, snapshot.txn.get(id)])) }),
        operationParameters: parametersOf('Append', options),
      };
      const nothing = add.length === 0 && schema === snapshot.schema && txn === undefined;
      return {
        change: nothing ? undefined : change,
        staged: add,
        result: { rows: rowsIn(add), filesAdded: add.length },
      };
    }),
  );
}

/** @returns undefined when another was first */
async function createWith(
  { session, table }: OperatedWithRows & { readonly table: Creatable },
  schema: StructType,
  options: AppendOptions,
): Promise<WriteResult | undefined> {
  const { source, partitionColumns = [], txn, signal } = options;
  tellStep(options, 'writing rows');
  const add = await table.stage(session, source, { schema, partitionColumns });
  const discard = (): Promise<void> => table.discard(add).catch(() => undefined);
  if (signal?.aborted === true) {
    await discard();
    throw new SluiceError('INTERRUPTED', `${table.location}: stopped before anything was committed`);
  }
  const outcome = await table.commit({
    operation: 'WRITE',
    mode: 'append',
    add,
    schema,
    partitionColumns,
    ...(txn === undefined ? {} : { txn }),
    read: NOTHING_THERE,
    operationParameters: parametersOf('Append', options),
  });
  if (outcome.kind === 'committed') return { version: outcome.version, rows: rowsIn(add), filesAdded: add.length };
  await discard();
  return undefined;
}

/**
 * Makes an empty table.
 * @returns its version, undefined when it was there already and may be
 * @throws SluiceError `TABLE_EXISTS`, `SCHEMA_INCOMPATIBLE`, `UNSUPPORTED_FEATURE`, `STORAGE_*`
 */
export async function createTable(table: Creatable, options: CreateOptions): Promise<bigint | undefined> {
  const { schema, partitionColumns = [], properties = {}, comment, clusterBy, ifNotExists = false } = options;
  if (!(await table.exists())) {
    const outcome = await table.commit({
      operation: 'CREATE TABLE',
      mode: 'append',
      add: [],
      schema,
      partitionColumns,
      properties,
      ...(comment === undefined ? {} : { comment }),
      ...(clusterBy === undefined ? {} : { clusterBy }),
      read: NOTHING_THERE,
      operationParameters: {
        isManaged: 'false',
        description: comment ?? null,
        partitionBy: partitionColumns,
        ...(clusterBy === undefined
          ? {}
          : { clusterBy: clusterBy.map((path) => pathText(partsOf(path, table.location))) }),
        properties,
      },
    });
    if (outcome.kind === 'committed') return outcome.version;
  }
  if (ifNotExists) return undefined;
  throw new SluiceError('TABLE_EXISTS', `there is a Delta table at ${table.location} already`, {
    advice: 'Append to it or overwrite it, name another folder, or create it only if it is not there (ifNotExists).',
    facts: { table: table.location },
  });
}

/** As Spark writes them. Source: Delta, `DeltaOperations.Write`. */
export function parametersOf(
  mode: 'Append' | 'Overwrite',
  { partitionColumns = [], mergeSchema = false }: Pick<AppendOptions, 'mergeSchema' | 'partitionColumns'>,
): Record<string, string | readonly string[]> {
  return { mode, partitionBy: partitionColumns, ...(mergeSchema ? { canMergeSchema: 'true' } : {}) };
}
