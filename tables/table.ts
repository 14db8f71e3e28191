/**
 * A Delta table: read at any version, appended to, overwritten, changed row by row, and kept tidy.
 *
 * Promise: a commit is all or nothing, also against writers in other processes; what a read returns is one version of the
 * table, whole. While nothing changes the log is not read again.
 */
import { systemClock } from '../core/clock.ts';
import { SluiceError } from '../core/errors.ts';
import { systemRandom } from '../core/random.ts';
import type { Session } from '../engine/session.ts';
import { alterTable } from './alter/alter.ts';
import type { Alteration, AlterResult } from './alter/alteration.ts';
import type { Change, CommitResult, CommitSummary, HistoryEntry } from './change.ts';
import { changeFeedBetween, type ChangeFeed } from './change-feed.ts';
import { checkpointIfDue } from './checkpoint.ts';
import { commitChange } from './commit.ts';
import { checkDeclared } from './defaults/declared.ts';
import { appendRows, createTable, type AppendOptions, type CreateOptions, type WriteResult } from './dml/append.ts';
import { deleteRows } from './dml/delete.ts';
import { mergeInto, type MergeResult } from './dml/merge.ts';
import type { MergeOptions } from './dml/merge-match.ts';
import { overwriteRows, type OverwriteOptions, type OverwriteResult } from './dml/overwrite.ts';
import type { RewriteResult } from './dml/rewrite.ts';
import type { RowCondition } from './dml/touched.ts';
import { updateRows, type UpdateOptions } from './dml/update.ts';
import { readHistory, summaryOf } from './history.ts';
import type { AddFile } from './log/actions.ts';
import { readEntries } from './log/entry.ts';
import { listLog, unreachable } from './log/listing.ts';
import { loadState, newerState } from './log/load.ts';
import type { LogState } from './log/replay.ts';
import { versionAt } from './log/time.ts';
import { AutoCompaction, type AutoCompactParts } from './maintain/auto-compact.ts';
import { checkTable, type CheckOptions, type CheckResult } from './maintain/check.ts';
import { cloneTable, type CloneOptions, type CloneResult } from './maintain/clone.ts';
import { convertFolder, type ConvertOptions, type ConvertResult } from './maintain/convert.ts';
import { optimizeTable, type OptimizeOptions, type OptimizeResult } from './maintain/optimize.ts';
import { vacuumTable, type VacuumOptions, type VacuumResult } from './maintain/vacuum.ts';
import { restoreTable, type RestoreResult } from './maintain/restore.ts';
import type { OperatedOnRows, StagedFile } from './operation.ts';
import { Snapshot } from './snapshot.ts';
import { stageRows } from './stage.ts';
import type { ObjectStore } from './store/object-store.ts';
import { openStore } from './store/open.ts';
import type { Storage } from './store/storage.ts';
import { discardFiles, type Shape } from './write.ts';

export interface TableParts extends AutoCompactParts {
  /** Opens what lies elsewhere than on disk; without it the environment says how. */
  readonly storage?: Storage;
  /** A checkpoint is due every so many commits (default 10), unless the table's own properties say otherwise. */
  readonly checkpointInterval?: number;
}

/** `TableParts`; time and chance are the system's unless told. */
export type TableSettings = Pick<TableParts, 'engine'> & Partial<TableParts>;

/** A state that nobody asked for this long is compared with a listing: its next entries may have been cleaned up. */
const IDLE_MS = 60_000;

export class DeltaTable {
  /** The folder, as a full path, or the URI. */
  readonly location: string;
  readonly #store: ObjectStore;
  readonly #parts: TableParts;
  readonly #compaction: AutoCompaction;
  #state: LogState | undefined;
  #checkedMs = 0;
  #loading: Promise<LogState | undefined> | undefined;
  #snapshot: { readonly of: LogState; readonly snapshot: Snapshot } | undefined;

  private constructor(store: ObjectStore, parts: TableParts) {
    this.location = store.location;
    this.#store = store;
    this.#parts = parts;
    this.#compaction = new AutoCompaction(this, parts);
  }

  /**
   * The table at a path, a `file://` URI, `s3://bucket/path`, or in a store of your own. Nothing is opened yet, and it need not exist.
   * @throws SluiceError `CONFIG_INVALID` for a location that there is no store for.
   * @example DeltaTable.at('lake/silver/orders', { engine })
   */
  static at(location: string | ObjectStore, settings: TableSettings): DeltaTable {
    const parts = { clock: systemClock, random: systemRandom, ...settings };
    return new DeltaTable(typeof location === 'string' ? openStore(location, parts.storage) : location, parts);
  }

