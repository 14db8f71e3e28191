/**
 * The actions of a Delta log entry, read from and written to JSON lines.
 *
 * Promise: numbers keep every digit; an entry that is not whole is refused with its file and line; actions that readers may
 * ignore (`domainMetadata` …) are kept out of the way.
 * Source: Delta protocol, "Actions".
 */
import { messageOf, SluiceError } from '../../core/errors.ts';
import { isJsonObject, parseJson, stringifyJson, type Json, type JsonObject } from '../../core/json.ts';
import { typeFromJson, typeToJson, type StructType } from '../../core/schema.ts';
import { withoutVoid } from './void-columns.ts';
import { deletionVectorFromJson, deletionVectorToJson, type DeletionVector } from './deletion-vector.ts';

export type PartitionValues = Readonly<Record<string, string | null>>;

export interface AddFile {
  /** As in the log: URI-encoded, relative to the table. */
  readonly path: string;
  readonly partitionValues: PartitionValues;
  readonly bytes: bigint;
  readonly modificationMs: number;
  readonly dataChange: boolean;
  /** The JSON text of the statistics, as in the log. */
  readonly stats?: string;
  /** `numRecords` of the statistics, less those that are deleted. */
  readonly rows?: bigint;
  readonly tags?: PartitionValues;
  /** Rows of the file that are no longer in the table. */
  readonly deletionVector?: DeletionVector;
  /** Of a file that was staged: what the table asked of its rows and columns then (`writtenFor`). Not in the log. */
  readonly writtenFor?: string;
  /** Of a file that was staged: the last numbers that its rows, and those of the files beside it, got in identity columns. Not in the log. */
  readonly identities?: ReadonlyMap<string, bigint>;
}

export interface RemoveFile {
  readonly path: string;
  readonly deletionMs: number;
  readonly dataChange: boolean;
  readonly partitionValues?: PartitionValues;
  readonly bytes?: bigint;
  readonly deletionVector?: DeletionVector;
}

export interface CdcFile {
  readonly path: string;
  readonly partitionValues: PartitionValues;
  readonly bytes: bigint;
}

export interface Metadata {
  readonly id: string;
  readonly name?: string;
  readonly description?: string;
  readonly schema: StructType;
  readonly partitionColumns: readonly string[];
  readonly configuration: Readonly<Record<string, string>>;
  readonly createdMs?: number;
  /** Whether columns of no type were left out of the schema: whoever wrote it would lose them. */
  readonly hasVoid?: true;
}

export interface Protocol {
  readonly minReaderVersion: number;
  readonly minWriterVersion: number;
  readonly readerFeatures?: readonly string[];
  readonly writerFeatures?: readonly string[];
}

export interface Txn {
  readonly appId: string;
  readonly version: bigint;
  readonly lastUpdatedMs?: number;
}

export type Action =
  | { readonly kind: 'add'; readonly add: AddFile }
  | { readonly kind: 'remove'; readonly remove: RemoveFile }
  | { readonly kind: 'metaData'; readonly metaData: Metadata }
  | { readonly kind: 'protocol'; readonly protocol: Protocol }
  | { readonly kind: 'txn'; readonly txn: Txn }
  /** A file that tells which rows a version changed. It is no part of the table. */
  | { readonly kind: 'cdc'; readonly cdc: CdcFile }
  | { readonly kind: 'commitInfo'; readonly commitInfo: JsonObject };

/**
 * Reads one log entry.
 * @param where the table's location and the entry's path, for messages
 * @throws SluiceError `LOG_CORRUPT` naming file and line.
 */
export function parseEntry(text: string, where: { table: string; file: string }): Action[] {
  const lines = text.split('\n');
  const actions: Action[] = [];
  for (const [i, line] of lines.entries()) {
    if (line.trim() === '') continue;
    try {
      const json = parseJson(line);
      if (!isJsonObject(json)) throw new SyntaxError('not a JSON object');
      const action = actionFromJson(json);
      if (action !== undefined) actions.push(action);
    } catch (error) {
      if (error instanceof SluiceError && error.code !== 'LOG_CORRUPT') throw inTable(error, where);
      throw corrupt(where, i + 1, error);
    }
  }
  if (actions.length === 0) throw corrupt(where, 1, new SyntaxError('the entry is empty'));
  return actions;
}

/** One log entry as text, one action a line. */
export function formatEntry(actions: readonly Action[]): string {
  return actions.map((action) => `${stringifyJson(actionToJson(action))}\n`).join('');
}

/** What was refused, with the place where it stands. */
export function inTable(error: SluiceError, { table, file }: { table: string; file: string }): SluiceError {
  const { code, message, advice, facts } = error;
  return new SluiceError(code, `${table}/${file}: ${message}`, {
    ...(advice === undefined ? {} : { advice }),
    facts: { ...facts, table, file },
    cause: error,
  });
}

function corrupt(where: { table: string; file: string }, line: number, cause: unknown): SluiceError {
  return new SluiceError(
    'LOG_CORRUPT',
    `${where.table}/${where.file}:${String(line)} is damaged: ${messageOf(cause)}`,
    {
      advice:
        'The log entry was cut off or altered after it was written. Restore that file from a backup; the data files are untouched.',
      facts: { table: where.table, file: where.file, line },
      cause,
    },
  );
}

/** An action from JSON, of an entry or of a checkpoint's row; undefined for those that a reader may ignore. */
export function actionFromJson(json: JsonObject): Action | undefined {
  const { add, remove, metaData, protocol, txn, commitInfo, cdc } = json;
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
  return add;
}

function removeFromJson(json: JsonObject): RemoveFile {
  const { partitionValues, size } = json;
  const deletionVector = deletionVectorFromJson(json['deletionVector']);
  return {
    path: text(json, 'path'),
    deletionMs: Number(json['deletionTimestamp'] ?? 0),
    dataChange: json['dataChange'] !== false,
    ...(isJsonObject(partitionValues) ? { partitionValues: strings(partitionValues) } : {}),
    ...(size === undefined || size === null ? {} : { bytes: BigInt(number(json, 'size')) }),
    ...(deletionVector === undefined ? {} : { deletionVector }),
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
      const deletionVector = deletionVectorToJson(action.add.deletionVector);
      const facts = { partitionValues, size: bytes, modificationTime: modificationMs, dataChange, stats, tags };
      return { add: { path, ...facts, deletionVector } };
    }
    case 'remove': {
      const { path, deletionMs, dataChange, partitionValues, bytes } = action.remove;
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
  if (typeof value === 'bigint' || Number.isInteger(value)) return value as number | bigint;
  throw new SyntaxError(`${key} is missing or no integer`);
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
