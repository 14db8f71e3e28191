/**
 * Kafka topics as a source of batches.
 *
 * Promise: positions come from the table and from nowhere else. A batch holds what the topics have from its `from` up to its
 * `upTo`; records that are gone before they were read stop the flow, or are named in the commit where the pipeline allows it.
 */
import type { Admin, Kafka } from 'kafkajs';
import type { Clock } from '../../core/clock.ts';
import type { Random } from '../../core/random.ts';
import { Signals } from '../../core/signals.ts';
import type { Engine } from '../../engine/engine.ts';
import type { PlainRecords } from '../decode/plain.ts';
import type { Batch, BatchLimits, Positions, Source } from '../source.ts';
import { RecordBuffer, type FullRows } from './buffer.ts';
import { kafkaClient } from './client.ts';
import { kafkaError } from './errors.ts';
import { groupPrefix, removeLeftGroups } from './groups.ts';
import { dataLoss, isCompacted, lossAt, offsetRanges, refuseMissing, type Loss } from './offsets.ts';
import type { KafkaOptions } from './options.ts';
import { Reader, type Cursor } from './reader.ts';
import type { Hole } from './record-set.ts';
import { startingOffset } from './starting-offsets.ts';
import { RecordTap } from './wire/tap.ts';

export interface KafkaParts {
  readonly options: KafkaOptions;
  /** The name of the project and of the flow, for the consumer group. */
  readonly project: string;
  readonly flow: string;
  /** What relative paths start from. */
  readonly folder: string;
  readonly engine: Engine;
  readonly clock: Clock;
  readonly random: Random;
  /** How much may wait in memory. */
  readonly bufferBytes: number;
  /** Tells which records are certain to fit their columns, for `unsureRows` of a batch. */
  readonly plain?: PlainRecords | undefined;
  /** How far the flow's table is. */
  readonly positions: () => Promise<Positions>;
}

/** An idle source looks this often whether the topics still have what it waits for. */
const IDLE_CHECK_MS = 10_000;
const GROUP_OFFSETS_MS = 1000;
const CLOSE_MS_MAX = 5000;
const UNEXPLAINED = 'the broker sent what comes after them, and the topic is not compacted';

export class KafkaSource implements Source {
  readonly #parts: KafkaParts;
  readonly #admin: Admin;
  readonly #buffer: RecordBuffer;
  readonly #reader: Reader;
  readonly #signals: Signals;
  readonly #groupId: string;
  /** Where the topics ended when this was opened. */
  #ends: ReadonlyMap<string, bigint> = new Map();
  /** How far each partition is in the table, or will be when the batch that was handed over is. */
  #landed = new Map<string, bigint>();
  /** Where partitions begin that the table has no position for. */
  #starts = new Map<string, bigint>();
  #handed: Positions | undefined;
  #endsReached = false;
  #gaps: Loss[] = [];
  readonly #compacted = new Set<string>();
  #checkedMs: number;
  #groupOffsetsMs = 0;
  #groupOffsets: Promise<void> = Promise.resolve();

  private constructor(
    parts: KafkaParts,
    opened: { kafka: Kafka; tap: RecordTap; admin: Admin; buffer: RecordBuffer; signals: Signals },
  ) {
    const { options, project, flow, random } = parts;
    this.#parts = parts;
    this.#admin = opened.admin;
    this.#buffer = opened.buffer;
    this.#signals = opened.signals;
    this.#checkedMs = parts.clock.nowMs();
    this.#groupId = options.groupId ?? `${groupPrefix(project, flow)}${random.uuid().slice(0, 8)}`;
    this.#reader = new Reader({
      kafka: opened.kafka,
      tap: opened.tap,
      groupId: this.#groupId,
      topics: options.topics,
      buffer: opened.buffer,
      signals: opened.signals,
      clock: parts.clock,
      locate: () => this.#locate(),
      explain: (cursor, holes) => this.#explain(cursor, holes),
      lossAt: async ({ name, next }) => {
        const range = (await offsetRanges(this.#admin, options.topics)).get(name);
        return range && lossAt(name, next, range);
      },
    });
  }

