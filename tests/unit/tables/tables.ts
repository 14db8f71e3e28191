/** What the tests of tables share: an engine, stores in memory, schemas in one line. */
import { ManualClock } from '../../../core/clock.ts';
import { seededRandom } from '../../../core/random.ts';
import { struct, type Field, type StructType } from '../../../core/schema.ts';
import { Engine } from '../../../engine/engine.ts';
import type { Session } from '../../../engine/session.ts';
import type { Row } from '../../../engine/values.ts';
import type { Change, CommitResult } from '../../../tables/change.ts';
import type { AddFile } from '../../../tables/log/actions.ts';
import { MemoryStore } from '../../../tables/store/memory.ts';
import type { ObjectStore, PutMode, PutResult } from '../../../tables/store/object-store.ts';
import { DeltaTable, type TableParts } from '../../../tables/table.ts';

export const START_MS = Date.parse('2026-03-01T12:00:00.000Z');

/** A store in which somebody else commits just before a log entry is written. */
export class BusyStore extends MemoryStore {
  readonly before: (() => Promise<unknown>)[] = [];

  override async put(path: string, bytes: Uint8Array, mode: PutMode): Promise<PutResult> {
    if (path.endsWith('.json')) await this.before.shift()?.();
    return super.put(path, bytes, mode);
  }
}

export class Lab {
  readonly engine: Engine;
  readonly session: Session;
  readonly clock = new ManualClock(START_MS);
  readonly #stores: MemoryStore[] = [];
  #seed = 1;

  private constructor(engine: Engine, session: Session) {
    this.engine = engine;
    this.session = session;
  }

  static async open(): Promise<Lab> {
    const engine = await Engine.open({ memoryLimit: '400MB', threads: 2 });
    return new Lab(engine, await engine.session());
  }

  async close(): Promise<void> {
    this.session.close();
    this.engine.close();
    for (const store of this.#stores) await store.close();
  }

  store(): MemoryStore {
    const store = new MemoryStore('memory://t', this.clock);
    this.#stores.push(store);
    return store;
  }

  /** Another process would have such an object of its own. */
  table(store: ObjectStore = this.store(), parts: Partial<TableParts> = {}): DeltaTable {
    return DeltaTable.at(store, {
      engine: this.engine,
      clock: this.clock,
      random: seededRandom(this.#seed++),
      ...parts,
    });
  }

  async schemaOf(query: string): Promise<StructType> {
    const columns = await this.session.describe(query);
    return struct(
      columns.map(({ name, type, duckdbType }): Field => {
        if (type === undefined) throw new Error(`Delta has no ${duckdbType}`);
        return { name, type, nullable: true, metadata: {} };
      }),
    );
  }

  async stage(table: DeltaTable, query: string, partitionColumns: readonly string[] = []): Promise<AddFile[]> {
    return table.stage(this.session, query, { schema: await this.schemaOf(query), partitionColumns });
  }

  /** Stages and commits a query's rows. */
  async write(
    table: DeltaTable,
    query: string,
    change: Partial<Change> & { partitionColumns?: readonly string[] } = {},
  ): Promise<CommitResult> {
    const add = await this.stage(table, query, change.partitionColumns);
    return table.commit({ operation: 'WRITE', mode: 'append', schema: await this.schemaOf(query), ...change, add });
  }

  /** As `write`, for what must not conflict; gives the version. */
  async written(table: DeltaTable, query: string, change: Partial<Change> = {}): Promise<bigint> {
    const result = await this.write(table, query, change);
    if (result.kind === 'conflict') throw new Error(`conflict: ${result.reason.message}`);
    if (result.checkpointError !== undefined) throw result.checkpointError;
    return result.version;
  }

  /** The rows of a table as DuckDB shows them, in an order of their own. */
  async rows(table: DeltaTable, at?: bigint | Date): Promise<Row[]> {
    return this.session.rows(`SELECT * FROM ${await (await table.snapshot(at)).relation()} ORDER BY ALL`);
  }
}

export async function paths(store: ObjectStore, prefix = ''): Promise<string[]> {
  const found: string[] = [];
  for await (const { path } of store.list(prefix)) found.push(path);
  return found;
}

export async function readText(store: ObjectStore, path: string): Promise<string> {
  return new TextDecoder().decode(await store.get(path));
}

export async function writeText(store: ObjectStore, path: string, text: string): Promise<void> {
  await store.put(path, new TextEncoder().encode(text), 'replace');
}
