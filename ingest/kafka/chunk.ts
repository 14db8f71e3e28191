/**
 * Up to 2,048 records as columns, the way a query takes them. The records' bytes are copied once, and keys and values are places
 * in the copy.
 */
import { field, primitive, type Field } from '../../core/schema.ts';
import type { Slices } from '../../engine/slices.ts';
import type { ColumnData } from '../../engine/columns.ts';
import { CHUNK_ROWS } from '../../engine/vectors.ts';
import type { RowChunk } from '../../engine/row-function.ts';
import type { PlainRecords } from '../decode/plain.ts';
import { RECORD_FIELDS } from '../quarantine.ts';
import { UNSURE_COLUMN } from '../record.ts';
import { headersAt } from './wire/headers.ts';
import type { RecordCursor } from './wire/records.ts';

/** What a record takes besides its key, value and headers. */
const ROW_BYTES = 48;
const MICROS_PER_MS = 1000;
/** A chunk takes no further record when it holds this many bytes, so that large records do not pile up in one. */
const FULL_BYTES = 2 ** 20;
const FIRST_BYTES = 2 ** 18;
/** What there is once a record has gone a little beyond that. */
const LARGE_BYTES = FULL_BYTES + 2 ** 16;
/** What its columns take without the bytes. */
const COLUMN_BYTES = CHUNK_ROWS * 40;
const HEADER_COLUMN_BYTES = CHUNK_ROWS * 12;

/** The columns of a chunk: those of a record, with the place of its topic among those that are read, from 1 on. */
export const CHUNK_FIELDS: readonly Field[] = [
  field('topic_place', primitive('integer')),
  ...RECORD_FIELDS.filter(({ name }) => name !== 'topic'),
  field(UNSURE_COLUMN, primitive('boolean')),
];

/** What was taken out of a batch. */
export interface Taken {
  readonly rows: number;
  /** Of the records, with a little for each. */
  readonly bytes: number;
  /** How many of them are not certain to fit. */
  readonly unsure: number;
}

interface HeaderPlaces {
  readonly starts: Int32Array;
  readonly ends: Int32Array;
  readonly counts: Int32Array;
}

export class RecordChunk implements RowChunk {
  rows = 0;
  readonly #topics = new Int32Array(CHUNK_ROWS);
  readonly #partitions = new Int32Array(CHUNK_ROWS);
  readonly #offsets = new Float64Array(CHUNK_ROWS);
  readonly #timestamps = new Float64Array(CHUNK_ROWS);
  readonly #keys = { starts: new Int32Array(CHUNK_ROWS), lengths: new Int32Array(CHUNK_ROWS) };
  readonly #values = { starts: new Int32Array(CHUNK_ROWS), lengths: new Int32Array(CHUNK_ROWS) };
  /** Where the headers of each record lie. Not there as long as none has any, as most have not. */
  #headers: HeaderPlaces | undefined;
  /** True for a record that is not certain to fit; empty as long as there is none. */
  #unsure: (boolean | undefined)[] = [];
  #memory: Buffer;
  #used = 0;

  /** @param bytes what its records will take, as far as anybody can know; it grows when they take more */
  constructor(bytes = FIRST_BYTES) {
    this.#memory = Buffer.allocUnsafeSlow(bytes);
  }

  column(place: number): ColumnData | Slices {
    const columns = [this.#topics, this.#partitions, this.#offsets, this.#timestamps, this.#keys, this.#values];
    if (place < columns.length) return columns[place] ?? [];
    return place === columns.length ? this.#headerColumn() : Array.from(this.#unsure, (is) => is ?? null);
  }

  get bytes(): Buffer {
    return this.#memory.subarray(0, this.#used);
  }

  get isFull(): boolean {
    return this.rows === CHUNK_ROWS || this.#used >= FULL_BYTES;
  }

  /** How much memory it takes, filled or not. */
  get allocatedBytes(): number {
    return COLUMN_BYTES + (this.#headers === undefined ? 0 : HEADER_COLUMN_BYTES) + this.#memory.length;
  }

  /**
   * Takes records: one, and more of them while there is room for another in this chunk, `maxRows` and `maxBytes`.
   * @param topic its place in the list of topics, from 1 on
   * @param records at a record that is to be taken; afterwards at the last one that was
   * @param plain tells which records are certain to fit; without it none is looked at
   */
  take(
    topic: number,
    partition: number,
    records: RecordCursor,
    maxRows: number,
    maxBytes: number,
    plain: PlainRecords | undefined,
  ): Taken {
    const from = this.rows;
    const endRow = Math.min(from + maxRows, CHUNK_ROWS);
    const bytesMost = Math.min(maxBytes, FULL_BYTES - this.#used);
    const first = records.start;
    const moved = this.#used - first;
    let row = from;
    let bytes = 0;
    let unsure = 0;
    do {
      this.#offsets[row] = records.offset;
      this.#timestamps[row] = records.timestampMs * MICROS_PER_MS;
      this.#keys.starts[row] = records.keyStart + moved;
      this.#keys.lengths[row] = records.keyLength;
      this.#values.starts[row] = records.valueStart + moved;
      this.#values.lengths[row] = records.valueLength;
      bytes += ROW_BYTES + (records.end - records.start);
      if (records.headerCount > 0) this.#setHeaders(row, moved, records);
      else if (this.#headers !== undefined) this.#headers.counts[row] = 0;
      const valueEnd = records.valueStart + records.valueLength;
      if (plain?.takes(records.bytes, records.view, records.valueStart, valueEnd) === false) {
        this.#unsure[row] = true;
        unsure++;
      }
      row++;
    } while (row < endRow && bytes < bytesMost && records.next());
    this.#topics.fill(topic, from, row);
    this.#partitions.fill(partition, from, row);
    this.#copy(records.bytes, first, records.end);
    this.rows = row;
    return { rows: row - from, bytes, unsure };
  }

  /** Begins anew. */
  reset(): void {
    this.rows = 0;
    this.#used = 0;
    this.#headers?.counts.fill(0);
    this.#unsure = [];
  }

  #setHeaders(row: number, moved: number, records: RecordCursor): void {
    const { start, end, count } = records.headers();
    const headers = (this.#headers ??= {
      starts: new Int32Array(CHUNK_ROWS),
      ends: new Int32Array(CHUNK_ROWS),
      counts: new Int32Array(CHUNK_ROWS),
    });
    headers.starts[row] = start + moved;
    headers.ends[row] = end + moved;
    headers.counts[row] = count;
  }

  #headerColumn(): ColumnData {
    const headers = this.#headers;
    if (headers === undefined) return [];
    const { starts, ends, counts } = headers;
    return Array.from({ length: this.rows }, (_, row) => {
      const place = { start: starts[row] ?? 0, end: ends[row] ?? 0, count: counts[row] ?? 0 };
      return place.count === 0 ? null : headersAt(this.#memory, place).map(({ key, value }) => ({ key, value }));
    });
  }

  #copy(bytes: Buffer, start: number, end: number): void {
    const needed = this.#used + (end - start);
    if (needed > this.#memory.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(needed, Math.min(1.5 * this.#memory.length, LARGE_BYTES)));
      this.#memory.copy(larger, 0, 0, this.#used);
      this.#memory = larger;
    }
    bytes.copy(this.#memory, this.#used, start, end);
    this.#used = needed;
  }
}
