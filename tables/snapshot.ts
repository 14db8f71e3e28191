/** One version of a table: what it holds, pinned. Later commits do not change it. */
import { atOnce } from '../core/at-once.ts';
import type { Field, StructType } from '../core/schema.ts';
import { withColumnIds } from './assign-columns.ts';
import { clusteringColumns } from './clustering.ts';
import { mappingModeOf, physicalName, type MappingMode } from './column-mapping.ts';
import { readDeletedRows, type DeletedRows } from './deletion-vectors/deleted-rows.ts';
import type { AddFile, Metadata, Protocol, RemoveFile } from './log/actions.ts';
import { checkNotAppendOnly, checkWritable } from './log/protocol.ts';
import type { LogState } from './log/replay.ts';
import { prune, type Condition } from './prune.ts';
import { relationOf, type RelationFile, type RelationShape, type RowPlaces } from './relation.ts';
import type { ObjectStore } from './store/object-store.ts';
import { placeOf } from './store/place.ts';
import type { Shape } from './write.ts';

export interface RelationOptions {
  /** Only these files of the table (also ones of earlier versions) instead of the snapshot's. */
  readonly files?: readonly AddFile[];
  /** Conjuncts that the caller will filter by anyway: files that cannot match are not opened. */
  readonly where?: readonly Condition[];
}

/** A file, or only some rows of it. */
export interface PartOfFile extends AddFile {
  readonly only?: DeletedRows;
}

/** How many files are looked up at once. */
const FILES_AT_ONCE = 64;

export class Snapshot {
  readonly location: string;
  readonly version: bigint;
  /** When the version was committed, milliseconds since the epoch: the time that its entry gives itself, or that of its file. */
  readonly timestampMs: number;
  readonly tableId: string;
  readonly name: string | undefined;
  readonly comment: string | undefined;
  readonly schema: StructType;
  readonly partitionColumns: readonly string[];
  readonly properties: Readonly<Record<string, string>>;
  readonly #store: ObjectStore;
  readonly #state: LogState;
  readonly #mapping: MappingMode;
  #files: readonly AddFile[] | undefined;
  #txn: ReadonlyMap<string, bigint> | undefined;

  constructor(store: ObjectStore, state: LogState) {
    const { metadata } = state;
    this.#store = store;
    this.#state = state;
    this.#mapping = mappingModeOf(state.protocol, metadata, store.location);
    this.location = store.location;
    this.version = state.version;
    this.timestampMs = state.timestampMs;
    this.tableId = metadata.id;
    this.name = metadata.name;
    this.comment = metadata.description;
    this.schema = metadata.schema;
    this.partitionColumns = metadata.partitionColumns;
    this.properties = metadata.configuration;
  }

  get files(): readonly AddFile[] {
    this.#files ??= [...this.#state.files.values()];
    return this.#files;
  }

