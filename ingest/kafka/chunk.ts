/** Up to 2,048 records as columns, the way DuckDB takes them. */
import type { ColumnAppender } from '../../engine/appender.ts';
import type { OpenChunk } from '../../engine/open-chunk.ts';
import { CHUNK_ROWS } from '../../engine/vectors.ts';
import type { Value } from '../../engine/values.ts';
import type { PlainRecords } from '../decode/plain.ts';
import type { RecordCursor } from './wire/records.ts';

/** What a record takes besides its key, value and headers. */
const ROW_BYTES = 48;
const MICROS_PER_MS = 1000;

/** Among the columns that are stored: the place of the topic, partition, offset, timestamp, key, value, headers, `unsure`. */
const [KEY, VALUE] = [4, 5];

/** What was taken out of a batch. */
export interface Taken {
  readonly rows: number;
  /** About how many bytes of memory they take. */
  readonly bytes: number;
  /** How many of them are not certain to fit. */
  readonly unsure: number;
}

export class RecordChunk {
  readonly #appender: ColumnAppender;
  readonly #topics = new Int32Array(CHUNK_ROWS);
  readonly #partitions = new Int32Array(CHUNK_ROWS);
  readonly #offsets = new Float64Array(CHUNK_ROWS);
  readonly #timestamps = new Float64Array(CHUNK_ROWS);
  /** Of the records that are being taken: places in their bytes. */
  readonly #keys = { column: KEY, starts: new Int32Array(CHUNK_ROWS), lengths: new Int32Array(CHUNK_ROWS) };
  readonly #values = { column: VALUE, starts: new Int32Array(CHUNK_ROWS), lengths: new Int32Array(CHUNK_ROWS) };
  /** Stays empty as long as no record has headers: most have none, and an empty column costs nothing. */
  #headers: Value[] = [];
  /** Likewise: true for a record that is not certain to fit. */
  #unsure: Value[] = [];
  readonly #plain: PlainRecords | undefined;
  readonly #chunk: OpenChunk;
  #rows = 0;

  /**
   * @param appender of a table that `RecordBuffer` made
   * @param plain tells which records are certain to fit; without it none is looked at
   */
  constructor(appender: ColumnAppender, plain: PlainRecords | undefined) {
    this.#appender = appender;
    this.#plain = plain;
    this.#chunk = appender.chunk();
  }

  /**
   * Takes records: one, and more of them while there is room for another in this chunk, `maxRows` and `maxBytes`.
   * @param topic its place in the list of topics, from 1 on
   * @param records at a record that is to be taken; afterwards at the last one that was
   */
  take(topic: number, partition: number, records: RecordCursor, maxRows: number, maxBytes: number): Taken {
    const from = this.#rows;
    const most = Math.min(maxRows, CHUNK_ROWS - from);
    const first = records.start;
    let rows = 0;
    let bytes = 0;
    let unsure = 0;
    const plain = this.#plain;
    do {
      const row = from + rows;
      this.#offsets[row] = records.offset;
      this.#timestamps[row] = records.timestampMs * MICROS_PER_MS;
      this.#keys.starts[rows] = records.keyStart - first;
      this.#keys.lengths[rows] = records.keyLength;
      this.#values.starts[rows] = records.valueStart - first;
      this.#values.lengths[rows] = records.valueLength;
      bytes += ROW_BYTES + (records.end - records.start);
      if (records.headerCount > 0) {
        const headers = records.headers();
        this.#headers[row] = headers.map(({ key, value }) => ({ key, value }));
        bytes += ROW_BYTES * headers.length;
      }
      const valueEnd = records.valueStart + records.valueLength;
      if (plain?.takes(records.bytes, records.view, records.valueStart, valueEnd) === false) {
        this.#unsure[row] = true;
        unsure++;
      }
      rows++;
    } while (rows < most && bytes < maxBytes && records.next());
    this.#topics.fill(topic, from, from + rows);
    this.#partitions.fill(partition, from, from + rows);
    this.#chunk.setSlices(from, rows, records.bytes.subarray(first, records.end), [this.#values, this.#keys]);
    this.#rows += rows;
    if (this.#rows === CHUNK_ROWS) this.flush();
    return { rows, bytes, unsure };
  }

  /** Gives what is there to the appender. */
  flush(): void {
    const numbers = [this.#topics, this.#partitions, this.#offsets, this.#timestamps];
    this.#appender.appendChunk(
      this.#chunk,
      [...numbers, undefined, undefined, this.#headers, this.#unsure],
      this.#rows,
    );
    this.#headers = [];
    this.#unsure = [];
    this.#rows = 0;
  }
}
