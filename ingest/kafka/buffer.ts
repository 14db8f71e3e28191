/**
 * Records on their way from Kafka into DuckDB: columns of up to 2,048 rows in JavaScript, then a table of the engine for
 * each batch that is to come. The next table fills while the flow lands the one before.
 *
 * Promise: a table ends at the limits of a batch, and in front of a record, never inside one; all tables together, and the
 * one that is being landed, stay within `bufferBytes` (one record more at most): `room` makes the reader wait.
 */
import type { Clock } from '../../core/clock.ts';
import type { ColumnAppender } from '../../engine/appender.ts';
import type { Engine } from '../../engine/engine.ts';
import { quoteString } from '../../engine/quoting.ts';
import type { Session } from '../../engine/session.ts';
import type { PlainRecords } from '../decode/plain.ts';
import { RECORD_COLUMNS, UNSURE_COLUMN } from '../record.ts';
import type { BatchLimits } from '../source.ts';
import { RecordChunk } from './chunk.ts';
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

/** What a table holds of one partition: `upTo` is the offset to go on from. */
export interface Moved {
  readonly from: bigint;
  readonly upTo: bigint;
}

/** A table that is full, or was cut. */
export interface FullTable {
  /** The table's name. */
  readonly relation: string;
  readonly rows: number;
  readonly bytes: number;
  /** Rows with a true `unsure`: they are not certain to fit. Undefined without `plain`. */
  readonly unsureRows: number | undefined;
  readonly moved: ReadonlyMap<string, Moved>;
  release(): Promise<void>;
}

interface OpenTable {
  readonly name: string;
  readonly appender: ColumnAppender;
  readonly chunk: RecordChunk;
  /** When its first record came. */
  openedMs: number;
  readonly moved: Map<string, Moved>;
  rows: number;
  bytes: number;
  unsure: number;
}

/**
 * `RECORD_COLUMNS`, but the name of the topic is not stored for each record: it follows from the topic's place in the list.
 */
function columnsFor(topics: readonly string[]): string {
  const list = `[${topics.map(quoteString).join(', ')}]`;
  const name = topics.length === 1 ? quoteString(topics[0] ?? '') : `list_extract(${list}, topic_place)`;
  const own = RECORD_COLUMNS.filter((column) => !column.startsWith('topic '));
  return [
    `topic VARCHAR GENERATED ALWAYS AS (${name}) VIRTUAL`,
    'topic_place INTEGER',
    ...own,
    `${UNSURE_COLUMN} BOOLEAN`,
  ].join(', ');
}

/** The engine is shared by all flows. */
let tables = 0;

export class RecordBuffer {
  readonly #parts: BufferParts;
  readonly #session: Session;
  readonly #columns: string;
  #limits: BatchLimits = { rows: 245_760, bytes: 2 ** 26, flushMs: 200 };
  #open: OpenTable | undefined;
  #full: OpenTable[] = [];
  #bytes = 0;
  /** A table may hold records that its positions do not tell of. */
  #isSpoilt = false;

  private constructor(parts: BufferParts, session: Session) {
    this.#parts = parts;
    this.#columns = columnsFor(parts.topics);
    this.#session = session;
  }

  static async create(parts: BufferParts): Promise<RecordBuffer> {
    return new RecordBuffer(parts, await parts.engine.session());
  }

  set limits(limits: BatchLimits) {
    this.#limits = limits;
  }

  /** Whether more may be fetched: a table that is empty takes one record at least, so nothing is too large for the buffer. */
  get hasRoom(): boolean {
    return this.#bytes < this.#parts.bufferBytes;
  }

  /** Whether nothing waits to be taken. */
  get isEmpty(): boolean {
    return this.#full.length === 0 && (this.#open === undefined || this.#open.rows === 0);
  }

