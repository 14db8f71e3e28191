/** Up to 2,048 records as columns, the way DuckDB takes them. */
import type { IHeaders, KafkaMessage } from 'kafkajs';
import { CHUNK_ROWS, type ColumnAppender } from '../../engine/appender.ts';
import type { Value } from '../../engine/values.ts';

/** What a record takes besides its key, value and headers. */
const ROW_BYTES = 48;
const MICROS_PER_MS = 1000;

export class RecordChunk {
  readonly #topics: string[] = [];
  readonly #partitions = new Int32Array(CHUNK_ROWS);
  readonly #offsets = new Float64Array(CHUNK_ROWS);
  readonly #timestamps = new Float64Array(CHUNK_ROWS);
  readonly #keys: (Uint8Array | null)[] = [];
  readonly #values: (Uint8Array | null)[] = [];
  /** Stays empty as long as no record has headers: most have none, and an empty column costs nothing. */
  #headers: Value[] = [];
  #rows = 0;

  get rows(): number {
    return this.#rows;
  }

  /**
   * @returns about how many bytes of memory the record takes
   */
  add(topic: string, partition: number, { offset, timestamp, key, value, headers }: KafkaMessage): number {
    const row = this.#rows++;
    this.#topics[row] = topic;
    this.#partitions[row] = partition;
    this.#offsets[row] = Number(offset);
    this.#timestamps[row] = timestamp === '-1' ? Number.NaN : Number(timestamp) * MICROS_PER_MS;
    this.#keys[row] = key;
    this.#values[row] = value;
    let bytes = ROW_BYTES + (key?.length ?? 0) + (value?.length ?? 0);
    const list = headers === undefined ? [] : headerList(headers);
    if (list.length > 0) {
      this.#headers[row] = list;
      for (const { value: content } of list) bytes += ROW_BYTES + (content?.length ?? 0);
    }
    return bytes;
  }

  moveTo(appender: ColumnAppender): void {
    const columns = [
      this.#topics,
      this.#partitions,
      this.#offsets,
      this.#timestamps,
      this.#keys,
      this.#values,
      this.#headers,
    ];
    appender.append(columns, this.#rows);
    this.#headers = [];
    this.#rows = 0;
  }
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
