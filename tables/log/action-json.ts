/**
 * Actions from JSON and to JSON, as entries and checkpoints have them.
 *
 * Promise: numbers keep every digit; actions that readers may pass over are passed over. Source: Delta protocol, "Actions".
 */
import { isJsonObject, parseJson, stringifyJson, type Json, type JsonObject } from '../../core/json.ts';
import { typeFromJson, typeToJson } from '../../core/schema.ts';
import type { Action, AddFile, CdcFile, Metadata, PartitionValues, Protocol, RemoveFile } from './actions.ts';
import { deletionVectorFromJson, deletionVectorToJson } from './deletion-vector.ts';
import { withoutVoid } from './void-columns.ts';

/** An action from JSON, of an entry or of a checkpoint's row; undefined for those that a reader may ignore. */
export function actionFromJson(json: JsonObject): Action | undefined {
  const { add, remove, metaData, protocol, txn, commitInfo, cdc, domainMetadata } = json;
  if (isJsonObject(add)) return { kind: 'add', add: addFromJson(add) };
  if (isJsonObject(remove)) return { kind: 'remove', remove: removeFromJson(remove) };
  if (isJsonObject(metaData)) return { kind: 'metaData', metaData: metadataFromJson(metaData) };
  if (isJsonObject(protocol)) return { kind: 'protocol', protocol: protocolFromJson(protocol) };
  if (isJsonObject(txn)) {
    const lastUpdated = txn['lastUpdated'];
    return {
      kind: 'txn',
      txn: {
        appId: text(txn, 'appId'),
        version: BigInt(number(txn, 'version')),
        ...(lastUpdated === undefined || lastUpdated === null ? {} : { lastUpdatedMs: Number(lastUpdated) }),
      },
    };
  }
  if (isJsonObject(cdc)) return { kind: 'cdc', cdc: cdcFromJson(cdc) };
  if (isJsonObject(domainMetadata)) {
    const { configuration, removed } = domainMetadata;
    const domain = text(domainMetadata, 'domain');
    const held = typeof configuration === 'string' ? configuration : '';
    return { kind: 'domainMetadata', domainMetadata: { domain, configuration: held, removed: removed === true } };
  }
  return isJsonObject(commitInfo) ? { kind: 'commitInfo', commitInfo } : undefined;
}

function addFromJson(json: JsonObject): AddFile {
  const deletionVector = deletionVectorFromJson(json['deletionVector']);
  const { stats: asText, stats_parsed: asStruct, tags } = json;
  const stats = typeof asText !== 'string' && isJsonObject(asStruct) ? stringifyJson(asStruct) : asText;
  const records = typeof stats === 'string' ? /"numRecords"\s*:\s*(\d+)/.exec(stats)?.[1] : undefined;
  const add: { -readonly [key in keyof AddFile]: AddFile[key] } = {
    path: text(json, 'path'),
    partitionValues: strings(json['partitionValues']),
    bytes: BigInt(number(json, 'size')),
    modificationMs: Number(json['modificationTime'] ?? 0),
    dataChange: json['dataChange'] !== false,
  };
  // Tables have hundreds of thousands of them: an object for each part that may be missing is seen in the time.
  if (typeof stats === 'string') add.stats = stats;
  if (records !== undefined) add.rows = BigInt(records) - (deletionVector?.cardinality ?? 0n);
  if (isJsonObject(tags)) add.tags = strings(tags);
  if (deletionVector !== undefined) add.deletionVector = deletionVector;
  const { baseRowId, defaultRowCommitVersion, clusteringProvider } = json;
  if (isNumber(baseRowId)) add.baseRowId = BigInt(baseRowId);
  if (isNumber(defaultRowCommitVersion)) add.defaultRowCommitVersion = BigInt(defaultRowCommitVersion);
  if (typeof clusteringProvider === 'string') add.clusteringProvider = clusteringProvider;
  return add;
}

function removeFromJson(json: JsonObject): RemoveFile {
  const { partitionValues, size, baseRowId, defaultRowCommitVersion } = json;
  const deletionVector = deletionVectorFromJson(json['deletionVector']);
  return {
    path: text(json, 'path'),
    deletionMs: Number(json['deletionTimestamp'] ?? 0),
    dataChange: json['dataChange'] !== false,
    ...(isJsonObject(partitionValues) ? { partitionValues: strings(partitionValues) } : {}),
    ...(size === undefined || size === null ? {} : { bytes: BigInt(number(json, 'size')) }),
    ...(deletionVector === undefined ? {} : { deletionVector }),
    ...(isNumber(baseRowId) ? { baseRowId: BigInt(baseRowId) } : {}),
    ...(isNumber(defaultRowCommitVersion) ? { defaultRowCommitVersion: BigInt(defaultRowCommitVersion) } : {}),
  };
}