  /**
   * Connects, and looks that the topics are there.
   * @throws SluiceError `SOURCE_UNREACHABLE`, `SOURCE_AUTH`, `SOURCE_MISSING`, `SOURCE_DATA_LOSS`
   */
  static async open(parts: KafkaParts): Promise<KafkaSource> {
    const { options, engine, clock, bufferBytes, plain } = parts;
    const tap = new RecordTap();
    const kafka = await kafkaClient(options, `sluice-${parts.project}`, parts.folder, tap);
    const admin = kafka.admin();
    const signals = new Signals(clock);
    const changed = (): void => {
      signals.notify();
    };
    const buffer = new RecordBuffer({ engine, clock, topics: options.topics, bufferBytes, plain, changed });
    const source = new KafkaSource(parts, { kafka, tap, admin, buffer, signals });
    try {
      await admin.connect();
      await refuseMissing(admin, options.topics, options.brokers);
      const ranges = await offsetRanges(admin, options.topics);
      source.#ends = new Map([...ranges].map(([name, { high }]) => [name, high]));
      await source.#reader.start(await source.#locate());
      return source;
    } catch (error) {
      await source.close();
      throw kafkaError(error, options, source.#doing);
    }
  }

  async read(from: Positions, limits: BatchLimits, signal: AbortSignal): Promise<Batch | undefined> {
    const { clock, options } = this.#parts;
    this.#buffer.limits = limits;
    try {
      if (this.#hasLostRace(from)) await this.#reader.relocate();
      const deadlineMs = clock.nowMs() + limits.flushMs;
      for (;;) {
        signal.throwIfAborted();
        this.#reader.throwIfFailed();
        const seen = this.#signals.count;
        const table = this.#buffer.take(this.#hasReachedEnds());
        if (table !== undefined) return this.#batch(table);
        const waitMs = this.#buffer.dueInMs ?? deadlineMs - clock.nowMs();
        if (waitMs <= 0) break;
        await this.#signals.after(seen, waitMs, signal);
      }
      await this.#checkWhenIdle();
      return undefined;
    } catch (error) {
      if (signal.aborted) throw error;
      throw kafkaError(error, options, this.#doing);
    }
  }

  async exhausted(): Promise<boolean> {
    const cursors = this.#reader.cursors;
    if (cursors === undefined) return false;
    const reached = ({ name }: Cursor): boolean =>
      (this.#landed.get(name) ?? this.#starts.get(name) ?? 0n) >= (this.#ends.get(name) ?? 0n);
    if (cursors.every(reached)) return true;
    if (!this.#nothingComes()) return false;
    await this.#check();
    return this.#nothingComes();
  }

  committed(positions: Positions): Promise<void> {
    const now = this.#parts.clock.nowMs();
    if (now - this.#groupOffsetsMs < GROUP_OFFSETS_MS) return Promise.resolve();
    const first = this.#groupOffsetsMs === 0;
    this.#groupOffsetsMs = now;
    this.#groupOffsets = this.#reader
      .commitOffsets(positions)
      .then(() => (first && this.#parts.options.groupId === undefined ? this.#removeLeftGroups() : undefined))
      .catch(() => undefined);
    return Promise.resolve();
  }

  async close(): Promise<void> {
    const { clock } = this.#parts;
    const late = new AbortController();
    const closed = (async () => {
      await this.#groupOffsets;
      await this.#reader.commitOffsets(this.#landed).catch(() => undefined);
      await this.#reader.close().catch(() => undefined);
      await this.#admin.disconnect().catch(() => undefined);
      late.abort();
    })();
    await Promise.race([closed, clock.sleep(CLOSE_MS_MAX, late.signal).catch(() => undefined)]);
    this.#buffer.clear();
  }

  get #doing(): string {
    const { topics } = this.#parts.options;
    return `reading the topic${topics.length === 1 ? '' : 's'} ${topics.join(', ')}`;
  }

  #batch(table: FullRows): Batch {
    const upTo = new Map([...table.moved].map(([name, moved]) => [name, moved.upTo]));
    for (const { name } of this.#reader.cursors ?? []) {
      const start = this.#starts.get(name);
      if (start !== undefined && !this.#landed.has(name) && !upTo.has(name)) upTo.set(name, start);
    }
    const from = new Map(
      [...upTo.keys()].flatMap((name) => {
        const at = this.#landed.get(name);
        return at === undefined ? [] : [[name, at] as const];
      }),
    );
    const inputs = [...table.moved].map(
      ([name, moved]) => [name, `${String(moved.from)}..${String(moved.upTo)}`] as const,
    );
    const lost = this.#gaps
      .splice(0)
      .map(({ partition, from: low, upTo: high }) => [`${partition} lost`, `${String(low)}..${String(high)}`] as const);
    for (const [name, at] of upTo) this.#landed.set(name, at);
    this.#handed = upTo;
    this.#checkedMs = this.#parts.clock.nowMs();
    return {
      relation: table.relation,
      rows: table.rows,
      unsureRows: table.unsureRows,
      bytes: table.bytes,
      from,
      upTo,
      inputs: Object.fromEntries([...inputs, ...lost]),
      release: () => {
        table.release();
        return Promise.resolve();
      },
    };
  }

  /** True once: what was there at opening is handed over without waiting for more. */
  #hasReachedEnds(): boolean {
    if (this.#endsReached) return false;
    const cursors = this.#reader.cursors;
    this.#endsReached = cursors?.every(({ name, next }) => next >= (this.#ends.get(name) ?? 0n)) ?? false;
    return this.#endsReached;
  }

  /** The last batch is not in the table: another worker was first. */
  #hasLostRace(from: Positions): boolean {
    const handed = this.#handed ?? new Map<string, bigint>();
    this.#handed = undefined;
    return [...handed].some(([name, at]) => from.get(name) !== at);
  }

  /** The positions of the table, each held against what its topic has. */
  async #locate(): Promise<ReadonlyMap<string, bigint>> {
    const { options, positions } = this.#parts;
    const ranges = await offsetRanges(this.#admin, options.topics);
    const landed = await positions();
    this.#handed = undefined;
    this.#landed = new Map(landed);
    this.#starts = new Map();
    const next = new Map<string, bigint>();
    for (const [name, range] of ranges) {
      const at = landed.get(name) ?? startingOffset(options.startingOffsets, name, range, landed.size === 0);
      const loss = lossAt(name, at, range);
      if (loss !== undefined) this.#lose(loss, at);
      if (!landed.has(name)) this.#starts.set(name, loss?.upTo ?? at);
      next.set(name, loss?.upTo ?? at);
    }
    return next;
  }

  /** Holes are what compaction leaves; in any other topic they are losses. */
  async #explain({ name, next, topic }: Cursor, holes: readonly Hole[]): Promise<void> {
    const { options } = this.#parts;
    const begins = holes.some(({ from }) => from === next);
    const range = begins ? (await offsetRanges(this.#admin, options.topics)).get(name) : undefined;
    const loss = range && lossAt(name, next, range);
    for (const { from, upTo } of holes) {
      if (loss !== undefined && from === next) this.#lose({ ...loss, upTo }, from);
      else if (!(await this.#isCompacted(topic))) this.#lose({ partition: name, from, upTo, why: UNEXPLAINED }, from);
    }
  }

  /** Asked once: a topic that was compacted keeps its holes. */
  async #isCompacted(topic: string): Promise<boolean> {
    if (!this.#compacted.has(topic) && (await isCompacted(this.#admin, topic))) this.#compacted.add(topic);
    return this.#compacted.has(topic);
  }

  #lose(loss: Loss, next: bigint): void {
    if (this.#parts.options.failOnDataLoss) throw dataLoss(loss, next);
    this.#gaps.push(loss);
  }

  #nothingComes(): boolean {
    return this.#reader.isQuiet && this.#buffer.isEmpty;
  }

  async #checkWhenIdle(): Promise<void> {
    const now = this.#parts.clock.nowMs();
    if (now - this.#checkedMs < IDLE_CHECK_MS) return;
    this.#checkedMs = now;
    await this.#check();
  }

  /** A topic that was emptied or made anew sends nothing, so it has to be asked. */
  async #check(): Promise<void> {
    const ranges = await offsetRanges(this.#admin, this.#parts.options.topics);
    for (const { name, next } of this.#reader.cursors ?? []) {
      const range = ranges.get(name);
      if (range !== undefined && lossAt(name, next, range) !== undefined) {
        await this.#reader.relocate();
        return;
      }
    }
  }

  async #removeLeftGroups(): Promise<void> {
    const { project, flow } = this.#parts;
    await removeLeftGroups(this.#admin, groupPrefix(project, flow), this.#groupId);
  }
}
