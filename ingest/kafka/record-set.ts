/**
 * What a broker has sent of one partition, ready to be taken: batches of records that a reader of committed data sees, from
 * the wanted offset on, and the holes between them.
 *
 * Promise: what cannot be read stops the flow, naming the partition and its offsets; nothing is passed over.
 */
import { messageOf, SluiceError } from '../../core/errors.ts';
import { decompressed } from './codecs.ts';
import type { RecordSet } from './wire/fetch-response.ts';
import type { RecordBatch } from './wire/record-batch.ts';
import { RecordCursor } from './wire/records.ts';
import { visibleBatches } from './wire/transactions.ts';

/** Offsets that are in no batch, `from` included and `upTo` not. */
export interface Hole {
  readonly from: bigint;
  readonly upTo: bigint;
}

/** A batch with records to take, and the offset to go on from after it. */
export interface Step {
  readonly batch: RecordBatch;
  readonly upTo: bigint;
}

/** @param next the offset that is wanted */
export function holesIn({ batches }: RecordSet, next: bigint): Hole[] {
  const holes: Hole[] = [];
  let at = next;
  for (const { baseOffset, lastOffset } of batches) {
    if (baseOffset > at) holes.push({ from: at, upTo: baseOffset });
    if (lastOffset >= at) at = lastOffset + 1n;
  }
  return holes;
}

/** The offset after the last batch; undefined when there is none. */
export function endOf({ batches }: RecordSet): bigint | undefined {
  const last = batches.at(-1);
  return last && last.lastOffset + 1n;
}

/**
 * What is to be done, in order. Marks and aborted batches are in `upTo` of the step before them.
 * @param name of the partition
 * @throws SluiceError `SOURCE_CORRUPT` when a mark cannot be read
 */
export function stepsFrom(set: RecordSet, next: bigint, name: string): Step[] {
  const end = endOf(set) ?? next;
  let visible: RecordBatch[];
  try {
    visible = visibleBatches(set.batches, set.bytes, set.aborted);
  } catch (error) {
    throw corrupt(name, { baseOffset: next, lastOffset: end - 1n }, error);
  }
  const wanted = visible.filter((batch) => batch.lastOffset >= next && !isEmptied(batch));
  return wanted.map((batch, i) => ({ batch, upTo: wanted[i + 1]?.baseOffset ?? end }));
}

/** Compaction keeps the header of a batch that ends a producer's sequence, though none of its records. */
function isEmptied({ records, start, end }: RecordBatch): boolean {
  return records === 0 && start === end;
}

/**
 * The records of a batch, at the first one from `next` on.
 * @param name of the partition
 * @returns undefined when there is none
 * @throws SluiceError `SOURCE_CORRUPT`
 */
export async function recordsFrom(
  { bytes }: RecordSet,
  batch: RecordBatch,
  next: bigint,
  name: string,
): Promise<RecordCursor | undefined> {
  try {
    const own = bytes.subarray(batch.start, batch.end);
    const records = new RecordCursor(batch, batch.codec === 0 ? own : await decompressed(batch.codec, own));
    const first = Number(next);
    while (records.next()) if (records.offset >= first) return records;
    return undefined;
  } catch (error) {
    throw corrupt(name, batch, error);
  }
}

type Offsets = Pick<RecordBatch, 'baseOffset' | 'lastOffset'>;

/** @param name of the partition */
export function corrupt(name: string, { baseOffset, lastOffset }: Offsets, error: unknown): SluiceError {
  return new SluiceError(
    'SOURCE_CORRUPT',
    `${name}: the batch of the offsets ${String(baseOffset)} to ${String(lastOffset)} cannot be read: ${messageOf(error)}`,
    {
      advice: 'Nothing of it was written or skipped. kafka-dump-log.sh on the broker shows whether its log is damaged.',
      facts: { partition: name, offset: baseOffset },
      cause: error,
    },
  );
}

/**
 * For an answer that has no record batches.
 * @param next the offset that is wanted
 */
export function unknownFormat(name: string, next: bigint): SluiceError {
  return new SluiceError(
    'SOURCE_CORRUPT',
    `${name}: the records from offset ${String(next)} on are damaged, or in a format from before Kafka 0.11`,
    {
      advice:
        'Nothing was skipped. kafka-dump-log.sh on the broker shows which; a topic in the old format can be copied into a new one (MirrorMaker does that).',
      facts: { partition: name, offset: next },
    },
  );
}
