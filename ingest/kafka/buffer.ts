/**
 * Records on their way from Kafka into DuckDB: chunks of up to 2,048 of them, which together are the rows of a batch that is
 * to come. The next batch fills while the flow lands the one before.
 *
 * Promise: a batch ends at its limits, and in front of a record, never inside one; all of them together, the one that is being
 * landed, and what is kept to be used again take no more memory than `bufferBytes` and one chunk: `hasRoom` makes the reader
 * wait. A chunk is made once and used again; one that is thrown away would lie in memory until V8 next looks at all of its heap.
 */
import type { Clock } from '../../core/clock.ts';
import type { Engine } from '../../engine/engine.ts';
import { quoteString } from '../../engine/quoting.ts';
import type { PlainRecords } from '../decode/plain.ts';
import type { BatchLimits } from '../source.ts';
import { CHUNK_FIELDS, RecordChunk } from './chunk.ts';
import type { RecordCursor } from './wire/records.ts';

export interface BufferParts {
  readonly engine: Engine;
  readonly clock: Clock;
  readonly topics: readonly string[];
  readonly bufferBytes: number;
  /** Tells which records are certain to fit their columns; undefined when nobody wants to know. */
  readonly plain: PlainRecords | undefined;
  /** Called when there is something to take, or room again. */
  readonly changed: () => void;
}

/** Where records come from, and the next offset to take. */
export interface SourcePartition {
  readonly topic: string;
  readonly partition: number;
  readonly name: string;
  readonly next: bigint;
}

/** What a batch holds of one partition: `upTo` is the offset to go on from. */
export interface Moved {
  readonly from: bigint;
  readonly upTo: bigint;
}

/** Records that fill a batch, or were cut. */
export interface FullRows {
  /** For FROM: the columns of `RECORD_COLUMNS`, `UNSURE_COLUMN` and `rowid`. */
  readonly relation: string;
  readonly rows: number;
  readonly bytes: number;
  /** Rows with a true `unsure`: they are not certain to fit. Undefined without `plain`. */
  readonly unsureRows: number | undefined;
  readonly moved: ReadonlyMap<string, Moved>;
  /** Idempotent. */
  release(): void;
}

interface OpenRows {
  /** The last one takes more. */
  readonly chunks: RecordChunk[];
  /** When its first record came. */
  readonly openedMs: number;
  readonly moved: Map<string, Moved>;
  rows: number;
  bytes: number;
  unsure: number;
}

/** Chunks of one topic are about as long as one another. */
const ALIKE_BYTES = 2 ** 14;

export class RecordBuffer {
  readonly #parts: BufferParts;
  /** SQL: the name of a record's topic. It is not stored for each, since it follows from the topic's place in the list. */
  readonly #topic: string;
  #limits: BatchLimits = { rows: 122_880, bytes: 2 ** 25, flushMs: 200 };
  #open: OpenRows | undefined;
  #full: OpenRows[] = [];
  #spare: RecordChunk[] = [];
  /** What the chunks of all batches take, filled or not. */
  #usedBytes = 0;
  #spareBytes = 0;
  /** There may be records that the positions do not tell of. */
  #isSpoilt = false;

  constructor(parts: BufferParts) {
    this.#parts = parts;
    const [first = '', ...others] = parts.topics.map(quoteString);
    this.#topic = others.length === 0 ? first : `list_extract([${[first, ...others].join(', ')}], topic_place)`;
  }

  set limits(limits: BatchLimits) {
    this.#limits = limits;
  }

  /** Whether more may be fetched: a batch that is empty takes one record at least, so nothing is too large for the buffer. */
  get hasRoom(): boolean {
    return this.#usedBytes < this.#parts.bufferBytes;
  }

  /** Whether nothing waits to be taken. */
  get isEmpty(): boolean {
    return this.#full.length === 0 && (this.#open === undefined || this.#open.rows === 0);
  }