  /** Opens a table when there is none to append to. */
  async prepare(): Promise<void> {
    if (this.#open !== undefined) return;
    const name = `kafka_${String(++tables)}`;
    await this.#session.run(`CREATE TABLE ${name} (${this.#columns})`);
    const appender = await this.#session.appender(name);
    const { clock, plain } = this.#parts;
    const counts = { rows: 0, bytes: 0, unsure: 0, moved: new Map<string, Moved>() };
    this.#open = { name, appender, chunk: new RecordChunk(appender, plain), openedMs: clock.nowMs(), ...counts };
  }

  /**
   * Appends records of one partition until the table or the buffer is full.
   * @param records at the first one that is to be appended
   * @param end the offset to go on from when all of them are in
   * @returns the offset to go on from; short of `end`, `records` is at its record
   * @throws BadRecords when one of them cannot be read; nothing is handed over any more until `clear`
   */
  append(source: SourcePartition, records: RecordCursor, end: bigint): bigint {
    const table = this.#open;
    if (table === undefined) return BigInt(records.offset);
    try {
      const wasEmpty = table.rows === 0;
      if (wasEmpty) table.openedMs = this.#parts.clock.nowMs();
      const upTo = this.#fill(table, source, records, end);
      const full = this.#isFull(table);
      if (full) this.#close(table);
      if (full || wasEmpty || !this.hasRoom) this.#parts.changed();
      return upTo;
    } catch (error) {
      this.#isSpoilt = true;
      throw error;
    }
  }

  #fill(table: OpenTable, source: SourcePartition, records: RecordCursor, end: bigint): bigint {
    const topic = this.#parts.topics.indexOf(source.topic) + 1;
    const from = table.moved.get(source.name)?.from ?? source.next;
    const rowsBefore = table.rows;
    let isLeft = true;
    while (isLeft && !this.#isFull(table) && (this.hasRoom || table.rows === 0)) {
      const { rows, bytes } = this.#limits;
      const bytesLeft = Math.min(bytes - table.bytes, this.#parts.bufferBytes - this.#bytes);
      const taken = table.chunk.take(topic, source.partition, records, rows - table.rows, bytesLeft);
      table.rows += taken.rows;
      table.bytes += taken.bytes;
      table.unsure += taken.unsure;
      this.#bytes += taken.bytes;
      isLeft = records.next();
    }
    const upTo = isLeft ? BigInt(records.offset) : end;
    if (table.rows > rowsBefore) table.moved.set(source.name, { from, upTo });
    return upTo;
  }

  /**
   * The oldest full table; without one, the open table when it has rows that have waited for `flushMs` or fill the buffer.
   * @param now whether to take what there is without waiting
   */
  take(now: boolean): FullTable | undefined {
    if (this.#isSpoilt) return undefined;
    const open = this.#open;
    const isDue = now || this.dueInMs === 0 || !this.hasRoom;
    if (this.#full.length === 0 && open !== undefined && open.rows > 0 && isDue) this.#close(open);
    const table = this.#full.shift();
    if (table === undefined) return undefined;
    let released: Promise<void> | undefined;
    return {
      relation: table.name,
      rows: table.rows,
      bytes: table.bytes,
      unsureRows: this.#parts.plain && table.unsure,
      moved: table.moved,
      release: () => (released ??= this.#drop(table)),
    };
  }

  /** How long until the open table is to be taken; undefined when it has no rows. */
  get dueInMs(): number | undefined {
    const table = this.#open;
    if (table === undefined || table.rows === 0) return undefined;
    return Math.max(0, table.openedMs + this.#limits.flushMs - this.#parts.clock.nowMs());
  }

  /** Throws away what was not taken. */
  async clear(): Promise<void> {
    const thrown = [...this.#full, ...(this.#open === undefined ? [] : [this.#open])];
    this.#open?.appender.close();
    this.#open = undefined;
    this.#full = [];
    this.#isSpoilt = false;
    for (const table of thrown) await this.#drop(table);
  }

  #isFull(table: OpenTable): boolean {
    return table.rows >= this.#limits.rows || table.bytes >= this.#limits.bytes;
  }

  #close(table: OpenTable): void {
    table.chunk.flush();
    table.appender.close();
    this.#open = undefined;
    this.#full.push(table);
  }

  /** A batch may outlive its source by a step, so a table is dropped through a session of its own. */
  async #drop(table: OpenTable): Promise<void> {
    this.#bytes -= table.bytes;
    table.bytes = 0;
    this.#parts.changed();
    const session = await this.#parts.engine.session();
    try {
      await session.run(`DROP TABLE IF EXISTS ${table.name}`);
    } finally {
      session.close();
    }
  }

  async close(): Promise<void> {
    await this.clear();
    this.#session.close();
  }
}