function cdcFromJson(json: JsonObject): CdcFile {
  return {
    path: text(json, 'path'),
    partitionValues: strings(json['partitionValues']),
    bytes: BigInt(number(json, 'size')),
  };
}

function metadataFromJson(json: JsonObject): Metadata {
  const written = parseJson(text(json, 'schemaString'));
  const readable = withoutVoid(written);
  const schema = typeFromJson(readable);
  if (schema.kind !== 'struct') throw new SyntaxError('the schema is not a struct');
  const { name, description, createdTime, partitionColumns } = json;
  const configuration = Object.entries(strings(json['configuration'])).map(
    ([key, value]) => [key, value ?? ''] as const,
  );
  return {
    id: text(json, 'id'),
    schema,
    partitionColumns: Array.isArray(partitionColumns) ? (partitionColumns as readonly Json[]).map(String) : [],
    configuration: Object.fromEntries(configuration),
    ...(readable === written ? {} : { hasVoid: true as const }),
    ...(typeof name === 'string' ? { name } : {}),
    ...(typeof description === 'string' ? { description } : {}),
    ...(typeof createdTime === 'number' ? { createdMs: createdTime } : {}),
  };
}

function protocolFromJson(json: JsonObject): Protocol {
  const features = (key: string): readonly string[] | undefined =>
    Array.isArray(json[key]) ? (json[key] as readonly Json[]).map(String) : undefined;
  const readerFeatures = features('readerFeatures');
  const writerFeatures = features('writerFeatures');
  return {
    minReaderVersion: Number(number(json, 'minReaderVersion')),
    minWriterVersion: Number(number(json, 'minWriterVersion')),
    ...(readerFeatures === undefined ? {} : { readerFeatures }),
    ...(writerFeatures === undefined ? {} : { writerFeatures }),
  };
}

/** The JSON of an action, for entries and checkpoints alike. */
export function actionToJson(action: Action): JsonObject {
  switch (action.kind) {
    case 'add': {
      const { path, partitionValues, bytes, modificationMs, dataChange, stats, tags } = action.add;
      const { baseRowId, defaultRowCommitVersion, clusteringProvider } = action.add;
      const deletionVector = deletionVectorToJson(action.add.deletionVector);
      const facts = { partitionValues, size: bytes, modificationTime: modificationMs, dataChange, stats, tags };
      const tracked = { baseRowId, defaultRowCommitVersion, clusteringProvider };
      return { add: { path, ...facts, deletionVector, ...tracked } };
    }
    case 'remove': {
      const { path, deletionMs, dataChange, partitionValues, bytes, baseRowId, defaultRowCommitVersion } =
        action.remove;
      const extended = partitionValues !== undefined && bytes !== undefined;
      return {
        remove: {
          path,
          deletionTimestamp: deletionMs,
          dataChange,
          extendedFileMetadata: extended,
          partitionValues,
          size: bytes,
          deletionVector: deletionVectorToJson(action.remove.deletionVector),
          baseRowId,
          defaultRowCommitVersion,
        },
      };
    }
    case 'metaData': {
      const { id, name, description, schema, partitionColumns, configuration, createdMs } = action.metaData;
      return {
        metaData: {
          id,
          name,
          description,
          format: { provider: 'parquet', options: {} },
          schemaString: stringifyJson(typeToJson(schema)),
          partitionColumns,
          configuration,
          createdTime: createdMs,
        },
      };
    }
    case 'protocol':
      return { protocol: { ...action.protocol } };
    case 'txn': {
      const { appId, version, lastUpdatedMs } = action.txn;
      return { txn: { appId, version, lastUpdated: lastUpdatedMs } };
    }
    case 'cdc': {
      const { path, partitionValues, bytes } = action.cdc;
      return { cdc: { path, partitionValues, size: bytes, dataChange: false } };
    }
    case 'domainMetadata':
      return { domainMetadata: { ...action.domainMetadata } };
    case 'commitInfo':
      return { commitInfo: action.commitInfo };
  }
}

function text(json: JsonObject, key: string): string {
  const value = json[key];
  if (typeof value !== 'string') throw new SyntaxError(`${key} is missing`);
  return value;
}

function number(json: JsonObject, key: string): number | bigint {
  const value = json[key];
  if (isNumber(value)) return value;
  throw new SyntaxError(`${key} is missing or no integer`);
}

function isNumber(value: Json | undefined): value is number | bigint {
  return typeof value === 'bigint' || Number.isInteger(value);
}

function strings(json: Json | undefined): PartitionValues {
  if (!isJsonObject(json)) return {};
  if (areTexts(json)) return json;
  return Object.fromEntries(
    Object.entries(json).map(([key, value]) => [
      key,
      value === null || value === undefined || typeof value === 'object' ? null : String(value),
    ]),
  );
}

function areTexts(json: JsonObject): json is PartitionValues {
  for (const key in json) if (typeof json[key] !== 'string' && json[key] !== null) return false;
  return true;
}
