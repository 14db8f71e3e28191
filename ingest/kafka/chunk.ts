/** Up to 2,048 records as columns, the way DuckDB takes them. */
import type { IHeaders, KafkaMessage } from 'kafkajs';
import { CHUNK_ROWS, type ColumnAppender, type OpenChunk } from '../../engine/appender.ts';
import type { Value } from '../../engine/values.ts';

/** What a record takes besides its key, value and headers. */
const ROW_BYTES = 48;
const MICROS_PER_MS = 1000;

/** Among the columns that are stored: the place of the topic, partition, offset, timestamp, key, value, headers. */
const [KEY, VALUE] = [4, 5];

export class RecordChunk {
  readonly #appender: ColumnAppender;
  readonly #topics = new Int32Array(CHUNK_ROWS);
  readonly #partitions = new Int32Array(CHUNK_ROWS);
  readonly #offsets = new Float64Array(CHUNK_ROWS);
  readonly #timestamps = new Float64Array(CHUNK_ROWS);
  /** Stays empty as long as no record has headers: most have none, and an empty column costs nothing. */
  #headers: Value[] = [];
  #chunk: OpenChunk;
  #rows = 0;

  /** @param appender of a table that `RecordBuffer` made */
  constructor(appender: ColumnAppender) {
    this.#appender = appender;
    this.#chunk = appender.chunk();
  }

  /**
   * @param topic its place in the list of topics, from 1 on
   * @returns about how many bytes of memory the record takes
   */
  add(topic: number, partition: number, { offset, timestamp, key, value, headers }: KafkaMessage): number {
    const row = this.#rows++;
    this.#topics[row] = topic;
    this.#partitions[row] = partition;
    this.#offsets[row] = Number(offset);
    this.#timestamps[row] = timestamp === '-1' ? Number.NaN : Number(timestamp) * MICROS_PER_MS;
    this.#chunk.setBytes(KEY, row, key);
    this.#chunk.setBytes(VALUE, row, value);
    let bytes = ROW_BYTES + (key?.length ?? 0) + (value?.length ?? 0);
    if (headers !== undefined && hasAny(headers)) {
      const list = headerList(headers);
      this.#headers[row] = list;
      for (const { value: content } of list) bytes += ROW_BYTES + (content?.length ?? 0);
    }
    if (this.#rows === CHUNK_ROWS) this.flush();
    return bytes;
  }

  /** Gives what is there to the appender. */
  flush(): void {
    const columns = [
      this.#topics,
      this.#partitions,
      this.#offsets,
      this.#timestamps,
      undefined,
      undefined,
      this.#headers,
    ];
    this.#appender.appendChunk(this.#chunk, columns, this.#rows);
    this.#chunk = this.#appender.chunk();
    this.#headers = [];
    this.#rows = 0;
  }
}

/** Without making an array for each record. */
function hasAny(headers: IHeaders): boolean {
  for (const _ in headers) return true;
  return false;
}

type Header = { readonly key: string; readonly value: Uint8Array | null };

/** A key that comes several times is an array in kafkajs, and several entries here. */
function headerList(headers: IHeaders): Header[] {
  return Object.entries(headers).flatMap(([key, values]) =>
    (Array.isArray(values) ? values : [values]).map((value) => ({ key, value: bytesOf(value) })),
  );
}

function bytesOf(value: Buffer | string | undefined): Uint8Array | null {
  if (value === undefined) return null;
  return typeof value === 'string' ? Buffer.from(value) : value;
}
