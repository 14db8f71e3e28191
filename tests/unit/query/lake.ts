/** A small lake in a temp folder, for tests of queries and feature exports. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ManualClock } from '../../../core/clock.ts';
import { SluiceError } from '../../../core/errors.ts';
import { systemRandom } from '../../../core/random.ts';
import { field, struct, type StructType } from '../../../core/schema.ts';
import { Engine } from '../../../engine/engine.ts';
import type { Session } from '../../../engine/session.ts';
import type { Value } from '../../../engine/values.ts';
import { lakeCatalog, openQuery, type Catalog, type Query } from '../../../query/index.ts';
import { DeltaTable, type TableParts } from '../../../tables/index.ts';

export class TestLake {
  readonly folder: string;
  readonly engine: Engine;
  readonly session: Session;
  readonly clock: ManualClock;
  readonly parts: TableParts;
  readonly catalog: Catalog;

  private constructor(folder: string, engine: Engine, session: Session) {
    this.folder = folder;
    this.engine = engine;
    this.session = session;
    this.clock = new ManualClock(Date.UTC(2026, 0, 1));
    this.parts = { engine, clock: this.clock, random: systemRandom };
    this.catalog = lakeCatalog(folder, this.parts);
  }

  static async open(threads = 2): Promise<TestLake> {
    const engine = await Engine.open({ memoryLimit: '400MB', threads });
    return new TestLake(await mkdtemp(join(tmpdir(), 'sluice-lake-')), engine, await engine.session());
  }

  table(name: string): DeltaTable {
    return DeltaTable.at(join(this.folder, ...name.split('.')), this.parts);
  }

  /** Appends the rows of a query as one commit, one file per partition; returns the version. */
  async append(name: string, query: string, partitionColumns: readonly string[] = []): Promise<bigint> {
    const table = this.table(name);
    const schema = await this.schemaOf(query);
    const add = await table.stage(this.session, query, { schema, partitionColumns });
    const result = await table.commit({ operation: 'WRITE', mode: 'append', add, schema, partitionColumns });
    if (result.kind === 'conflict') throw new Error(`conflict: ${JSON.stringify(result.reason)}`);
    return result.version;
  }

  async schemaOf(query: string): Promise<StructType> {
    const columns = await this.session.describe(query);
    return struct(
      columns.map(({ name, type, duckdbType }) => {
        if (type === undefined) throw new Error(`no Delta type for ${duckdbType}`);
        return field(name, type);
      }),
    );
  }

  query(sql: string): Promise<Query> {
    return openQuery(this.session, sql, this.catalog, this.parts);
  }

  async rows(sql: string): Promise<Value[][]> {
    return rowsOf(await this.query(sql));
  }

  async close(): Promise<void> {
    this.session.close();
    this.engine.close();
    await rm(this.folder, { recursive: true, force: true });
  }
}

export async function rowsOf(query: Query): Promise<Value[][]> {
  const rows: Value[][] = [];
  for await (const batch of query.batches()) rows.push(...batch.map((row) => [...row]));
  return rows;
}

/** The error that a piece of work ends with. */
export async function errorOf(work: Promise<unknown>): Promise<SluiceError> {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof SluiceError)) throw new Error(`no SluiceError but ${String(error)}`);
  return error;
}
