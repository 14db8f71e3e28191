/**
 * From a change to the actions of a log entry, against the newest state of the table.
 *
 * Promise: pure; an entry that would make the table wrong for anyone (schema, partitioning, protocol, append-only) is refused
 * before anything is written.
 */
import { SluiceError } from '../core/errors.ts';
import { isJsonObject, parseJson, stringifyJson } from '../core/json.ts';
import type { StructType } from '../core/schema.ts';
import { mappedMetadata } from './assign-columns.ts';
import type { Change } from './change.ts';
import { mappingModeOf, physicalName, type MappingMode } from './column-mapping.ts';
import { checkNames, evolved, replaced } from './evolve.ts';
import {
  actionToJson,
  type Action,
  type AddFile,
  type Metadata,
  type Protocol,
  type RemoveFile,
  type Txn,
} from './log/actions.ts';
import { commitInfo } from './log/commit-info.ts';
import { isolationLevelOf } from './log/conflicts.ts';
import { isActive, neededFeatures, withFeatures, type Described } from './log/features.ts';
import { withInCommitTime } from './log/in-commit.ts';
import {
  askedBy,
  checkNotAppendOnly,
  checkReadable,
  checkStaysWritable,
  checkUnset,
  checkWritable,
  joined,
  type Asked,
} from './log/protocol.ts';
import type { LogState } from './log/replay.ts';
import { txnRetentionMs } from './log/retention.ts';
import { checkPartitionColumns } from './partitions.ts';
import { mayWiden, withTypeChanges } from './widening.ts';

export interface PlanFacts {
  /** Where the table is, for messages. */
  readonly table: string;
  readonly nowMs: number;
  /** The unique id of the commit. */
  readonly txnId: string;
  /** The id of the table, should it be created. */
  readonly tableId: string;
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
  const asked = askedBy(change.properties ?? {}, table);
  checkUnset(change.unset ?? [], table);
  const before = state && { metadata: state.metadata, mode: mappingModeOf(state.protocol, state.metadata, table) };
  const wanted = nextMetadata(change, asked.configuration, state, facts);
  const isSame = wanted === state?.metadata;
  // A clone takes the place of all that was there.
  const mapped = isSame
    ? wanted
    : mappedMetadata(wanted, change.protocol === undefined ? before : undefined, comesWith(change), table);
  const { metadata, inCommitMs } = withInCommitTime(mapped, state, nowMs);
  const protocol = nextProtocol(change, asked, state, metadata);
  checkReadable(protocol, table);
  checkStaysWritable(protocol, metadata, table);
  if (metadata !== state?.metadata) checkReserved({ protocol, metadata }, table);
  checkFiles(change.add, metadata, { table, mapping: mappingModeOf(protocol, metadata, table) });
  const removed = removedBy(change, state);
  const dataChange = change.dataChange ?? true;
  const { configuration } = metadata;
  if (removed.length > 0 && dataChange) {
    for (const each of [state?.metadata.configuration ?? {}, configuration]) checkNotAppendOnly(each, table);
  }
  return [
    {
      kind: 'commitInfo',
      commitInfo: commitInfo(change, {
        ...facts,
        removed: removed.length,
        level: isolationLevelOf(configuration),
        inCommitMs,
      }),
    },
    ...(protocol === state?.protocol ? [] : [{ kind: 'protocol' as const, protocol }]),
    ...(metadata === state?.metadata ? [] : [{ kind: 'metaData' as const, metaData: metadata }]),
    ...txns(change, state, nowMs).map((txn) => ({ kind: 'txn' as const, txn })),
    ...removed.map((file) => ({ kind: 'remove' as const, remove: removeOf(file, nowMs, dataChange) })),
    ...change.add.map((add) => ({ kind: 'add' as const, add: { ...add, dataChange } })),
    ...(change.changes ?? []).map(({ path, partitionValues, bytes }) => ({
      kind: 'cdc' as const,
      cdc: { path, partitionValues, bytes },
    })),
  ];
}

/** Whether files come along that were written for the table, and not taken from another one; and whether its columns are told as a whole. */
function comesWith({ add, metadata }: Change): { readonly hasFiles: boolean; readonly asWritten: boolean } {
  return { hasFiles: metadata === undefined && add.length > 0, asWritten: metadata !== undefined };
}

/** A property that was set before its feature was there binds nobody, and stays so until somebody sets something again. */
function nextProtocol(change: Change, { features }: Asked, state: LogState | undefined, metadata: Metadata): Protocol {
  const news = metadata === state?.metadata ? [] : neededFeatures(metadata);
  const own = withFeatures(state?.protocol, [...features, ...news]);
  return change.protocol === undefined ? own : joined(own, change.protocol);
}

/** Names that a change data feed gives columns of its own. Source: Delta, `CDCReader`. */
const RESERVED = new Set(['_change_type', '_commit_version', '_commit_timestamp']);

