/**
 * The record batches that a broker sends for a partition: their headers, and where their records lie.
 *
 * Promise: nothing is decompressed or copied; a batch that was cut off at the end of an answer is left out.
 * Source: Apache Kafka documentation, "Message Format", Record Batch (magic 2).
 */
export interface RecordBatch {
  readonly baseOffset: bigint;
  /** The offset of the last record that was written to it, compacted away or not. */
  readonly lastOffset: bigint;
  /** The compression: 0 none, 1 gzip, 2 snappy, 3 lz4, 4 zstd. */
  readonly codec: number;
  readonly isTransactional: boolean;
  /** Its one record is the mark that ends a transaction. */
  readonly isControl: boolean;
  readonly producerId: bigint;
  /** What the timestamps of its records count from; -1 with deltas of 0 means none. */
  readonly baseTimestampMs: number;
  /** The time that the broker gave all of its records; undefined when each has its producer's. */
  readonly appendTimeMs: number | undefined;
  /** How many records it holds. */
  readonly records: number;
  /** Its records, compressed or not, as places in the bytes that were read. */
  readonly start: number;
  readonly end: number;
}

/** Places in a header. */
const LENGTH = 8;
const MAGIC = 16;
const ATTRIBUTES = 21;
const LAST_OFFSET_DELTA = 23;
const BASE_TIMESTAMP = 27;
const MAX_TIMESTAMP = 35;
const PRODUCER_ID = 43;
const RECORDS = 57;
const HEADER_BYTES = 61;
/** What the length does not count: the base offset and the length itself. */
const BEFORE_LENGTH = 12;

const CODEC_BITS = 0x07;
const APPEND_TIME_BIT = 0x08;
const TRANSACTIONAL_BIT = 0x10;
const CONTROL_BIT = 0x20;

const MAGIC_2 = 2;

/**
 * @returns undefined for the message sets of brokers before 0.11 (magic 0 and 1)
 * @throws Error when a length cannot be right
 */
export function recordBatches(bytes: Buffer): RecordBatch[] | undefined {
  const batches: RecordBatch[] = [];
  for (let at = 0; at + HEADER_BYTES <= bytes.length;) {
    if (bytes[at + MAGIC] !== MAGIC_2) return undefined;
    const length = bytes.readInt32BE(at + LENGTH);
    if (length < HEADER_BYTES - BEFORE_LENGTH) throw new Error(`a record batch of ${String(length)} bytes`);
    const end = at + BEFORE_LENGTH + length;
    if (end > bytes.length) break;
    batches.push(recordBatch(bytes, at, end));
    at = end;
  }
  return batches;
}

function recordBatch(bytes: Buffer, at: number, end: number): RecordBatch {
  const attributes = bytes.readInt16BE(at + ATTRIBUTES);
  const baseOffset = bytes.readBigInt64BE(at);
  return {
    baseOffset,
    lastOffset: baseOffset + BigInt(bytes.readInt32BE(at + LAST_OFFSET_DELTA)),
    codec: attributes & CODEC_BITS,
    isTransactional: (attributes & TRANSACTIONAL_BIT) !== 0,
    isControl: (attributes & CONTROL_BIT) !== 0,
    producerId: bytes.readBigInt64BE(at + PRODUCER_ID),
    baseTimestampMs: Number(bytes.readBigInt64BE(at + BASE_TIMESTAMP)),
    appendTimeMs: (attributes & APPEND_TIME_BIT) === 0 ? undefined : Number(bytes.readBigInt64BE(at + MAX_TIMESTAMP)),
    records: bytes.readInt32BE(at + RECORDS),
    start: at + HEADER_BYTES,
    end,
  };
}

/** A batch of one record without a key, for `lastOffset`. Its checksum is 0: kafkajs does not look at it. */
export function batchOfOne(lastOffset: bigint, value: Buffer): Buffer {
  const record = oneRecord(value);
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeBigInt64BE(lastOffset);
  header.writeInt32BE(HEADER_BYTES - BEFORE_LENGTH + record.length, LENGTH);
  header[MAGIC] = MAGIC_2;
  header.writeBigInt64BE(-1n, PRODUCER_ID);
  header.writeInt32BE(1, RECORDS);
  return Buffer.concat([header, record]);
}

/** Source: "Message Format", Record: length, attributes, deltas of timestamp and offset, key, value, headers. */
function oneRecord(value: Buffer): Buffer {
  const noKey = 1;
  const body = [0, 0, 0, noKey, value.length * 2];
  const length = body.length + value.length + 1;
  if (length > 63) throw new RangeError('a stand-in is short');
  return Buffer.concat([Buffer.from([length * 2, ...body]), value, Buffer.from([0])]);
}
