/**
 * The headers of a record, out of its bytes.
 *
 * Source: Apache Kafka documentation, "Message Format", Record Header.
 */
import { BadRecords, Varints } from './varints.ts';

export interface RecordHeader {
  readonly key: string;
  readonly value: Uint8Array | null;
}

/** Where headers lie. */
export interface HeaderPlace {
  readonly start: number;
  /** Where the record ends. */
  readonly end: number;
  readonly count: number;
}

/** @throws BadRecords when they are not what their lengths say; after this, `headersAt` gives them */
export function checkHeaders(bytes: Buffer, { start, end, count }: HeaderPlace): void {
  const lengths = new Varints(bytes, start);
  for (let i = 0; i < count; i++) {
    const key = lengths.next();
    if (key < 0) throw new BadRecords();
    lengths.at += key;
    const value = lengths.next();
    if (value > 0) lengths.at += value;
    if (lengths.at > end) throw new BadRecords();
  }
}

export function headersAt(bytes: Buffer, { start, count }: HeaderPlace): RecordHeader[] {
  const lengths = new Varints(bytes, start);
  const slice = (length: number): Buffer => bytes.subarray(lengths.at, (lengths.at += length));
  return Array.from({ length: count }, () => {
    const key = slice(lengths.next()).toString('utf8');
    const length = lengths.next();
    return { key, value: length < 0 ? null : slice(length) };
  });
}
