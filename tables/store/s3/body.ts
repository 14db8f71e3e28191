/**
 * The body of a reply, to memory or to a file.
 *
 * Promise: all the bytes that were announced, or an error that is tried again.
 */
import { createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import type { S3Body } from './requests.ts';

/** A reply that ended before all of it was there. */
class CutShort extends Error {
  readonly code = 'ECUT';
}

export async function bytesOf({ stream, bytes }: S3Body): Promise<Uint8Array> {
  const all = new Uint8Array(bytes);
  let at = 0;
  for await (const chunk of stream as AsyncIterable<Uint8Array>) {
    if (at + chunk.length <= bytes) all.set(chunk, at);
    at += chunk.length;
  }
  checkLength(at, bytes);
  return all;
}

/** Fills a file anew. */
export async function toFile({ stream, bytes }: S3Body, path: string): Promise<void> {
  const file = createWriteStream(path, { flags: 'w' });
  await pipeline(stream, file);
  checkLength(file.bytesWritten, bytes);
}

function checkLength(got: number, announced: number): void {
  if (got !== announced) throw new CutShort(`${String(got)} of ${String(announced)} bytes came`);
}
