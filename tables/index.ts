/**
 * Delta Lake tables: the public door of this library.
 *
 * @example
 * const engine = await Engine.open();
 * const session = await engine.session();
 * const table = DeltaTable.at('lake/silver/orders', { engine });
 * const rows = await session.rows(`SELECT count(*) AS n FROM ${await (await table.snapshot()).relation()}`);
 */
export { SluiceError, type ErrorCode } from '../core/errors.ts';
export { parseSchema } from '../core/schema-text.ts';
export { field, primitive, struct, typeName, type DataType, type Field, type StructType } from '../core/schema.ts';
export { Engine, type EngineOptions } from '../engine/engine.ts';
export type { Session } from '../engine/session.ts';
export { DeltaTable, type TableParts, type TableSettings } from './table.ts';
export { Snapshot, type RelationOptions } from './snapshot.ts';
export type { Alteration, AlterResult, ColumnChange, NewColumn, Position } from './alter/alteration.ts';
export type { ColumnPath } from './alter/path.ts';
export type { ChangeFeed } from './change-feed.ts';
export type { AppendOptions, CreateOptions, WriteResult } from './dml/append.ts';
export type { MergeResult } from './dml/merge.ts';
export type { MergeOptions } from './dml/merge-match.ts';
export type { InsertClause, RowClause } from './dml/merge-sql.ts';
export type { OverwriteOptions, OverwriteResult } from './dml/overwrite.ts';
export type { RewriteResult } from './dml/rewrite.ts';
export type { Step } from './dml/steps.ts';
export type { RowCondition } from './dml/touched.ts';
export type { UpdateOptions } from './dml/update.ts';
export type { Compaction } from './maintain/auto-compact.ts';
export type { CheckOptions, CheckResult, TableProblem } from './maintain/check.ts';
export type { CloneOptions, CloneResult } from './maintain/clone.ts';
export type { ConvertOptions, ConvertResult } from './maintain/convert.ts';
export type { OptimizeOptions, OptimizeResult } from './maintain/optimize.ts';
export type { RestoreResult } from './maintain/restore.ts';
export type { VacuumOptions, VacuumResult } from './maintain/vacuum.ts';
export type { Change, CommitResult, CommitSummary, HistoryEntry } from './change.ts';
export type { AddFile, RemoveFile } from './log/actions.ts';
export type { Conflict } from './log/conflicts.ts';
export { findPredicates, toConditions } from './conditions.ts';
export type { Condition } from './prune.ts';
export { missingDataFile, type TableVersion } from './missing-file.ts';
export { openStore } from './store/open.ts';
export { Storage, type StorageSettings } from './store/storage.ts';
export { FileLease } from './store/lease.ts';
export { locationBelow, locationFrom, schemeOf } from './store/location.ts';
export type { ObjectStore } from './store/object-store.ts';