  /** Files that are no longer in the table and that readers of older versions may still need. */
  get removed(): readonly RemoveFile[] {
    return [...this.#state.removed.values()];
  }

  /** Application ids and their versions: the positions of flows. */
  get txn(): ReadonlyMap<string, bigint> {
    this.#txn ??= new Map([...this.#state.txn.values()].map(({ appId, version }) => [appId, version]));
    return this.#txn;
  }

  /** The number of rows; undefined when some file has no statistics. */
  get rows(): bigint | undefined {
    let sum = 0n;
    for (const { rows } of this.files) {
      if (rows === undefined) return undefined;
      sum += rows;
    }
    return sum;
  }

  /** The size of all files. */
  get bytes(): bigint {
    return this.files.reduce((sum, file) => sum + file.bytes, 0n);
  }

  /**
   * The snapshot as a parenthesised SELECT for DuckDB, with exactly the table's columns and types.
   * @throws SluiceError `FILE_MISSING`, `DELETION_VECTOR_CORRUPT` when it cannot be told which rows of a file are deleted
   * @example await session.rows(`SELECT count(*) FROM ${await snapshot.relation()}`)
   */
  async relation(options: RelationOptions = {}): Promise<string> {
    return relationOf(this.#shape, await this.#localFiles(options));
  }

  /**
   * As `relation`, with the place of each row beside its columns: its file's path, and if wanted its place in the file.
   * @returns also the table's file for each such path
   */
  async relationWithPlaces(
    whereRowsLie: RowPlaces,
    options: RelationOptions = {},
  ): Promise<{ readonly relation: string; readonly files: ReadonlyMap<string, AddFile> }> {
    const local = await this.#localFiles(options);
    const files = new Map(local.map(({ localPath, file }) => [localPath, file]));
    return { relation: relationOf({ ...this.#shape, whereRowsLie }, local), files };
  }

  /** All that the table says of itself. */
  get metadata(): Metadata {
    return this.#state.metadata;
  }

  /** What the table demands of those who read and write it. */
  get protocol(): Protocol {
    return this.#state.protocol;
  }

  /** The name of a column in data files, statistics and partition values. */
  physicalName(column: Field): string {
    return physicalName(column, this.#mapping);
  }

  /** The columns by which OPTIMIZE puts rows in order, as paths; empty for a table that is not clustered. */
  get clusteringColumns(): readonly (readonly string[])[] {
    return clusteringColumns(this.#state.domains, this.schema, this.#mapping);
  }

  /** Whether columns have other names in data files, so that they can be renamed and dropped. */
  get isMapped(): boolean {
    return this.#mapping !== 'none';
  }

  /** Columns of the table, and new ones, with the ids and the names in data files that they are to have. */
  mapped(schema: StructType): StructType {
    return this.#mapping === 'none' ? schema : withColumnIds(schema, this.metadata);
  }

  /** A file's value of a partition column, as text. */
  partitionValue({ partitionValues }: AddFile, column: Field): string | null {
    return partitionValues[this.physicalName(column)] ?? null;
  }

  /** @throws SluiceError `UNSUPPORTED_FEATURE`, `TABLE_APPEND_ONLY` for what may not be done to the table */
  checkChangeable(changes: 'rows' | 'files'): void {
    checkWritable(this.#state.protocol, this.metadata, this.location);
    if (changes === 'rows') checkNotAppendOnly(this.properties, this.location);
  }

  /** Whether a file, also one of a later version, can have rows that meet all the conditions. */
  canMatch(file: AddFile, conditions: readonly Condition[]): boolean {
    return prune([file], this.#shape, conditions).length > 0;
  }

  /** As `relation`, over files that have more columns, or other partition values, than the table's own. */
  async relationOver(shape: Shape, files: readonly PartOfFile[]): Promise<string> {
    const local = await atOnce(files, FILES_AT_ONCE, async ({ only, ...file }): Promise<RelationFile> => {
      return { ...(await this.#local(file)), ...(only === undefined ? {} : { only }) };
    });
    return relationOf({ ...shape, mapping: this.#mapping }, local);
  }

  /** Which rows of a file are deleted. */
  async deletedRows(file: AddFile | RemoveFile): Promise<DeletedRows | undefined> {
    return file.deletionVector && readDeletedRows(this.#store, file.deletionVector, file.path);
  }

  get #shape(): RelationShape {
    return { schema: this.schema, partitionColumns: this.partitionColumns, mapping: this.#mapping };
  }

  async #localFiles(options: RelationOptions): Promise<RelationFile[]> {
    const all = options.files ?? this.files;
    const files = options.where === undefined ? all : prune(all, this.#shape, options.where);
    return atOnce(files, FILES_AT_ONCE, (file) => this.#local(file));
  }

  async #local(file: AddFile): Promise<RelationFile> {
    const { store, path } = placeOf(this.#store, file.path);
    const localPath = await store.localFile(path);
    if (file.deletionVector === undefined) return { file, localPath };
    return { file, localPath, deleted: await readDeletedRows(this.#store, file.deletionVector, file.path) };
  }
}
