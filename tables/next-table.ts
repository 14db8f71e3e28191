/**
 * What a table says of itself after a change: columns, partitioning, properties, and what it demands of who reads and writes it.
 *
 * Promise: pure; the same objects where nothing changes; what would make the table wrong for anyone, or out of reach for sluice, is refused.
 */
import { SluiceError } from '../core/errors.ts';
import { stringifyJson } from '../core/json.ts';
import { mappedMetadata } from './assign-columns.ts';
import type { Change } from './change.ts';
import { nextClustering } from './clustering.ts';
import { mappingModeOf } from './column-mapping.ts';
import { checkDefaults } from './defaults/columns.ts';
import { keepingMarks, withMarks } from './defaults/identity.ts';
import { checkNames, evolved, replaced } from './evolve.ts';
import { actionToJson } from './log/action-json.ts';
import type { DomainMetadata, Metadata, Protocol } from './log/actions.ts';
import { isActive, neededFeatures, withFeatures, type Described } from './log/features.ts';
import { withInCommitTime } from './log/in-commit.ts';
import { checkIndexing } from './log/indexed-columns.ts';
import { mappingSetting } from './log/properties.ts';
import { askedBy, checkReadable, checkStaysWritable, checkUnset, joined, type Asked } from './log/protocol.ts';
import type { LogState } from './log/replay.ts';
import { checkPartitionColumns, otherPartitions, sameTexts } from './partitions.ts';
import { withTrackingNames } from './row-tracking.ts';
import { mayWiden, withTypeChanges } from './widening.ts';

export interface TableFacts {
  /** Where the table is, for messages. */
  readonly table: string;
  readonly nowMs: number;
  /** The id of the table, should it be created. */
  readonly tableId: string;
}

export interface NextTable extends Described {
  /** The time that the commit gives itself, where the table keeps such times. */
  readonly inCommitMs?: number | undefined;
  /** What the table says of its clustering, where that is new. */
  readonly clustering?: DomainMetadata | undefined;
}

/**
 * @param state undefined when the table is to be created
 * @throws SluiceError `TABLE_NOT_FOUND`, `SCHEMA_INCOMPATIBLE`, `UNSUPPORTED_FEATURE`, `CONFIG_INVALID`
 */
export function nextTable(change: Change, state: LogState | undefined, facts: TableFacts): NextTable {
  const { table, nowMs } = facts;
  const asked = askedBy(change.properties ?? {}, table);
  checkUnset(change.unset ?? [], table);
  const described = nextMetadata(change, asked.configuration, state, facts);
  const wanted = withMarks(described, change.add, table);
  const mapped = wanted === state?.metadata ? wanted : withMapping(wanted, change, state, table);
  const protocol = nextProtocol(change, asked, state, mapped);
  const named = withTrackingNames(mapped, protocol, { state, id: facts.tableId, table });
  const { metadata, inCommitMs } = withInCommitTime(named, state, nowMs);
  const isNew = metadata !== state?.metadata || protocol !== state.protocol;
  // Rows that come are no reason to hold against a table what another writer has made of it.
  const clustering =
    isNew || change.clusterBy !== undefined
      ? nextClustering(change.clusterBy, { protocol, metadata }, state?.domains, table)
      : undefined;
  if (isNew) {
    checkReadable(protocol, table);
    checkStaysWritable(protocol, metadata, table);
    checkReserved({ protocol, metadata }, table);
    // What comes as a whole is of another table, or of an older version, together with its rows.
    const hasFiles = change.add.length > 0;
    if (change.metadata === undefined) checkDefaults(metadata.schema, state?.metadata.schema, { table, hasFiles });
    checkIndexing(metadata.schema, metadata.configuration, table);
  }
  return { metadata, protocol, inCommitMs, clustering };
}

/** A clone takes the place of all that was there. */
function withMapping(wanted: Metadata, change: Change, state: LogState | undefined, table: string): Metadata {
  const isClone = change.protocol !== undefined;
  const before =
    state === undefined || isClone
      ? undefined
      : { metadata: state.metadata, mode: mappingModeOf(state.protocol, state.metadata, table) };
  return mappedMetadata(wanted, before, comesWith(change), table);
}

/** Whether files come along that were written for the table, and not taken from another one; and whether its columns are told as a whole. */
function comesWith({ add, metadata }: Change): { readonly hasFiles: boolean; readonly asWritten: boolean } {
  return { hasFiles: metadata === undefined && add.length > 0, asWritten: metadata !== undefined };
}

/** A property that was set before its feature was there binds nobody, and stays so until somebody sets something again. */
function nextProtocol(change: Change, { features }: Asked, state: LogState | undefined, metadata: Metadata): Protocol {
  const news = metadata === state?.metadata ? [] : neededFeatures(metadata);
  const clustered = (change.clusterBy ?? []).length > 0 ? ['clustering'] : [];
  const own = withFeatures(state?.protocol, [...features, ...news, ...clustered]);
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

function nextMetadata(
  change: Change,
  properties: Metadata['configuration'],
  state: LogState | undefined,
  { table, nowMs, tableId }: TableFacts,
): Metadata {
  const { schema, partitionColumns, unset = [], comment, mode } = change;
  const current = state?.metadata;
  if (current === undefined) {
    if (change.metadata !== undefined) return { ...change.metadata, id: tableId };
    if (schema === undefined) throw notThere(table);
    checkNames(schema, { table, anyName: mappingSetting(properties) !== 'none' });
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
    return sameMetadata(change.metadata, current)
      ? current
      : keepingMarks({ ...change.metadata, id: current.id }, current.schema);
  const samePartitions = partitionColumns === undefined || sameTexts(partitionColumns, current.partitionColumns);
  if (!samePartitions && mode === 'append') throw otherPartitions(table, current.partitionColumns, partitionColumns);
  const widen = mayWiden(current.configuration);
  const names = { table, anyName: mappingSetting({ ...current.configuration, ...properties }) !== 'none', widen };
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

function sameMetadata(a: Metadata, b: Metadata): boolean {
  const text = (metaData: Metadata): string => stringifyJson(actionToJson({ kind: 'metaData', metaData }));
  return text({ ...a, id: b.id }) === text(b);
}

function notThere(table: string): SluiceError {
  return new SluiceError('TABLE_NOT_FOUND', `there is no Delta table at ${table}, and no schema to create one with`, {
    advice: 'Look at the path; `sluice tables` lists the tables of the project.',
    facts: { table },
  });
}
