/**
 * A file of this machine becomes an object: in one request, or in parts when it is large.
 *
 * Promise: the object appears whole or not at all; parts that were sent for nothing are taken back; memory holds a few parts,
 * whatever the size of the file. Source: Amazon S3 User Guide, "Multipart upload limits".
 */
import { open, type FileHandle } from 'node:fs/promises';
import { faultOf, mayHaveHappened } from './faults.ts';
import type { S3Access } from './access.ts';
import type { S3Part } from './requests.ts';

/** Each is read into memory, so that it can be sent again. */
const PART_BYTES = 8 * 2 ** 20;
const PARTS_MOST = 10_000;
const PARTS_AT_ONCE = 4;

export interface Target {
  readonly bucket: string;
  readonly key: string;
  /** For messages. */
  readonly place: string;
}

/** @throws SluiceError `STORAGE_*`; the object may be there nevertheless */
export async function upload(access: S3Access, target: Target, path: string): Promise<void> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    const partBytes = Math.max(PART_BYTES, Math.ceil(size / PARTS_MOST));
    if (size > partBytes) await inParts(access, target, file, { size, partBytes });
    else {
      const body = await part(file, 0, size);
      const { bucket, key, place } = target;
      const writeId = access.random.uuid();
      await access.send('write', place, (requests) => requests.put(bucket, key, body, { writeId, ifAbsent: false }));
    }
  } finally {
    await file.close();
  }
}

async function inParts(
  access: S3Access,
  { bucket, key, place }: Target,
  file: FileHandle,
  { size, partBytes }: { readonly size: number; readonly partBytes: number },
): Promise<void> {
  const writeId = access.random.uuid();
  const uploadId = await access.send('write', place, (requests) => requests.beginUpload(bucket, key, writeId));
  try {
    const count = Math.ceil(size / partBytes);
    const parts: S3Part[] = [];
    let next = 0;
    let failed = false;
    const worker = async (): Promise<void> => {
      while (next < count && !failed) {
        const at = next++;
        const body = await part(file, at * partBytes, Math.min(size, (at + 1) * partBytes));
        parts[at] = await access.send('write', place, (requests) =>
          requests.uploadPart(bucket, key, { uploadId, number: at + 1, body }),
        );
      }
    };
    const workers = Array.from({ length: Math.min(count, PARTS_AT_ONCE) }, () =>
      worker().catch((error: unknown) => {
        failed = true;
        throw error;
      }),
    );
    // All have ended before the upload is taken back: a part that comes later would stay, and be paid for.
    for (const done of await Promise.allSettled(workers)) if (done.status === 'rejected') throw done.reason;
    await access.send('write', place, async (requests, before) => {
      try {
        await requests.endUpload(bucket, key, uploadId, parts);
      } catch (error) {
        const gone = faultOf(error).name === 'NoSuchUpload' && before.some(mayHaveHappened);
        if (!gone || (await requests.head(bucket, key)).writeId !== writeId) throw error;
      }
    });
  } catch (error) {
    await access.send('write', place, (requests) => requests.abortUpload(bucket, key, uploadId)).catch(() => undefined);
    throw error;
  }
}

async function part(file: FileHandle, start: number, end: number): Promise<Uint8Array> {
  const bytes = Buffer.alloc(end - start);
  for (let at = 0; at < bytes.length;) {
    const { bytesRead } = await file.read(bytes, at, bytes.length - at, start + at);
    if (bytesRead === 0) throw new Error('the file became shorter while it was read');
    at += bytesRead;
  }
  return bytes;
}
