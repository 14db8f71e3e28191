/** kafkajs's own encoder and decoder of the protocol: what the bytes that the tap takes apart are held against. */
import { createRequire } from 'node:module';

const load = createRequire(import.meta.url);
const internal = (path: string): unknown => load(`kafkajs/src/${path}`);

export interface WireRecord {
  readonly offsetDelta: number;
  readonly timestampDelta: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: Readonly<Record<string, Buffer | readonly Buffer[]>>;
}

export interface WireBatch {
  readonly firstOffset: bigint;
  readonly firstTimestamp: number;
  readonly maxTimestamp: number;
  readonly lastOffsetDelta: number;
  readonly records: readonly WireRecord[];
  readonly producerId?: bigint;
  readonly transactional?: boolean;
}

interface Encoded {
  readonly buffer: Buffer;
}

const { RecordBatch } = internal('protocol/recordBatch/v0/index.js') as {
  RecordBatch: (batch: object) => Promise<Encoded>;
};
const Record = internal('protocol/recordBatch/record/v0/index.js') as (record: WireRecord) => Encoded;
const Long = internal('utils/long.js') as { fromString(text: string): unknown };

export async function encodeBatch(batch: WireBatch): Promise<Buffer> {
  const { buffer } = await RecordBatch({
    ...batch,
    firstOffset: Long.fromString(String(batch.firstOffset)),
    producerId: Long.fromString(String(batch.producerId ?? -1n)),
    records: batch.records.map(Record),
  });
  return Buffer.from(buffer);
}

export interface DecodedMessage {
  readonly offset: string;
  readonly timestamp: string;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: Readonly<Record<string, Buffer | readonly Buffer[]>>;
}

export interface DecodedPartition {
  readonly partition: number;
  readonly errorCode: number;
  readonly highWatermark: string;
  readonly abortedTransactions: readonly { producerId: string; firstOffset: string }[];
  readonly messages: readonly DecodedMessage[];
}

export interface DecodedFetch {
  readonly responses: readonly { readonly topicName: string; readonly partitions: readonly DecodedPartition[] }[];
}

/** @param payload without its length and the number of the request */
export async function decodeFetch(version: number, payload: Buffer): Promise<DecodedFetch> {
  const { decode } = internal(`protocol/requests/fetch/v${String(version)}/response.js`) as {
    decode: (payload: Buffer) => Promise<DecodedFetch>;
  };
  return decode(payload);
}
