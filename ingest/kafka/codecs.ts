/**
 * The compressions of Kafka.
 *
 * Promise: whatever a producer or a broker (`compression.type`) may have chosen can be read.
 * Source: Apache Kafka documentation, "Message Format", the lowest three bits of a batch's attributes.
 */
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { decompress as decompressZstd, init } from '@bokuweb/zstd-wasm';
import snappy from 'kafkajs-snappy';
import { decompressFrame } from 'lz4-napi';

const ZSTD_ROOM = 2 ** 20;
const ZSTD_ROOM_MAX = 2 ** 28;

let zstd: Promise<void> | undefined;

const unsnappy = snappy();

/** By their number in a batch's attributes. */
const CODECS: readonly ((bytes: Buffer) => Promise<Buffer>)[] = [
  (bytes) => Promise.resolve(bytes),
  promisify<Buffer, Buffer>(gunzip),
  (bytes) => unsnappy.decompress(bytes),
  (bytes) => decompressFrame(bytes),
  async (bytes) => {
    await (zstd ??= init());
    return unzstd(bytes);
  },
];

/**
 * @param codec as a record batch has it
 * @throws Error when the codec is unknown, or the bytes are not what it makes
 */
export async function decompressed(codec: number, bytes: Buffer): Promise<Buffer> {
  const decompress = CODECS[codec];
  if (decompress === undefined) throw new Error(`compression ${String(codec)} is not one of Kafka's`);
  return decompress(bytes);
}

/** Streamed frames, as Java's clients write them, do not say how large they will be: room is doubled until they fit. */
function unzstd(buffer: Buffer): Buffer {
  for (let room = ZSTD_ROOM; ; room *= 4) {
    try {
      const bytes = decompressZstd(buffer, { defaultHeapSize: room });
      return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    } catch (error) {
      if (room >= ZSTD_ROOM_MAX) throw error;
    }
  }
}
