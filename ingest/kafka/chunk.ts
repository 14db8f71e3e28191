/**
 * Up to 2,048 records as columns, the way a query takes them. The records' bytes are copied once, and keys and values are places
 * in the copy.
 */
import { field, primitive, type Field } from '../../core/schema.ts';
import type { Value } from '../../engine/values.ts';
import { CHUNK_ROWS } from '../../engine/vectors.ts';
import type { RowChunk } from '../../engine/row-function.ts';
import type { PlainRecords } from '../decode/plain.ts';
import { RECORD_FIELDS } from '../quarantine.ts';
import { UNSURE_COLUMN } from '../record.ts';
import type { RecordCursor } from './wire/records.ts';

/** What a record takes besides its key, value and headers. */
const ROW_BYTES = 48;
const MICROS_PER_MS = 1000;
/** A chunk takes no further record when it holds this many bytes, so that large records do not pile up in one. */
const FULL_BYTES = 2 ** 20;
const FIRST_BYTES = 2 ** 18;
/** A chunk that had to grow larger than this, for one large record, is not worth keeping. */
const REUSED_BYTES_MOST = 2 ** 21;

/** The columns of a chunk: those of a record, with the place of its topic among those that are read, from 1 on. */
export const CHUNK_FIELDS: readonly Field[] = [
  field('topic_place', primitive('integer')),
  ...RECORD_FIELDS.filter(({ name }) => name !== 'topic'),
  field(UNSURE_COLUMN, primitive('boolean')),
];

/** What was taken out of a batch. */
export interface Taken {
  readonly rows: number;
  /** About how many bytes of memory they take. */
  readonly bytes: number;
  /** How many of them are not certain to fit. */
  readonly unsure: number;
}

export class RecordChunk implements RowChunk {
  rows = 0;
  readonly #topics = new Int32Array(CHUNK_ROWS);
  readonly #partitions = new Int32Array(CHUNK_ROWS);
  readonly #offsets = new Float64Array(CHUNK_ROWS);
  readonly #timestamps = new Float64Array(CHUNK_ROWS);
  readonly #keys = { starts: new Int32Array(CHUNK_ROWS), lengths: new Int32Array(CHUNK_ROWS) };
  readonly #values = { starts: new Int32Array(CHUNK_ROWS), lengths: new Int32Array(CHUNK_ROWS) };
  /** Stays empty as long as no record has headers: most have none, and an empty column costs nothing. */
  #headers: Value[] = [];
  /** Likewise: true for a record that is not certain to fit. */
  #unsure: Value[] = [];
  #memory = Buffer.allocUnsafeSlow(FIRST_BYTES);
  #used = 0;

  get columns(): RowChunk['columns'] {
    const numbers = [this.#topics, this.#partitions, this.#offsets, this.#timestamps];
    return [...numbers, this.#keys, this.#values, this.#headers, this.#unsure];
  }

  get bytes(): Buffer {
    return this.#memory.subarray(0, this.#used);
  }

  get isFull(): boolean {
    return this.rows === CHUNK_ROWS || this.#used >= FULL_BYTES;
  }

  get isReusable(): boolean {
    return this.#memory.length <= REUSED_BYTES_MOST;
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
      if (records.headerCount > 0) {
        const headers = records.headers();
        this.#headers[row] = headers.map(({ key, value }) => ({ key, value: value && Uint8Array.from(value) }));
        bytes += ROW_BYTES * headers.length;
      }
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
    this.#headers = [];
    this.#unsure = [];
  }

  #copy(bytes: Buffer, start: number, end: number): void {
    const needed = this.#used + (end - start);
    if (needed > this.#memory.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(needed, 2 * this.#memory.length));
      this.#memory.copy(larger, 0, 0, this.#used);
      this.#memory = larger;
    }
    bytes.copy(this.#memory, this.#used, start, end);
    this.#used = needed;
  }
}
