/**
 * The generated stream as a source.
 *
 * Promise: batches are cut from a stream that is wholly determined by its options, so reading again from any position gives
 * the same records; no more than `rowsPerSecond` records a second come into being.
 */
import type { Clock } from '../../core/clock.ts';
import type { Engine } from '../../engine/engine.ts';
import type { Session } from '../../engine/session.ts';
import { partitionName } from '../record.ts';
import type { Batch, BatchLimits, Positions, Source } from '../source.ts';
import { recordsQuery, type OffsetRange } from './datasets.ts';
import type { GenerateOptions } from './options.ts';

export interface GenerateParts {
  readonly options: GenerateOptions;
  readonly engine: Engine;
  readonly clock: Clock;
}

/** More than a record has, its key and headers included: batches are cut by rows, and must keep to the limit in bytes. */
const RECORD_BYTES_MAX = 256;
/** How far back an endless stream without a start is read by somebody who has no position yet. */
const BACKLOG_MS = 600_000;
const NANOS_PER_MS = 1_000_000n;

/** Makes the names of tables differ: the engine is shared by all flows. */
let tables = 0;

export class GenerateSource implements Source {
  readonly #parts: GenerateParts;
  readonly #openedMs: number;
  #session: Session | undefined;
  /** With an end and a rate: records that were there before this source was opened, which the rate does not count. */
  #before: bigint | undefined;

  constructor(parts: GenerateParts) {
    this.#parts = parts;
    this.#openedMs = parts.clock.nowMs();
  }

  async read(from: Positions, limits: BatchLimits, signal: AbortSignal): Promise<Batch | undefined> {
    signal.throwIfAborted();
    const { clock, options } = this.#parts;
    const positions = this.#positions(from);
    this.#before ??= positions.reduce((sum, at) => sum + at, 0n);
    const rows = Math.max(1, Math.min(limits.rows, Math.floor(limits.bytes / RECORD_BYTES_MAX)));
    const deadlineMs = clock.nowMs() + limits.flushMs;
    for (;;) {
      const ranges = this.#ranges(positions, BigInt(rows));
      const found = ranges.reduce((sum, { from: low, upTo }) => sum + Number(upTo - low), 0);
      const leftMs = deadlineMs - clock.nowMs();
      const atEnd = options.rows !== undefined && this.#available() >= BigInt(options.rows);
      if (found >= rows || (found > 0 && atEnd) || leftMs <= 0)
        return found === 0 ? undefined : this.#batch(from, ranges);
      await clock.sleep(atEnd ? leftMs : Math.min(leftMs, this.#inMs(rows - found)), signal);
    }
  }

  /** An endless stream has handed over everything when it has reached the moment of opening. */
  exhausted(from: Positions): Promise<boolean> {
    const { options } = this.#parts;
    const existed = options.rows === undefined ? this.#due(this.#openedMs) : BigInt(options.rows);
    return Promise.resolve(this.#positions(from).every((at, partition) => at >= this.#endOf(partition, existed)));
  }

  committed(): Promise<void> {
    return Promise.resolve();
  }

  close(): Promise<void> {
    this.#session?.close();
    this.#session = undefined;
    return Promise.resolve();
  }

  async #batch(from: Positions, ranges: readonly OffsetRange[]): Promise<Batch> {
    const { options, engine } = this.#parts;
    this.#session ??= await engine.session();
    const session = this.#session;
    const table = `generated_${String(++tables)}`;
    await session.run(`CREATE TABLE ${table} AS ${recordsQuery(options, ranges)}`);
    const [size] = await session.rows(`SELECT sum(octet_length("value") + octet_length("key")) AS bytes FROM ${table}`);
    const named = ranges.map((range) => [partitionName(options.topic, range.partition), range] as const);
    const start = named.flatMap(([name]): [string, bigint][] => {
      const at = from.get(name);
      return at === undefined ? [] : [[name, at]];
    });
    return {
      relation: table,
      rows: ranges.reduce((sum, { from: low, upTo }) => sum + Number(upTo - low), 0),
      bytes: Number(size?.['bytes'] ?? 0),
      from: new Map(start),
      upTo: new Map(named.map(([name, { upTo }]) => [name, upTo])),
      inputs: Object.fromEntries(named.map(([name, range]) => [name, `${String(range.from)}..${String(range.upTo)}`])),
      release: () => this.#drop(table),
    };
  }

  /** A batch may outlive its source by a step, so it is dropped through a session of its own. */
  async #drop(table: string): Promise<void> {
    const session = await this.#parts.engine.session();
    await session.run(`DROP TABLE IF EXISTS ${table}`);
    session.close();
  }

  /** What is there after the positions, `rows` at most, as evenly as it goes. */
  #ranges(positions: readonly bigint[], rows: bigint): OffsetRange[] {
    const available = this.#available();
    const ranges: OffsetRange[] = [];
    let left = rows;
    const order = [...positions.keys()].sort((a, b) => Number((positions[a] ?? 0n) - (positions[b] ?? 0n)) || a - b);
    for (const [i, partition] of order.entries()) {
      const at = positions[partition] ?? 0n;
      const waiting = this.#endOf(partition, available) - at;
      const fair = (left + BigInt(order.length - i) - 1n) / BigInt(order.length - i);
      const take = waiting < fair ? waiting : fair;
      if (take <= 0n) continue;
      ranges.push({ partition, from: at, upTo: at + take });
      left -= take;
    }
    return ranges;
  }

  #positions(from: Positions): bigint[] {
    const { options } = this.#parts;
    const first = options.fromStart ? 0n : this.#due(this.#openedMs - BACKLOG_MS);
    return Array.from(
      { length: options.partitions },
      (_, i) => from.get(partitionName(options.topic, i)) ?? this.#endOf(i, first),
    );
  }

  /** How many records of the stream, over all partitions, have come into being. */
  #available(): bigint {
    const { options, clock } = this.#parts;
    const { rows, rowsPerSecond } = options;
    if (rows === undefined) return this.#due(clock.nowMs());
    if (rowsPerSecond === undefined) return BigInt(rows);
    const made = (this.#before ?? 0n) + BigInt(Math.floor(((clock.nowMs() - this.#openedMs) * rowsPerSecond) / 1000));
    return made < BigInt(rows) ? made : BigInt(rows);
  }

  /** How many events had happened at a moment. */
  #due(ms: number): bigint {
    const { startMs, stepNanos } = this.#parts.options;
    const elapsed = BigInt(Math.floor(ms - startMs));
    return elapsed < 0n ? 0n : (elapsed * NANOS_PER_MS) / stepNanos + 1n;
  }

  /** How long it takes for so many records to come into being. */
  #inMs(rows: number): number {
    const { rowsPerSecond } = this.#parts.options;
    return rowsPerSecond === undefined ? 1 : Math.max(1, Math.ceil((rows / rowsPerSecond) * 1000));
  }

  /** The next offset of a partition when there are so many records in all: they are dealt out in turn. */
  #endOf(partition: number, records: bigint): bigint {
    const partitions = BigInt(this.#parts.options.partitions);
    return (records - BigInt(partition) + partitions - 1n) / partitions;
  }
}