  /**
   * Appends records of one partition: as many as there is room for in a chunk, the batch and the buffer.
   * @param records at the first one that is to be appended
   * @param end the offset to go on from when all of them are in
   * @returns the offset to go on from; short of `end`, `records` is at its record
   * @throws BadRecords when one of them cannot be read; nothing is handed over any more until `clear`
   */
  append(source: SourcePartition, records: RecordCursor, end: bigint): bigint {
    const isFirst = this.#open === undefined;
    const open = (this.#open ??= this.#begin());
    try {
      const upTo = this.#fill(open, source, records, end);
      const full = this.#isFull(open);
      if (full) this.#cut();
      if (full || isFirst || !this.hasRoom) this.#parts.changed();
      return upTo;
    } catch (error) {
      this.#isSpoilt = true;
      throw error;
    }
  }

  #begin(): OpenRows {
    return { chunks: [], openedMs: this.#parts.clock.nowMs(), moved: new Map(), rows: 0, bytes: 0, unsure: 0 };
  }

  #fill(open: OpenRows, source: SourcePartition, records: RecordCursor, end: bigint): bigint {
    if (open.rows > 0 && !this.hasRoom && open.chunks.at(-1)?.isFull !== false) return BigInt(records.offset);
    const { topics, plain } = this.#parts;
    const { rows, bytes } = this.#limits;
    const topic = topics.indexOf(source.topic) + 1;
    const from = open.moved.get(source.name)?.from ?? source.next;
    const chunk = this.#chunkOf(open);
    const before = chunk.allocatedBytes;
    const taken = chunk.take(topic, source.partition, records, rows - open.rows, bytes - open.bytes, plain);
    this.#usedBytes += chunk.allocatedBytes - before;
    open.rows += taken.rows;
    open.bytes += taken.bytes;
    open.unsure += taken.unsure;
    const upTo = records.next() ? BigInt(records.offset) : end;
    open.moved.set(source.name, { from, upTo });
    return upTo;
  }

  #chunkOf({ chunks }: OpenRows): RecordChunk {
    const last = chunks.at(-1);
    if (last?.isFull === false) return last;
    const spare = this.#spare.pop();
    const chunk = spare ?? new RecordChunk(last === undefined ? undefined : last.bytes.length + ALIKE_BYTES);
    if (spare !== undefined) this.#spareBytes -= spare.allocatedBytes;
    this.#usedBytes += chunk.allocatedBytes;
    chunks.push(chunk);
    return chunk;
  }

  /**
   * The oldest full batch; without one, the open one when it has waited for `flushMs` or fills the buffer.
   * @param now whether to take what there is without waiting
   */
  take(now: boolean): FullRows | undefined {
    if (this.#isSpoilt) return undefined;
    const isDue = now || this.dueInMs === 0 || !this.hasRoom;
    if (this.#full.length === 0 && isDue) this.#cut();
    const full = this.#full.shift();
    if (full === undefined) return undefined;
    const { chunks, rows, bytes, moved } = full;
    const exposed = this.#parts.engine.expose({ fields: CHUNK_FIELDS, chunks });
    return {
      relation: `(SELECT ${this.#topic} AS topic, * FROM ${exposed.relation})`,
      rows,
      bytes,
      unsureRows: this.#parts.plain && full.unsure,
      moved,
      release: () => {
        exposed.release();
        this.#drop(full);
      },
    };
  }

  /** How long until the open batch is to be taken; undefined when there is none. */
  get dueInMs(): number | undefined {
    const open = this.#open;
    if (open === undefined) return undefined;
    return Math.max(0, open.openedMs + this.#limits.flushMs - this.#parts.clock.nowMs());
  }

  /** Throws away what was not taken. */
  clear(): void {
    this.#cut();
    for (const full of this.#full.splice(0)) this.#drop(full);
    this.#isSpoilt = false;
  }

  #isFull(open: OpenRows): boolean {
    return open.rows >= this.#limits.rows || open.bytes >= this.#limits.bytes;
  }

  #cut(): void {
    if (this.#open !== undefined && this.#open.rows > 0) this.#full.push(this.#open);
    this.#open = undefined;
  }

  /** What was dropped already has nothing any more. */
  #drop(full: OpenRows): void {
    for (const chunk of full.chunks.splice(0)) {
      const bytes = chunk.allocatedBytes;
      this.#usedBytes -= bytes;
      if (this.#usedBytes + this.#spareBytes > this.#parts.bufferBytes) continue;
      chunk.reset();
      this.#spareBytes += bytes;
      this.#spare.push(chunk);
    }
    this.#parts.changed();
  }
}