function checkReserved(described: Described, table: string): void {
  if (!isActive('changeDataFeed', described)) return;
  const taken = described.metadata.schema.fields.find(({ name }) => RESERVED.has(name.toLowerCase()));
  if (taken === undefined) return;
  throw new SluiceError('SCHEMA_INCOMPATIBLE', `${table}: the change data feed needs the column name ${taken.name}`, {
    advice: 'Rename the column, or leave delta.enableChangeDataFeed off.',
    facts: { table, column: taken.name },
  });
}

function removedBy({ mode, remove = [] }: Change, state: LogState | undefined): readonly AddFile[] {
  if (mode === 'append' || state === undefined) return [];
  return mode === 'overwrite' ? [...state.files.values()] : remove;
}

function removeOf(
  { path, partitionValues, bytes, deletionVector }: AddFile,
  nowMs: number,
  dataChange: boolean,
): RemoveFile {
  const vector = deletionVector === undefined ? {} : { deletionVector };
  return { path, deletionMs: nowMs, dataChange, partitionValues, bytes, ...vector };
}

function nextMetadata(
  change: Change,
  properties: Metadata['configuration'],
  state: LogState | undefined,
  { table, nowMs, tableId }: PlanFacts,
): Metadata {
  const { schema, partitionColumns, unset = [], comment, mode } = change;
  const current = state?.metadata;
  if (current === undefined) {
    if (change.metadata !== undefined) return { ...change.metadata, id: tableId };
    if (schema === undefined) throw notThere(table);
    checkNames(schema, { table, anyName: isMappingSet(properties) });
    checkPartitionColumns(schema, partitionColumns ?? [], table);
    return {
      id: tableId,
      schema,
      partitionColumns: partitionColumns ?? [],
      configuration: properties,
      createdMs: nowMs,
      ...(comment === undefined ? {} : { description: comment }),
    };
  }
  if (change.metadata !== undefined)
    return sameMetadata(change.metadata, current) ? current : { ...change.metadata, id: current.id };
  const samePartitions = partitionColumns === undefined || sameTexts(partitionColumns, current.partitionColumns);
  if (!samePartitions && mode === 'append') throw otherPartitions(table, current.partitionColumns, partitionColumns);
  const widen = mayWiden(current.configuration);
  const names = { table, anyName: isMappingSet({ ...current.configuration, ...properties }), widen };
  const wanted =
    schema === undefined ? current.schema : (mode === 'append' ? evolved : replaced)(current.schema, schema, names);
  const next = {
    schema: widen ? withTypeChanges(wanted, current.schema) : wanted,
    partitionColumns: samePartitions ? current.partitionColumns : partitionColumns,
    description: comment ?? current.description,
  };
  checkPartitionColumns(next.schema, next.partitionColumns, table);
  const changes = Object.entries(properties).filter(([key, value]) => current.configuration[key] !== value);
  const same =
    next.schema === current.schema &&
    samePartitions &&
    next.description === current.description &&
    changes.length === 0 &&
    !unset.some((key) => Object.hasOwn(current.configuration, key));
  if (same) return current;
  const { schema: newSchema, partitionColumns: newPartitions, description } = next;
  return {
    ...current,
    schema: newSchema,
    partitionColumns: newPartitions,
    configuration: Object.fromEntries([
      ...Object.entries(current.configuration).filter(([key]) => !unset.includes(key)),
      ...changes,
    ]),
    ...(description === undefined ? {} : { description }),
  };
}

function isMappingSet(properties: Metadata['configuration']): boolean {
  return (properties['delta.columnMapping.mode']?.toLowerCase() ?? 'none') !== 'none';
}

function sameMetadata(a: Metadata, b: Metadata): boolean {
  const text = (metaData: Metadata): string => stringifyJson(actionToJson({ kind: 'metaData', metaData }));
  return text({ ...a, id: b.id }) === text(b);
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

function sameTexts(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((text, i) => text === b[i]);
}

function otherPartitions(table: string, is: readonly string[], wanted: readonly string[]): SluiceError {
  const shown = (columns: readonly string[]): string => (columns.length === 0 ? 'not' : `by ${columns.join(', ')}`);
  return new SluiceError(
    'SCHEMA_INCOMPATIBLE',
    `${table} is ${shown(is)} partitioned, and the rows ${shown(wanted)}`.replace('is by', 'is partitioned by'),
    {
      advice: 'Write PARTITIONED BY as the table has it, or delete the folder of the table to build it anew.',
      facts: { table, partitionColumns: is, wanted },
    },
  );
}

function notThere(table: string): SluiceError {
  return new SluiceError('TABLE_NOT_FOUND', `there is no Delta table at ${table}, and no schema to create one with`, {
    advice: 'Look at the path; `sluice tables` lists the tables of the project.',
    facts: { table },
  });
}
