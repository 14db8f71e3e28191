/**
 * A checkpoint of one file, V1 or V2 as the table asks: the state of a table as one Parquet file, and the hint to it.
 *
 * Promise: one row per action, expired tombstones and application ids left out, no commitInfo; a reader that needs no feature
 * can read it; the hint never goes back. A V2 checkpoint has no sidecars and the classic name, so that readers that do not know V2 find it and say what they lack.
 * Source: Delta protocol, "Checkpoints", "Checkpoint Schema", "V2 Spec".
 */
import { isJsonObject, stringifyJson, type JsonObject } from '../../core/json.ts';
import { CHUNK_ROWS } from '../../engine/vectors.ts';
import type { Engine } from '../../engine/engine.ts';
import { copyToParquet, type ParquetFile } from '../../engine/parquet.ts';
import { quoteString } from '../../engine/quoting.ts';
import type { ObjectStore } from '../store/object-store.ts';
import { actionToJson } from './action-json.ts';
import type { Action } from './actions.ts';
import { readHint } from './checkpoint-read.ts';
import { isActive } from './features.ts';
import { checkpointPath, LAST_CHECKPOINT } from './paths.ts';
import { hasJsonStats, statsColumns, type StatsColumns } from './parsed-stats.ts';
import type { LogState } from './replay.ts';

const TEXT_MAP = 'MAP(VARCHAR, VARCHAR)';
const DELETION_VECTOR = {
  storageType: 'VARCHAR',
  pathOrInlineDv: 'VARCHAR',
  offset: 'INTEGER',
  sizeInBytes: 'INTEGER',
  cardinality: 'BIGINT',
};
/** The columns, in the words of DuckDB's `from_json`. */
const COLUMNS = {
  txn: { appId: 'VARCHAR', version: 'BIGINT', lastUpdated: 'BIGINT' },
  add: {
    path: 'VARCHAR',
    partitionValues: TEXT_MAP,
    size: 'BIGINT',
    modificationTime: 'BIGINT',
    dataChange: 'BOOLEAN',
    stats: 'VARCHAR',
    tags: TEXT_MAP,
    deletionVector: DELETION_VECTOR,
    baseRowId: 'BIGINT',
    defaultRowCommitVersion: 'BIGINT',
    clusteringProvider: 'VARCHAR',
  },
  remove: {
    path: 'VARCHAR',
    deletionTimestamp: 'BIGINT',
    dataChange: 'BOOLEAN',
    extendedFileMetadata: 'BOOLEAN',
    partitionValues: TEXT_MAP,
    size: 'BIGINT',
    deletionVector: DELETION_VECTOR,
    baseRowId: 'BIGINT',
    defaultRowCommitVersion: 'BIGINT',
  },
  metaData: {
    id: 'VARCHAR',
    name: 'VARCHAR',
    description: 'VARCHAR',
    format: { provider: 'VARCHAR', options: TEXT_MAP },
    schemaString: 'VARCHAR',
    partitionColumns: ['VARCHAR'],
    configuration: TEXT_MAP,
    createdTime: 'BIGINT',
  },
  protocol: {
    minReaderVersion: 'INTEGER',
    minWriterVersion: 'INTEGER',
    readerFeatures: ['VARCHAR'],
    writerFeatures: ['VARCHAR'],
  },
  domainMetadata: { domain: 'VARCHAR', configuration: 'VARCHAR', removed: 'BOOLEAN' },
};
/** What a checkpoint of version 2 has beside them. */
const V2_COLUMNS = { ...COLUMNS, checkpointMetadata: { version: 'BIGINT', tags: TEXT_MAP } };

/** Writes the checkpoint of a state that `withoutExpired` has been through, then the hint to it. */
export async function writeCheckpoint(engine: Engine, store: ObjectStore, state: LogState): Promise<void> {
  const path = checkpointPath(state.version);
  const file = await store.putFile(path, (local) => writeParquet(engine, state, local, store.location));
  const hint = await readHint(store);
  if (hint !== undefined && hint > state.version && (await store.head(checkpointPath(hint))) !== undefined) return;
  const json = {
    version: state.version,
    size: file.rows,
    sizeInBytes: file.bytes,
    numOfAddFiles: state.files.size,
  };
  await store.put(LAST_CHECKPOINT, new TextEncoder().encode(stringifyJson(json)), 'replace');
}

async function writeParquet(engine: Engine, state: LogState, local: string, location: string): Promise<ParquetFile> {
  const session = await engine.session();
  const stats = statsColumns(state, location);
  try {
    await session.run('CREATE TEMP TABLE checkpoint_rows (action VARCHAR)');
    const appender = await session.appender('checkpoint_rows');
    try {
      let rows: string[] = [];
      for (const action of rowsOf(state, stats)) {
        rows.push(stringifyJson(action));
        if (rows.length < CHUNK_ROWS) continue;
        appender.append([rows], rows.length);
        rows = [];
      }
      appender.append([rows], rows.length);
      appender.flush();
    } finally {
      appender.close();
    }
    const columns = quoteString(stringifyJson(columnsOf(state, stats)));
    const query = `SELECT unnest(from_json(action, ${columns})) FROM checkpoint_rows`;
    return await copyToParquet(session, query, local, { compression: 'snappy' });
  } finally {
    session.close();
  }
}

/** Source: Delta protocol, "V2 Checkpoint Table Feature"; Delta, `CheckpointPolicy`. */
function isV2({ protocol, metadata }: LogState): boolean {
  return isActive('v2Checkpoint', { protocol, metadata });
}

/** The columns of the file, in the words of DuckDB's `from_json`. */
function columnsOf(state: LogState, stats: StatsColumns | undefined): JsonObject {
  const { stats: json, ...others } = COLUMNS.add;
  const add = { ...others, ...(hasJsonStats(state) ? { stats: json } : {}), ...stats?.columns };
  return { ...(isV2(state) ? V2_COLUMNS : COLUMNS), add };
}

function* rowsOf(state: LogState, stats: StatsColumns | undefined): Iterable<JsonObject> {
  if (isV2(state)) yield { checkpointMetadata: { version: state.version, tags: {} } };
  for (const action of actionsOf(state)) {
    const json = actionToJson(action);
    const { add } = json;
    if (action.kind !== 'add' || stats === undefined || !isJsonObject(add)) yield json;
    else yield { add: { ...add, ...stats.of(action.add) } };
  }
}

function* actionsOf(state: LogState): Iterable<Action> {
  yield { kind: 'protocol', protocol: state.protocol };
  yield { kind: 'metaData', metaData: state.metadata };
  for (const txn of state.txn.values()) yield { kind: 'txn', txn };
  for (const domainMetadata of state.domains.values()) yield { kind: 'domainMetadata', domainMetadata };
  for (const add of state.files.values()) yield { kind: 'add', add };
  for (const remove of state.removed.values()) yield { kind: 'remove', remove };
}
