/** The actions of a Delta log: what each version says. Source: Delta protocol, "Actions". */
import type { JsonObject } from '../../core/json.ts';
import type { StructType } from '../../core/schema.ts';
import type { DeletionVector } from './deletion-vector.ts';

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
  /** The id of its first row, where rows are tracked; the others follow in their order. */
  readonly baseRowId?: bigint;
  /** The version that its rows are from, but for those that say otherwise themselves. */
  readonly defaultRowCommitVersion?: bigint;
  /** What has put its rows in order (clustered tables). */
  readonly clusteringProvider?: string;
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
  readonly baseRowId?: bigint;
  readonly defaultRowCommitVersion?: bigint;
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

/** What somebody keeps with the table under a name of their own; names with `delta.` are the protocol's. */
export interface DomainMetadata {
  readonly domain: string;
  readonly configuration: string;
  readonly removed: boolean;
}

export type Action =
  | { readonly kind: 'add'; readonly add: AddFile }
  | { readonly kind: 'remove'; readonly remove: RemoveFile }
  | { readonly kind: 'metaData'; readonly metaData: Metadata }
  | { readonly kind: 'protocol'; readonly protocol: Protocol }
  | { readonly kind: 'txn'; readonly txn: Txn }
  | { readonly kind: 'domainMetadata'; readonly domainMetadata: DomainMetadata }
  /** A file that tells which rows a version changed. It is no part of the table. */
  | { readonly kind: 'cdc'; readonly cdc: CdcFile }
  | { readonly kind: 'commitInfo'; readonly commitInfo: JsonObject };
