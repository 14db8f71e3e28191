/**
 * The change data feed: which rows each version inserted, updated and deleted.
 *
 * Promise: what the writer recorded (`cdc`) where it did, else what follows from the files that came and went, deletion vectors
 * included; a version for which changes were not recorded is refused, since files that were written anew would pass for changes.
 * Source: Delta protocol, "Add CDC File"; Databricks, "table_changes".
 */
import { SluiceError } from '../core/errors.ts';
import { field, primitive, struct } from '../core/schema.ts';
import { CHANGE_TYPE as TYPE } from './dml/change-data.ts';
import { rowsWithout } from './deletion-vectors/deleted-rows.ts';
import type { AddFile, PartitionValues, RemoveFile } from './log/actions.ts';
import { readEntries } from './log/entry.ts';
import { listLog, unreachable } from './log/listing.ts';
import { isOn } from './log/properties.ts';
import type { LogEntry } from './log/replay.ts';
import { commitTimes, firstVersionFrom } from './log/time.ts';
import type { Steps } from './operation.ts';
import type { PartOfFile, Snapshot } from './snapshot.ts';
import type { ObjectStore } from './store/object-store.ts';

const VERSION = field('_commit_version', primitive('long'));
const TIMESTAMP = field('_commit_timestamp', primitive('timestamp'));
const ENABLED = 'delta.enableChangeDataFeed';

/** Which rows some versions changed. */
export interface ChangeFeed {
  /** A parenthesised SELECT. */
  readonly relation: string;
  /** The first of the versions; it comes after `end` when there are none. */
  readonly from: bigint;
  /** The snapshot of the last one. */
  readonly end: Snapshot;
}

/**
 * The changes of the versions from one to another; a moment stands for the first version from it on, or for the last one up to it.
 * @throws SluiceError as `changeFeedOf`
 */
export async function changeFeedBetween(
  { table, store }: { readonly table: Pick<Steps, 'snapshot' | 'location'>; readonly store: ObjectStore },
  from: bigint | Date,
  upTo: bigint | Date | undefined,
): Promise<ChangeFeed> {
  const end = await table.snapshot(upTo);
  if (from instanceof Date && upTo instanceof Date && from > upTo) {
    throw backwards(table.location, from.toISOString(), upTo.toISOString());
  }
  const first =
    from instanceof Date ? await firstVersionFrom(store, await listLog(store), await table.snapshot(), from) : from;
  const nothingBetween = from instanceof Date && upTo instanceof Date && end.version === first - 1n;
  if (nothingBetween) return { relation: await relationOf(end, [], []), from: first, end };
  if (end.version < first) throw backwards(table.location, String(first), String(end.version));
  return { relation: await changeFeedOf(store, await table.snapshot(first), end), from: first, end };
}

function backwards(table: string, from: string, upTo: string): SluiceError {
  return new SluiceError('VERSION_NOT_FOUND', `${table}: ${from} comes after ${upTo}`, {
    advice: 'Name the earlier one first.',
    facts: { table, from, upTo },
  });
}

/**
 * The changes as a parenthesised SELECT: the columns of `end`, `_change_type` (insert, delete, update_preimage,
 * update_postimage), `_commit_version` and `_commit_timestamp`.
 * @param start the snapshot of the first version
 * @param end the snapshot of the last one
 * @throws SluiceError `CHANGE_DATA_MISSING`, `DELETION_VECTOR_CORRUPT`, `VERSION_NOT_FOUND`, `LOG_*`
 */
async function changeFeedOf(store: ObjectStore, start: Snapshot, end: Snapshot): Promise<string> {
  const recorded: PartOfFile[] = [];
  const inferred: PartOfFile[] = [];
  let isEnabled = isOn(start.properties, ENABLED);
  for (const { version, timestampMs, actions } of await entriesOf(store, start, end)) {
    for (const action of actions) {
      if (action.kind === 'metaData') isEnabled = isOn(action.metaData.configuration, ENABLED);
    }
    if (!isEnabled) throw notRecorded(end, version);
    const when = { [VERSION.name]: String(version), [TIMESTAMP.name]: new Date(timestampMs).toISOString() };
    const cdc = actions.flatMap((action) => (action.kind === 'cdc' ? [action.cdc] : []));
    for (const file of cdc)
      recorded.push({
        ...file,
        modificationMs: 0,
        dataChange: false,
        partitionValues: { ...file.partitionValues, ...when },
      });
    if (cdc.length === 0) inferred.push(...(await inferredFrom(end, actions.flatMap(filesOf), when)));
  }
  return relationOf(end, recorded, inferred);
}

