/**
 * From a change to the actions of a log entry, against the newest state of the table.
 *
 * Promise: pure; an entry that would make the table wrong for anyone (schema, partitioning, protocol, append-only) is refused
 * before anything is written.
 */
import { SluiceError } from '../core/errors.ts';
import { isJsonObject, parseJson } from '../core/json.ts';
import type { StructType } from '../core/schema.ts';
import type { Change } from './change.ts';
import { mappingModeOf, physicalName, type MappingMode } from './column-mapping.ts';
import type { Action, AddFile, Metadata, RemoveFile, Txn } from './log/actions.ts';
import { commitInfo } from './log/commit-info.ts';
import { isolationLevelOf } from './log/conflicts.ts';
import { checkNotAppendOnly, checkWritable } from './log/protocol.ts';
import type { LogState } from './log/replay.ts';
import { txnRetentionMs } from './log/retention.ts';
import { nextTable, type TableFacts } from './next-table.ts';
import { keepsIds, tracked } from './row-tracking.ts';
import { otherPartitions, sameTexts } from './partitions.ts';

export interface PlanFacts extends TableFacts {
  /** The unique id of the commit. */
  readonly txnId: string;
}

/** Application ids with this prefix are positions of our flows: they must not expire while the table is in use. */
const OWN_APP_IDS = 'sluice:';

/**
 * @param state undefined when the table is to be created
 * @throws SluiceError `TABLE_NOT_FOUND`, `SCHEMA_INCOMPATIBLE`, `UNSUPPORTED_FEATURE`, `TABLE_APPEND_ONLY`
 */
export function planCommit(change: Change, state: LogState | undefined, facts: PlanFacts): Action[] {
  const { table, nowMs } = facts;
  if (state !== undefined) checkWritable(state.protocol, state.metadata, table);
  const { metadata, protocol, inCommitMs, clustering } = nextTable(change, state, facts);
  checkFiles(change.add, metadata, { table, mapping: mappingModeOf(protocol, metadata, table) });
  const removed = removedBy(change, state);
  const dataChange = change.dataChange ?? true;
  const { configuration } = metadata;
  if (removed.length > 0 && dataChange) {
    for (const each of [state?.metadata.configuration ?? {}, configuration]) checkNotAppendOnly(each, table);
  }
  const described = { protocol, metadata };
  const { add, backfilled, domain } = tracked(change.add, described, { state, gone: removed, table });
  return [
    {
      kind: 'commitInfo',
      commitInfo: commitInfo(change, {
        ...facts,
        removed: removed.length,
        level: isolationLevelOf(configuration),
        inCommitMs,
        keepsIds: keepsIds(change.add, removed, described),
      }),
    },
    ...(protocol === state?.protocol ? [] : [{ kind: 'protocol' as const, protocol }]),
    ...(metadata === state?.metadata ? [] : [{ kind: 'metaData' as const, metaData: metadata }]),
    ...txns(change, state, nowMs).map((txn) => ({ kind: 'txn' as const, txn })),
    ...removed.map((file) => ({ kind: 'remove' as const, remove: removeOf(file, nowMs, dataChange) })),
    ...add.map((file) => ({ kind: 'add' as const, add: addOf(file, dataChange) })),
    ...backfilled.map((file) => ({ kind: 'add' as const, add: file })),
    ...[domain, clustering].flatMap((said) =>
      said === undefined ? [] : [{ kind: 'domainMetadata' as const, domainMetadata: said }],
    ),
    ...(change.changes ?? []).map(({ path, partitionValues, bytes }) => ({
      kind: 'cdc' as const,
      cdc: { path, partitionValues, bytes },
    })),
  ];
}

/** Numbers that its rows got are the table's own from now on. */
function addOf(add: AddFile, dataChange: boolean): AddFile {
  const own: { -readonly [key in keyof AddFile]: AddFile[key] } = { ...add, dataChange };
  delete own.identities;
  return own;
}

function removedBy({ mode, remove = [] }: Change, state: LogState | undefined): readonly AddFile[] {
  if (mode === 'append' || state === undefined) return [];
  return mode === 'overwrite' ? [...state.files.values()] : remove;
}

function removeOf(
  { path, partitionValues, bytes, deletionVector, baseRowId, defaultRowCommitVersion }: AddFile,
  nowMs: number,
  dataChange: boolean,
): RemoveFile {
  const vector = deletionVector === undefined ? {} : { deletionVector };
  const ids = {
    ...(baseRowId === undefined ? {} : { baseRowId }),
    ...(defaultRowCommitVersion === undefined ? {} : { defaultRowCommitVersion }),
  };
  return { path, deletionMs: nowMs, dataChange, partitionValues, bytes, ...vector, ...ids };
}

/** What the change sets, and positions of our flows that would else expire (`delta.setTransactionRetentionDuration`). */
function txns({ txn }: Change, state: LogState | undefined, nowMs: number): Txn[] {
  const set = [...(txn ?? [])].map(([appId, version]) => ({ appId, version, lastUpdatedMs: nowMs }));
  const retentionMs = state && txnRetentionMs(state);
  if (state === undefined || retentionMs === undefined) return set;
  const ageing = [...state.txn.values()].filter(
    ({ appId, lastUpdatedMs }) =>
      appId.startsWith(OWN_APP_IDS) && txn?.has(appId) !== true && (lastUpdatedMs ?? 0) < nowMs - retentionMs / 2,
  );
  return [...set, ...ageing.map((entry) => ({ ...entry, lastUpdatedMs: nowMs }))];
}

/** Every file has a value for every partition column, and no NULL where the table allows none. */
function checkFiles(
  files: readonly AddFile[],
  { schema, partitionColumns }: Metadata,
  { table, mapping }: { readonly table: string; readonly mapping: MappingMode },
): void {
  const required = requiredColumns(schema);
  const nameInFile = new Map(schema.fields.map((field) => [field.name, physicalName(field, mapping)]));
  const partitions = partitionColumns.map((name) => nameInFile.get(name) ?? name).sort();
  for (const file of files) {
    const own = Object.keys(file.partitionValues);
    if (!sameTexts([...own].sort(), partitions)) throw otherPartitions(table, partitionColumns, own);
    const nullable = required.find((name) => {
      const inFile = nameInFile.get(name) ?? name;
      return partitionColumns.includes(name) ? file.partitionValues[inFile] === null : holdsNull(file, inFile);
    });
    if (nullable === undefined) continue;
    throw new SluiceError('SCHEMA_INCOMPATIBLE', `${table}: ${nullable} is NOT NULL in the table, not in the rows`, {
      advice: 'Stage the rows with the schema of the table: then NULL is refused where the table allows none.',
      facts: { table, column: nullable },
    });
  }
}

function requiredColumns(schema: StructType): string[] {
  const leaves = schema.fields.filter(({ type }) => type.kind === 'primitive' || type.kind === 'decimal');
  return leaves.filter((field) => !field.nullable).map((field) => field.name);
}

function holdsNull({ stats }: AddFile, column: string): boolean {
  const json = stats === undefined ? undefined : parseJson(stats);
  const nullCount = isJsonObject(json) ? json['nullCount'] : undefined;
  return isJsonObject(nullCount) && Number(nullCount[column] ?? 0) > 0;
}
