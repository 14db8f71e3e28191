/** A Kafka source over an engine of its own, with positions in a plain map in place of a table. */
import { systemClock } from '../../../core/clock.ts';
import { systemRandom } from '../../../core/random.ts';
import { Engine } from '../../../engine/engine.ts';
import type { Session } from '../../../engine/session.ts';
import { textOf, type Row } from '../../../engine/values.ts';
import { KafkaSource, parseKafkaOptions } from '../../../ingest/kafka/index.ts';
import type { Batch, BatchLimits, Positions } from '../../../ingest/source.ts';

export type Arguments = Readonly<Record<string, string | number | boolean>>;

export const LIMITS: BatchLimits = { rows: 100_000, bytes: 2 ** 24, flushMs: 100 };

/** One flow: what it has landed is in `rows`, how far it is in `positions`. */
export class Reading {
  readonly engine: Engine;
  readonly session: Session;
  readonly rows: Row[] = [];
  readonly inputs: Readonly<Record<string, string>>[] = [];
  readonly batchRows: number[] = [];
  positions: Positions = new Map();
  bufferBytes = 2 ** 26;

  private constructor(engine: Engine, session: Session) {
    this.engine = engine;
    this.session = session;
  }

  static async create(): Promise<Reading> {
    const engine = await Engine.open({ memoryLimit: '400MB', threads: 2 });
    return new Reading(engine, await engine.session());
  }

  async open(args: Arguments): Promise<KafkaSource> {
    return KafkaSource.open({
      options: parseKafkaOptions(new Map(Object.entries(args))),
      project: 'tests',
      flow: 'bronze.orders',
      folder: '.',
      engine: this.engine,
      clock: systemClock,
      random: systemRandom,
      bufferBytes: this.bufferBytes,
      positions: () => Promise.resolve(this.positions),
    });
  }

  /** Reads what there is, as `--available-now` does, and lands each batch in `rows`. */
  async availableNow(args: Arguments, limits = LIMITS): Promise<void> {
    const source = await this.open(args);
    try {
      const { signal } = new AbortController();
      do {
        const batch = await source.read(this.positions, limits, signal);
        if (batch !== undefined) {
          await this.land(batch);
          await source.committed(this.positions);
        }
      } while (!(await source.exhausted()));
    } finally {
      await source.close();
    }
  }

  /** The next batch that has rows. */
  async next(source: KafkaSource, limits = LIMITS): Promise<Batch> {
    for (;;) {
      const batch = await source.read(this.positions, limits, AbortSignal.timeout(30_000));
      if (batch !== undefined) return batch;
    }
  }

  async land(batch: Batch): Promise<void> {
    for (const [name, at] of batch.from)
      if (this.positions.get(name) !== at) throw new Error(`${name} starts at ${String(at)}`);
    const query = `SELECT topic, "partition", "offset", "timestamp", decode("key") AS "key", decode("value") AS "value", list_transform(headers, lambda h: {'key': h."key", 'value': decode(h."value")}) AS headers FROM ${batch.relation} ORDER BY ALL`;
    this.rows.push(...(await this.session.rows(query)));
    this.inputs.push(batch.inputs);
    this.batchRows.push(batch.rows);
    this.positions = new Map([...this.positions, ...batch.upTo]);
    await batch.release();
  }

  inOrderOfTime(): Row[] {
    return [...this.rows].sort((a, b) => textOf(a['timestamp']).localeCompare(textOf(b['timestamp'])));
  }

  get values(): unknown[] {
    return this.rows.map((row) => row['value']);
  }

  /** What was landed more than once. */
  get repeated(): string[] {
    const seen = new Set<string>();
    return this.rows
      .map((row) => ['topic', 'partition', 'offset'].map((column) => textOf(row[column])).join('/'))
      .filter((place) => seen.size === seen.add(place).size);
  }

  close(): void {
    this.session.close();
    this.engine.close();
  }
}