  /** Whether there is a table. @throws SluiceError `LOG_GAP`, `LOG_CORRUPT`, `UNSUPPORTED_FEATURE` for one that is no good. */
  async exists(): Promise<boolean> {
    return (await this.#latest()) !== undefined;
  }

  /**
   * The newest version, a version by its number, or the one that was the newest at a moment.
   * @throws SluiceError `TABLE_NOT_FOUND`, `VERSION_NOT_FOUND` (telling which there are), `LOG_GAP`, `LOG_CORRUPT`,
   *   `UNSUPPORTED_FEATURE`
   * @example (await table.snapshot(3n)).rows
   */
  async snapshot(at?: bigint | Date): Promise<Snapshot> {
    const latest = await this.#latest();
    if (latest === undefined) throw this.#notFound();
    const version =
      at instanceof Date
        ? await versionAt(this.#store, await listLog(this.#store), latest, at)
        : (at ?? latest.version);
    if (version !== latest.version) {
      const state = await loadState({ store: this.#store, engine: this.#parts.engine }, version);
      if (state === undefined) throw this.#notFound();
      return new Snapshot(this.#store, state);
    }
    if (this.#snapshot?.of !== latest) {
      this.#snapshot = { of: latest, snapshot: new Snapshot(this.#store, latest) };
    }
    return this.#snapshot.snapshot;
  }

  /**
   * Writes the rows of a query as data files: not in the table until they are committed, and durable before they are.
   * @throws SluiceError `VALUE_OUT_OF_RANGE`, `CONSTRAINT_VIOLATED`, `SCHEMA_INCOMPATIBLE`, `UNSUPPORTED_FEATURE` for a constraint that
   *   sluice does not understand, `STORAGE_*`, what the query throws
   * @example const add = await table.stage(session, 'SELECT 1::BIGINT AS id', { schema, partitionColumns: [] });
   */
  async stage(session: Session, query: string, shape: Shape): Promise<AddFile[]> {
    const { clock, random } = this.#parts;
    return stageRows({ store: this.#store, clock, random }, await this.#latest(), session, query, shape);
  }

  /**
   * Makes a change the next version of the table, and the table itself when there is none.
   *
   * A conflict is a value: another writer was first, and the change does not stand after what it did. Its files are in no
   * version then and can be discarded; after an error they may be, so leave them.
   * @throws SluiceError `SCHEMA_INCOMPATIBLE`, `UNSUPPORTED_FEATURE`, `TABLE_APPEND_ONLY`, `TABLE_NOT_FOUND` (no schema to
   *   create it with), `COMMIT_CONTENTION`, `STORAGE_*`
   * @example await table.commit({ operation: 'WRITE', mode: 'append', add, schema })
   */
  async commit(change: Change): Promise<CommitResult> {
    const outcome = await commitChange({ store: this.#store, ...this.#parts }, change, await this.#latest());
    if (outcome.state !== undefined) this.#adopt(outcome.state);
    if (outcome.kind === 'conflict') return { kind: 'conflict', reason: outcome.reason };
    const { kind, version, state } = outcome;
    const { kept, error: checkpointError } = await checkpointIfDue({ ...this.#parts, store: this.#store }, state);
    if (this.#state === state) this.#state = kept;
    if (change.dataChange !== false) this.#compaction.committed(state.metadata.configuration, change.add);
    return { kind, version, ...(checkpointError === undefined ? {} : { checkpointError }) };
  }

  /**
   * Waits for the compaction that is under way in the background (`delta.autoOptimize.autoCompact`), if there is one. To be called
   * before the engine is closed.
   * @param options.stop ends it instead, and begins none any more
   */
  async settle({ stop = false }: { readonly stop?: boolean } = {}): Promise<void> {
    await this.#compaction.settle(stop);
  }

  /** Deletes files from `stage` that never made it into the table. */
  async discard(files: readonly StagedFile[]): Promise<void> {
    await discardFiles(this.#store, files);
  }

  /**
   * What each version from `from` to `upTo` added and removed, in order.
   * @throws SluiceError `VERSION_NOT_FOUND` when the log no longer has them, `LOG_GAP`, `LOG_CORRUPT`
   */
  async changes(from: bigint, upTo: bigint): Promise<CommitSummary[]> {
    const versions: { version: bigint }[] = [];
    for (let version = from; version <= upTo; version++) versions.push({ version });
    const summaries: CommitSummary[] = [];
    for await (const entries of readEntries(this.#store, versions)) {
      for (const entry of entries) {
        if (entry === undefined) {
          const missing = from + BigInt(summaries.length);
          throw unreachable(await listLog(this.#store), missing, this.location);
        }
        summaries.push(summaryOf(entry));
      }
    }
    return summaries;
  }

  /**
   * Which rows the versions from `from` to `upTo` (both included; default: the newest) inserted, updated and deleted, as a
   * parenthesised SELECT: the table's columns, `_change_type`, `_commit_version` and `_commit_timestamp`. A moment stands for the
   * first version from it on, or for the last one up to it.
   * @throws SluiceError `CHANGE_DATA_MISSING`, `VERSION_NOT_FOUND`, `LOG_*`
   * @example (await table.changeFeed(3n, 7n)).relation
   */
  async changeFeed(from: bigint | Date, upTo?: bigint | Date): Promise<ChangeFeed> {
    return changeFeedBetween({ table: this, store: this.#store }, from, upTo);
  }

  /** What was done to the table, newest first. @throws SluiceError `TABLE_NOT_FOUND`, `LOG_CORRUPT` */
  async history(limit?: number): Promise<HistoryEntry[]> {
    if (!(await this.exists())) throw this.#notFound();
    return readHistory(this.#store, limit);
  }

  /**
   * Makes an empty table.
   * @returns its version, undefined when there was one already (`ifNotExists`)
   * @throws SluiceError `TABLE_EXISTS`, `SCHEMA_INCOMPATIBLE`, `UNSUPPORTED_FEATURE` also for a default that sluice does not understand, `STORAGE_*`
   * @example await table.create({ schema: struct([field('id', primitive('long')), field('n', primitive('long'), { CURRENT_DEFAULT: '0' })]) })
   */
  async create(options: CreateOptions): Promise<bigint | undefined> {
    await checkDeclared(this.#parts, options.schema, options.partitionColumns ?? [], this.location);
    return createTable(this, options);
  }

  /**
   * Appends the rows of a query, in one commit; makes the table when there is none.
   * @param session one of its own: temporary tables are made in it
   * @throws SluiceError `SCHEMA_INCOMPATIBLE`, `VALUE_OUT_OF_RANGE`, `SQL_*`, `COMMIT_CONTENTION`, `STORAGE_*`
   * @example await table.append(session, { source: "FROM read_parquet('new/*.parquet')" })
   */
  async append(session: Session, options: AppendOptions): Promise<WriteResult> {
    return appendRows({ ...this.#operated(session), table: this }, options);
  }

  /**
   * Replaces all rows, those that a condition takes, or whole partitions, by the rows of a query, in one commit.
   * @throws SluiceError as `append`, `REPLACE_WHERE_MISMATCH`, `TABLE_APPEND_ONLY`
   * @example await table.overwrite(session, { source, replaceWhere: "day >= '2026-01-01'" })
   */
  async overwrite(session: Session, options: OverwriteOptions): Promise<OverwriteResult> {
    return overwriteRows({ ...this.#operated(session), table: this }, options);
  }

  /**
   * Deletes rows, in one commit.
   * @param session one of its own: temporary tables are made in it
   * @throws SluiceError `SQL_INVALID`, `TABLE_APPEND_ONLY`, `UNSUPPORTED_FEATURE`, `COMMIT_CONTENTION`, `STORAGE_*`
   * @example await table.delete(session, { where: "customer = 'c1'" })
   */
  async delete(session: Session, condition: RowCondition = {}): Promise<RewriteResult> {
    return deleteRows(this.#operated(session), condition);
  }

  /**
   * Changes rows, in one commit.
   * @throws SluiceError as `delete`, `UNKNOWN_COLUMN`, `VALUE_OUT_OF_RANGE`
   * @example await table.update(session, { set: { amount: 'amount * 2' }, where: 'id = 7' })
   */
  async update(session: Session, options: UpdateOptions): Promise<RewriteResult> {
    return updateRows(this.#operated(session), options);
  }

  /**
   * Updates, deletes and inserts rows as a source says, in one commit.
   * @throws SluiceError as `update`, `MERGE_AMBIGUOUS` when several rows of the source would change one row
   * @example await table.merge(session, { source: 'SELECT * FROM changes', on: 'target.id = source.id', whenMatched: [{ set: '*' }], whenNotMatched: [{ values: '*' }] })
   */
  async merge(session: Session, options: MergeOptions): Promise<MergeResult> {
    return mergeInto(this.#operated(session), options);
  }

  /**
   * Changes the columns, a constraint or the comment, in one commit, as `ALTER TABLE` does. No data file is written.
   * @param session for looking at the rows, where a new rule has to hold for them
   * @throws SluiceError `UNKNOWN_COLUMN`, `SCHEMA_INCOMPATIBLE`, `CONSTRAINT_VIOLATED` for rows that break a new rule, `UNSUPPORTED_FEATURE`
   *   for what needs column mapping or type widening first, `COMMIT_CONTENTION`, `STORAGE_*`
   * @example await table.alter(session, { addColumns: [{ column: field('note', primitive('string')), position: { after: 'id' } }] })
   */
  async alter(session: Session, alteration: Alteration): Promise<AlterResult> {
    return alterTable(this.#operated(session), alteration);
  }

  /**
   * Writes small files anew as larger ones. The rows stay the same, and nobody who follows the table reads them again.
   * @throws SluiceError `SQL_INVALID`, `COMMIT_CONTENTION`, `UNSUPPORTED_FEATURE`, `STORAGE_*`
   * @example await table.optimize(session, { where: "day >= '2026-01-01'" })
   */
  async optimize(session: Session, options: OptimizeOptions = {}): Promise<OptimizeResult> {
    return optimizeTable(this.#operated(session), options);
  }

  /**
   * Deletes files that no version within the retention time needs.
   * @throws SluiceError `RETENTION_TOO_SHORT`, `UNSUPPORTED_FEATURE`, `STORAGE_*`
   * @example (await table.vacuum({ dryRun: true })).deleted
   */
  async vacuum(options: VacuumOptions = {}): Promise<VacuumResult> {
    return vacuumTable({ table: this, store: this.#store, clock: this.#parts.clock }, options);
  }

  /**
   * Makes the table what it was at an earlier version or moment, as a new version.
   * @throws SluiceError `VERSION_NOT_FOUND`, `FILE_MISSING` for a version that was vacuumed, `COMMIT_CONTENTION`, `STORAGE_*`
   * @example await table.restore(3n)
   */
  async restore(at: bigint | Date): Promise<RestoreResult> {
    const { clock, random } = this.#parts;
    return restoreTable({ table: this, clock, random, store: this.#store }, at);
  }

  /**
   * Makes another table what this one is: with copies of its files, or with the files themselves.
   * @throws SluiceError `TABLE_EXISTS`, `VERSION_NOT_FOUND`, `UNSUPPORTED_FEATURE`, `INTERRUPTED`, `STORAGE_*`
   * @example await table.clone(DeltaTable.at('copy/of/orders', parts), { at: 3n })
   */
  async clone(target: DeltaTable, options: CloneOptions = {}): Promise<CloneResult> {
    const { clock, random } = this.#parts;
    return cloneTable({ source: this, from: this.#store, target, to: target.#store, clock, random }, options);
  }

  /**
   * Makes a table of the Parquet files that lie in its folder already; nothing is copied.
   * @throws SluiceError `TABLE_NOT_FOUND` when there is no Parquet file, `SCHEMA_INCOMPATIBLE`, `TYPE_UNSUPPORTED`, `STORAGE_*`
   * @example await table.convert(session, { partitionColumns: [field('day', primitive('date'))] })
   */
  async convert(session: Session, options: ConvertOptions = {}): Promise<ConvertResult> {
    return convertFolder({ table: this, store: this.#store, session }, options);
  }

  /**
   * Looks whether the newest version is what the log says, file by file: all of them are read.
   * @throws SluiceError `INTERRUPTED`; what is wrong with the table is no error but in the result
   * @example (await table.check(session)).problems
   */
  async check(session: Session, options: CheckOptions = {}): Promise<CheckResult> {
    return checkTable({ store: this.#store, session }, await this.snapshot(), options);
  }

  #operated(session: Session): OperatedOnRows {
    const { clock, random } = this.#parts;
    return { table: this, store: this.#store, session, clock, random };
  }

  async #latest(): Promise<LogState | undefined> {
    const nowMs = this.#parts.clock.nowMs();
    const source = { store: this.#store, engine: this.#parts.engine };
    let known = this.#state;
    if (known === undefined) {
      this.#loading ??= loadState(source).finally(() => {
        this.#loading = undefined;
      });
      known = await this.#loading;
    }
    const state = known && (await newerState(source, known, nowMs - this.#checkedMs > IDLE_MS));
    this.#checkedMs = nowMs;
    this.#adopt(state);
    return state;
  }

  /** States only ever move forward, whatever order reads and commits end in. */
  #adopt(state: LogState | undefined): void {
    if (state === undefined) this.#state = undefined;
    else if (this.#state === undefined || state.version > this.#state.version) this.#state = state;
  }

  #notFound(): SluiceError {
    return new SluiceError('TABLE_NOT_FOUND', `there is no Delta table at ${this.location}`, {
      advice: 'Look at the path; `sluice tables` lists the tables of the project.',
      facts: { table: this.location },
    });
  }
}
