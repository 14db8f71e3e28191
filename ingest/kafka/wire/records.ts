/**
 * One record after the other, out of the bytes of a batch: where its key and value lie, not copies of them.
 *
 * Promise: no object is made for a record. Every place it gives lies within the bytes; a batch that is not what its header
 * says is an error, never a wrong record.
 * Source: Apache Kafka documentation, "Message Format", Record.
 */
import { checkHeaders, type HeaderPlace } from './headers.ts';
import type { RecordBatch } from './record-batch.ts';
import { BadRecords, Varints } from './varints.ts';

/** The lengths of its key and of its value. */
const HEADER_BYTES_MIN = 2;

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
  readonly #in: Varints;
  #left: number;
  readonly #baseOffset: number;
  readonly #baseTimestampMs: number;
  readonly #appendTimeMs: number | undefined;

  /** @param bytes the batch's records, decompressed, and nothing else */
  constructor(batch: RecordBatch, bytes: Buffer) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.end = 0;
    this.#in = new Varints(bytes, 0);
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
    const varints = this.#in;
    if (this.#left === 0) {
      if (varints.at !== this.bytes.length) throw new BadRecords();
      return false;
    }
    this.#left--;
    const length = varints.next();
    const start = varints.at;
    const end = start + length;
    if (!(length > 0 && end <= this.bytes.length)) throw new BadRecords();
    varints.at++;
    const timestampDelta = varints.next();
    this.offset = this.#baseOffset + varints.next();
    const timestampMs = this.#appendTimeMs ?? this.#baseTimestampMs + timestampDelta;
    this.timestampMs = timestampMs < 0 ? Number.NaN : timestampMs;
    this.keyLength = varints.next();
    this.keyStart = varints.at;
    if (this.keyLength > 0) varints.at += this.keyLength;
    this.valueLength = varints.next();
    this.valueStart = varints.at;
    if (this.valueLength > 0) varints.at += this.valueLength;
    this.headerCount = varints.next();
    this.#headersStart = varints.at;
    const headersMost = (end - varints.at) / HEADER_BYTES_MIN;
    if (!(this.keyLength >= -1 && this.valueLength >= -1 && this.headerCount >= 0 && this.headerCount <= headersMost))
      throw new BadRecords();
    this.start = start;
    this.end = end;
    varints.at = end;
    return true;
  }

  /**
   * Where the headers of the record lie that it is at.
   * @throws BadRecords when they are not what their lengths say
   */
  headers(): HeaderPlace {
    const place = { start: this.#headersStart, end: this.end, count: this.headerCount };
    checkHeaders(this.bytes, place);
    return place;
  }
}