async function relationOf(
  end: Snapshot,
  recorded: readonly PartOfFile[],
  inferred: readonly PartOfFile[],
): Promise<string> {
  const { schema, partitionColumns } = end;
  const when = [VERSION.name, TIMESTAMP.name];
  const all = struct([...schema.fields, TYPE, VERSION, TIMESTAMP]);
  const parts = await Promise.all([
    end.relationOver({ schema: all, partitionColumns: [...partitionColumns, ...when] }, recorded),
    end.relationOver({ schema: all, partitionColumns: [...partitionColumns, TYPE.name, ...when] }, inferred),
  ]);
  return `(${parts.map((part) => `FROM ${part}`).join(' UNION ALL ')})`;
}

/** The log entries of all versions, with the times at which they were committed. */
async function entriesOf(store: ObjectStore, start: Snapshot, end: Snapshot): Promise<LogEntry[]> {
  const listing = await listLog(store);
  const times = await commitTimes(store, listing.commits, end);
  const timeOf = new Map(times.map(({ version, timestampMs }) => [version, timestampMs]));
  const wanted = listing.commits.filter(({ version }) => version >= start.version && version <= end.version);
  const entries: LogEntry[] = [];
  for await (const some of readEntries(store, wanted)) {
    for (const entry of some) {
      if (entry === undefined) continue;
      const expected = start.version + BigInt(entries.length);
      if (entry.version !== expected) throw unreachable(listing, expected, store.location);
      entries.push({ ...entry, timestampMs: timeOf.get(entry.version) ?? entry.timestampMs });
    }
  }
  const next = start.version + BigInt(entries.length);
  if (next !== end.version + 1n) throw unreachable(listing, next, store.location);
  return entries;
}

type FileChange = { readonly add: AddFile } | { readonly remove: RemoveFile };

function filesOf(action: LogEntry['actions'][number]): FileChange[] {
  if (action.kind === 'add' && action.add.dataChange) return [{ add: action.add }];
  return action.kind === 'remove' && action.remove.dataChange ? [{ remove: action.remove }] : [];
}

/** Files that came are inserts, files that went are deletes; of one that did both, only the rows that differ. */
async function inferredFrom(
  end: Snapshot,
  changes: readonly FileChange[],
  when: PartitionValues,
): Promise<PartOfFile[]> {
  const removes = new Map(
    changes.flatMap((change) => ('remove' in change ? [[change.remove.path, change.remove]] : [])),
  );
  const found: PartOfFile[] = [];
  const as = (file: AddFile, type: 'insert' | 'delete', only?: PartOfFile['only']): void => {
    const { deletionVector, ...whole } = file;
    const vector = deletionVector === undefined || only !== undefined ? {} : { deletionVector };
    const partitionValues = { ...file.partitionValues, ...when, [TYPE.name]: type };
    found.push({ ...whole, ...vector, partitionValues, ...(only === undefined ? {} : { only }) });
  };
  for (const change of changes) {
    if (!('add' in change)) continue;
    const before = removes.get(change.add.path);
    removes.delete(change.add.path);
    if (before === undefined) {
      as(change.add, 'insert');
      continue;
    }
    const [then, now] = await Promise.all([end.deletedRows(before), end.deletedRows(change.add)]);
    as(change.add, 'delete', rowsWithout(now, then));
    as(change.add, 'insert', rowsWithout(then, now));
  }
  for (const remove of removes.values()) as(asAdd(end, remove), 'delete');
  return found;
}

function asAdd(
  { location, partitionColumns }: Snapshot,
  { path, partitionValues, bytes = 0n, deletionVector }: RemoveFile,
): AddFile {
  if (partitionValues === undefined && partitionColumns.length > 0) {
    throw new SluiceError('CHANGE_DATA_MISSING', `${location}: the log does not say in which partition ${path} was`, {
      advice: 'Its writer left that out when it removed the file. Read the table at two versions and compare.',
      facts: { table: location, file: path },
    });
  }
  const vector = deletionVector === undefined ? {} : { deletionVector };
  return { path, partitionValues: partitionValues ?? {}, bytes, modificationMs: 0, dataChange: true, ...vector };
}

function notRecorded({ location }: Snapshot, version: bigint): SluiceError {
  return new SluiceError('CHANGE_DATA_MISSING', `${location}@${String(version)}: changes of rows were not recorded`, {
    advice: `Name versions from the one on that set ${ENABLED} to true.`,
    facts: { table: location, version },
  });
}
