/**
 * Which batches of an answer a reader of committed data is to see.
 *
 * Promise: marks that end transactions are left out, and so is every batch of a transaction that was aborted.
 * Source: KIP-98, "Reader"; the answer of Fetch lists aborted transactions by producer and first offset.
 */
import { RecordCursor } from './records.ts';
import type { RecordBatch } from './record-batch.ts';

export interface AbortedTransaction {
  readonly producerId: bigint;
  readonly firstOffset: bigint;
}

const ABORT = 0;

/** @param bytes what the batches are places in */
export function visibleBatches(
  batches: readonly RecordBatch[],
  bytes: Buffer,
  aborted: readonly AbortedTransaction[],
): RecordBatch[] {
  const ahead = aborted.toSorted((a, b) => Number(a.firstOffset - b.firstOffset));
  const open = new Set<bigint>();
  return batches.filter((batch) => {
    while (ahead[0] !== undefined && ahead[0].firstOffset <= batch.lastOffset) {
      open.add(ahead[0].producerId);
      ahead.shift();
    }
    if (batch.isControl) {
      if (open.has(batch.producerId) && isAbortMark(batch, bytes)) open.delete(batch.producerId);
      return false;
    }
    return !(batch.isTransactional && open.has(batch.producerId));
  });
}

/** The key of a mark: its version, then its type. */
function isAbortMark(batch: RecordBatch, bytes: Buffer): boolean {
  const mark = new RecordCursor(batch, bytes.subarray(batch.start, batch.end));
  return mark.next() && mark.keyLength >= 4 && mark.bytes.readInt16BE(mark.keyStart + 2) === ABORT;
}
