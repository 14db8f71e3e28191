/**
 * One record after the other, out of the bytes of a batch: where its key and value lie, not copies of them.
 *
 * Promise: no object is made for a record. Every place it gives lies within the bytes; a batch that is not what its header
 * says is an error, never a wrong record.
 * Source: Apache Kafka documentation, "Message Format", Record; "Varint" as in Protocol Buffers, zigzag.
 */
import type { RecordBatch } from './record-batch.ts';

export interface RecordHeader {
  readonly key: string;
  readonly value: Uint8Array | null;
}

/** Up to here a varint fits into what JavaScript's bit operators can hold. */
const SMALL_VARINT_BITS = 28;
const VARINT_BITS = 70;
/** The lengths of its key and of its value. */
const HEADER_BYTES_MIN = 2;

/** The bytes of a batch are not what its header says. */
export class BadRecords extends Error {
  constructor() {
    super('the records of a batch are not as its header says');
    this.name = 'BadRecords';
  }
}

/** @example const records = new RecordCursor(batch, bytes); while (records.next()) records.offset; */
export class RecordCursor {
  /** What the places are places in. */
  readonly bytes: Buffer;
  /** Of the same bytes. */
  readonly view: DataView;
  offset = 0;
  /** NaN when it has none. */
  timestampMs = Number.NaN;
  /** Where the record begins; it ends where the next one begins. */
  start = 0;
  end: number;
  keyStart = 0;
  /** -1: null. */
  keyLength = -1;
  valueStart = 0;
  valueLength = -1;
  headerCount = 0;
  #headersStart = 0;
  #at: number;
  #left: number;
  readonly #baseOffset: number;
  readonly #baseTimestampMs: number;
  readonly #appendTimeMs: number | undefined;

  /** @param bytes the batch's records, decompressed, and nothing else */
  constructor(batch: RecordBatch, bytes: Buffer) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.end = 0;
    this.#at = 0;
    this.#left = batch.records;
    this.#baseOffset = Number(batch.baseOffset);
    this.#baseTimestampMs = batch.baseTimestampMs;
    this.#appendTimeMs = batch.appendTimeMs;
  }

  /**
   * Goes to the next record.
   * @throws BadRecords when the bytes are not records, or not as many as the header says
   */
  next(): boolean {
    if (this.#left === 0) {
      if (this.#at !== this.bytes.length) throw new BadRecords();
      return false;
    }
    this.#left--;
    const length = this.#varint();
    const start = this.#at;
    const end = start + length;
    if (!(length > 0 && end <= this.bytes.length)) throw new BadRecords();
    this.#at++;
    const timestampDelta = this.#varint();
    this.offset = this.#baseOffset + this.#varint();
    const timestampMs = this.#appendTimeMs ?? this.#baseTimestampMs + timestampDelta;
    this.timestampMs = timestampMs < 0 ? Number.NaN : timestampMs;
    this.keyLength = this.#varint();
    this.keyStart = this.#at;
    if (this.keyLength > 0) this.#at += this.keyLength;
    this.valueLength = this.#varint();
    this.valueStart = this.#at;
    if (this.valueLength > 0) this.#at += this.valueLength;
    this.headerCount = this.#varint();
    this.#headersStart = this.#at;
    const headersMost = (end - this.#at) / HEADER_BYTES_MIN;
    if (!(this.keyLength >= -1 && this.valueLength >= -1 && this.headerCount >= 0 && this.headerCount <= headersMost))
      throw new BadRecords();
    this.start = start;
    this.end = end;
    this.#at = end;
    return true;
  }

  /** The headers of the record that it is at. */
  headers(): RecordHeader[] {
    const after = this.#at;
    this.#at = this.#headersStart;
    const headers = Array.from({ length: this.headerCount }, () => {
      const key = this.#slice();
      if (key === null) throw new BadRecords();
      return { key: key.toString('utf8'), value: this.#slice() };
    });
    this.#at = after;
    return headers;
  }

  #slice(): Buffer | null {
    const length = this.#varint();
    if (length < 0) return null;
    const start = this.#at;
    this.#at += length;
    if (this.#at > this.end) throw new BadRecords();
    return this.bytes.subarray(start, this.#at);
  }

  #varint(): number {
    const { bytes } = this;
    let byte = bytes[this.#at++] ?? 0;
    let value = byte & 0x7f;
    for (let shift = 7; byte >= 0x80; shift += 7) {
      if (shift === SMALL_VARINT_BITS) return this.#longVarint(value);
      byte = bytes[this.#at++] ?? 0;
      value |= (byte & 0x7f) << shift;
    }
    return (value >>> 1) ^ -(value & 1);
  }

  #longVarint(low: number): number {
    let value = BigInt(low);
    let byte = 0x80;
    for (let shift = SMALL_VARINT_BITS; byte >= 0x80; shift += 7) {
      if (shift >= VARINT_BITS) throw new BadRecords();
      byte = this.bytes[this.#at++] ?? 0;
      value |= BigInt(byte & 0x7f) << BigInt(shift);
    }
    return Number(BigInt.asIntN(64, (value >> 1n) ^ -(value & 1n)));
  }
}
