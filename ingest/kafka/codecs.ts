/**
 * The compressions of Kafka that kafkajs leaves out: snappy, lz4 and zstd (gzip is built in).
 *
 * Promise: whatever a producer or a broker (`compression.type`) may have chosen can be read.
 */
import { decompress, init } from '@bokuweb/zstd-wasm';
import kafkajs from 'kafkajs';
import snappy from 'kafkajs-snappy';
import { compressFrame, decompressFrame } from 'lz4-napi';
import { SluiceError } from '../../core/errors.ts';

const { CompressionCodecs, CompressionTypes } = kafkajs;

const ZSTD_ROOM = 2 ** 20;
const ZSTD_ROOM_MAX = 2 ** 28;

let zstd: Promise<void> | undefined;

/** Tells kafkajs of the codecs; to be called before a client is made, more than once does no harm. */
export function registerCodecs(): void {
  CompressionCodecs[CompressionTypes.Snappy] = snappy;
  CompressionCodecs[CompressionTypes.LZ4] = () => ({
    compress: async ({ buffer }: { readonly buffer: Buffer }) => compressFrame(buffer),
    decompress: async (buffer: Buffer) => decompressFrame(buffer),
  });
  CompressionCodecs[CompressionTypes.ZSTD] = () => ({
    compress: () => Promise.reject(new SluiceError('INTERNAL', 'zstd is for reading only')),
    decompress: async (buffer: Buffer) => {
      await (zstd ??= init());
      return unzstd(buffer);
    },
  });
}

/** Streamed frames, as Java's clients write them, do not say how large they will be: room is doubled until they fit. */
function unzstd(buffer: Buffer): Buffer {
  for (let room = ZSTD_ROOM; ; room *= 4) {
    try {
      const bytes = decompress(buffer, { defaultHeapSize: room });
      return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    } catch (error) {
      if (room >= ZSTD_ROOM_MAX) throw error;
    }
  }
}
