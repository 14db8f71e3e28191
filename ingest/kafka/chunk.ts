/** Up to 2,048 records as columns, the way DuckDB takes them. */
import type { ColumnAppender } from '../../engine/appender.ts';
import type { OpenChunk } from '../../engine/open-chunk.ts';
import type { OpenColumn } from '../../engine/open-column.ts';
import { CHUNK_ROWS } from '../../engine/vectors.ts';
import type { PlainRecords, Split } from '../decode/plain.ts';
import type { RecordCursor } from './wire/records.ts';

/** What a record takes besides its key, value and headers. */
const ROW_BYTES = 48;
const MICROS_PER_MS = 1000;

/** The columns that are stored come in this order; behind them those of the fields. */
const [TOPIC, PARTITION, OFFSET, TIMESTAMP, KEY, VALUE, HEADERS, UNSURE, FIELDS] = [0, 1, 2, 3, 4, 5, 6, 7, 8];

/** What was taken out of a batch. */
export interface Taken {
  readonly rows: number;
  /** About how many bytes of memory they take. */
  readonly bytes: number;
  /** How many of them were kept whole, and how many of those are not certain to fit. */
  readonly whole: number;
  readonly unsure: number;
}

export class RecordChunk {
  readonly #appender: ColumnAppender;
  readonly #plain: PlainRecords | undefined;
  readonly #chunk: OpenChunk;
  readonly #fields: readonly OpenColumn[];
  #rows = 0;

  /**
   * @param appender of a table that `RecordBuffer` made
   * @param plain splits records into their fields; without it each is kept whole, and none is looked at
   */
  constructor(appender: ColumnAppender, plain: PlainRecords | undefined) {
    this.#appender = appender;
    this.#plain = plain;
    this.#chunk = appender.chunk();
    this.#fields = this.#chunk.columns.slice(FIELDS);
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
    const offsets = this.#column(OFFSET);
    const timestamps = this.#column(TIMESTAMP);
    const keys = this.#column(KEY);
    const values = this.#column(VALUE);
    const unsures = this.#column(UNSURE);
    const topics = this.#column(TOPIC);
    const partitions = this.#column(PARTITION);
    let rows = 0;
    let bytes = 0;
    let whole = 0;
    let unsure = 0;
    do {
      const row = from + rows;
      topics.setInt32(row, topic);
      partitions.setInt32(row, partition);
      offsets.setInt64(row, records.offset);
      timestamps.setInt64(row, records.timestampMs * MICROS_PER_MS);
      keys.setSlice(row, records.keyStart, records.keyLength);
      bytes += ROW_BYTES + (records.end - records.start);
      if (records.headerCount > 0) {
        const headers = records.headers();
        this.#column(HEADERS).values[row] = headers.map(({ key, value }) => ({ key, value }));
        bytes += ROW_BYTES * headers.length;
      }
      const split = this.#split(records, row);
      if (split !== 'split') {
        values.setSlice(row, records.valueStart, records.valueLength);
        unsures.setBoolean(row, split === 'unsure');
        whole++;
        if (split === 'unsure') unsure++;
      }
      rows++;
    } while (rows < most && bytes < maxBytes && records.next());
    this.#chunk.copySlices(from, rows, records.bytes.subarray(0, records.end), first);
    this.#rows += rows;
    if (this.#rows === CHUNK_ROWS) this.flush();
    return { rows, bytes, whole, unsure };
  }

  #split({ bytes, view, valueStart, valueLength }: RecordCursor, row: number): Split {
    return this.#plain?.split(bytes, view, valueStart, valueStart + valueLength, this.#fields, row) ?? 'unsure';
  }

  #column(place: number): OpenColumn {
    return this.#chunk.columns[place] as OpenColumn;
  }

  /** Gives what is there to the appender. */
  flush(): void {
    this.#appender.appendChunk(this.#chunk, this.#rows);
    this.#rows = 0;
  }
}
