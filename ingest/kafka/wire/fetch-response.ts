/**
 * Takes the records out of an answer to Fetch, and puts a stand-in of one record in their place.
 *
 * Promise: what kafkajs then decodes says the same about partitions, errors and offsets, but holds no records.
 * Source: Apache Kafka documentation, "Protocol", Fetch API (key 1), responses of versions 4 to 11.
 */
import { batchOfOne, recordBatches, type RecordBatch } from './record-batch.ts';
import type { AbortedTransaction } from './transactions.ts';

/** What a broker has sent of one partition. */
export interface RecordSet {
  readonly bytes: Buffer;
  readonly batches: readonly RecordBatch[];
  readonly aborted: readonly AbortedTransaction[];
}

/** The versions whose responses are understood: from the first with record batches to the last that is not compact. */
export const [FIRST_VERSION, LAST_VERSION] = [4, 11];

/** The length of the frame and the number of the request. */
const FRAME_HEADER_BYTES = 8;

/**
 * @param frame a whole response, its length first
 * @param keep puts a set away; gives the value of the record that stands in for it
 * @throws RangeError when the frame is shorter than it says
 */
export function takeRecords(frame: Buffer, version: number, keep: (set: RecordSet) => Buffer): Buffer {
  return new Walk(frame, version, keep).run();
}

class Walk {
  readonly #frame: Buffer;
  readonly #version: number;
  readonly #keep: (set: RecordSet) => Buffer;
  readonly #pieces: Buffer[] = [];
  #at = FRAME_HEADER_BYTES;
  /** Up to here the frame is in the pieces. */
  #copied = 0;

  constructor(frame: Buffer, version: number, keep: (set: RecordSet) => Buffer) {
    this.#frame = frame;
    this.#version = version;
    this.#keep = keep;
  }

  run(): Buffer {
    this.#skip(4);
    if (this.#version >= 7) this.#skip(2 + 4);
    this.#each(() => {
      this.#skip(this.#frame.readInt16BE(this.#skip(2)));
      this.#each(() => {
        this.#partition();
      });
    });
    this.#pieces.push(this.#frame.subarray(this.#copied));
    const whole = Buffer.concat(this.#pieces);
    whole.writeInt32BE(whole.length - 4);
    return whole;
  }

  #partition(): void {
    this.#skip(4 + 2 + 8 + 8);
    if (this.#version >= 5) this.#skip(8);
    const aborted: AbortedTransaction[] = [];
    this.#each(() => {
      const at = this.#skip(8 + 8);
      const [producerId, firstOffset] = [this.#frame.readBigInt64BE(at), this.#frame.readBigInt64BE(at + 8)];
      aborted.push({ producerId, firstOffset });
    });
    if (this.#version >= 11) this.#skip(4);
    const lengthAt = this.#skip(4);
    const length = this.#frame.readInt32BE(lengthAt);
    if (length <= 0) return;
    const start = this.#skip(length);
    const bytes = this.#frame.subarray(start, this.#at);
    const batches = recordBatches(bytes);
    const last = batches?.at(-1);
    if (batches === undefined || last === undefined) return;
    const standIn = batchOfOne(last.lastOffset, this.#keep({ bytes, batches, aborted }));
    const standInLength = Buffer.alloc(4);
    standInLength.writeInt32BE(standIn.length);
    this.#pieces.push(this.#frame.subarray(this.#copied, lengthAt), standInLength, standIn);
    this.#copied = this.#at;
  }

  #each(one: () => void): void {
    const count = this.#frame.readInt32BE(this.#skip(4));
    for (let i = 0; i < count; i++) one();
  }

  /** Goes on by `bytes`; gives the place before. */
  #skip(bytes: number): number {
    const at = this.#at;
    this.#at += bytes;
    if (bytes < 0 || this.#at > this.#frame.length) throw new RangeError('an answer of Kafka is shorter than it says');
    return at;
  }
}
