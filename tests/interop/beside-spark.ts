/**
 * A table of sluice's beside a copy of it of Spark's: the same is done to both, and then both are the same, and everybody reads them the same.
 */
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { isJsonObject, parseJson, stringifyJson, type Json } from '../../core/json.ts';
import { typeToJson } from '../../core/schema.ts';
import type { DeltaTable } from '../../tables/index.ts';
import { Workbench } from './fixtures.ts';
import { Peer } from './peer.ts';

/** Names in data files that the writer makes up. */
const MADE_UP = /col-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;

function withSortedKeys(text: string): string {
  if (!/^[[{]/.test(text)) return text;
  return stringifyJson(sortedKeys(parseJson(text))).replaceAll(MADE_UP, 'col-');
}

/** Engines put the keys of an object in different orders. */
function sortedKeys(json: Json): Json {
  if (Array.isArray(json)) return (json as readonly Json[]).map(sortedKeys);
  if (!isJsonObject(json)) return json;
  const entries = Object.entries(json).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, value]) => [key, sortedKeys(value ?? null)]));
}

export class BesideSpark {
  readonly bench: Workbench;
  readonly spark: Peer;
  readonly deltars: Peer;
  readonly #folder: string;

  private constructor(bench: Workbench, peers: readonly [Peer, Peer], folder: string) {
    this.bench = bench;
    [this.spark, this.deltars] = peers;
    this.#folder = folder;
  }

  static async open(): Promise<BesideSpark> {
    const folder = await mkdtemp(join(tmpdir(), 'sluice-beside-spark-'));
    const bench = await Workbench.open(join(folder, 'tables'));
    const peers = await Promise.all([Peer.start('spark'), Peer.start('deltars')]);
    return new BesideSpark(bench, peers, folder);
  }

  async close(): Promise<void> {
    await Promise.all([this.spark.stop(), this.deltars.stop()]);
    this.bench.close();
    await rm(this.#folder, { recursive: true, force: true });
  }

  /** How Spark's SQL names a table. */
  sqlName(name: string): string {
    return `delta.\`${this.bench.path(name)}\``;
  }

  /** The table of that name, which Spark's statements make (`TABLE_` stands for it), and a copy of it for Spark. */
  async twice(name: string, statements: readonly string[]): Promise<{ ours: DeltaTable; theirs: string }> {
    for (const statement of statements) await this.spark.sql(statement.replaceAll('TABLE_', this.sqlName(name)));
    const theirs = `${name} of spark`;
    await cp(this.bench.path(name), this.bench.path(theirs), { recursive: true });
    return { ours: this.bench.table(name), theirs };
  }

  /** All three read ours the same, and Spark's own is the same but for its files. */
  async expectSame(name: string, theirs: string, isRead = true): Promise<void> {
    const { bench, spark, deltars } = this;
    const ours = await bench.digest(name);
    expect(await spark.read(bench.path(name))).toEqual(ours);
    if (isRead) expect(await deltars.read(bench.path(name))).toEqual(ours);
    expect(await spark.read(bench.path(theirs))).toEqual(ours);
    expect(await this.schemaOf(name)).toEqual(await this.schemaOf(theirs));
    expect(await this.saidOf(name)).toEqual(await this.saidOf(theirs));
  }

  async schemaOf(name: string): Promise<unknown> {
    const { schema, partitionColumns, properties, protocol } = await this.bench.table(name).snapshot();
    const text = stringifyJson(sortedKeys(typeToJson(schema))).replaceAll(MADE_UP, 'col-');
    const sorted = (features: readonly string[] = []): readonly string[] => [...features].sort();
    const features = { readers: sorted(protocol.readerFeatures), writers: sorted(protocol.writerFeatures) };
    const versions = [protocol.minReaderVersion, protocol.minWriterVersion];
    return { schema: text, partitionColumns, properties, versions, features };
  }

  /** The operation and its parameters; paths are not the same. */
  async saidOf(name: string): Promise<unknown> {
    const [entry] = await this.bench.table(name).history(1);
    const parameters = Object.entries(entry?.operationParameters ?? {}).map(
      ([key, value]) =>
        [key, withSortedKeys(typeof value === 'string' ? value : stringifyJson(value ?? null))] as const,
    );
    const known = parameters.filter(([key]) => !['userMetadata', 'statsOnLoad'].includes(key));
    return [entry?.operation, known.sort(([a], [b]) => (a < b ? -1 : 1))];
  }
}
