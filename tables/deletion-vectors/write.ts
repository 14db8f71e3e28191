/**
 * Deletion vectors as files: which rows of some data files are deleted, all of them in one new file beside the data.
 *
 * Promise: the file is durable when this returns, and nobody knows of it before a commit names it; a file that exists is never written over.
 * Source: Delta protocol, "Deletion Vector File Storage Format", "Deletion Vectors".
 */
import { crc32 } from 'node:zlib';
import type { Random } from '../../core/random.ts';
import type { DeletionVector } from '../log/deletion-vector.ts';
import type { ObjectStore } from '../store/object-store.ts';
import { countRows, deletionVectorPath, type DeletedRows } from './deleted-rows.ts';
import { encodeRows } from './roaring-write.ts';
import { encodeZ85 } from './z85.ts';

const FORMAT = Buffer.from([1]);

export interface WrittenVectors {
  /** The file's path, as the log has paths. */
  readonly path: string;
  /** One for each set, in order. */
  readonly vectors: readonly DeletionVector[];
}

/** @param sets one for each data file; none of them empty */
export async function writeVectors(
  { store, random }: { readonly store: ObjectStore; readonly random: Random },
  sets: readonly DeletedRows[],
): Promise<WrittenVectors> {
  const pathOrInlineDv = encodeZ85(Buffer.from(random.uuid().replaceAll('-', ''), 'hex'));
  const parts: Buffer[] = [FORMAT];
  let offset = FORMAT.length;
  const vectors = sets.map((set): DeletionVector => {
    const data = encodeRows(set);
    const vector = { storageType: 'u' as const, pathOrInlineDv, offset, sizeInBytes: data.length, cardinality: countRows(set) };
    parts.push(bigEndian(data.length), data, bigEndian(crc32(data)));
    offset += data.length + 8;
    return vector;
  }); // prettier-ignore
  const path = deletionVectorPath({ storageType: 'u', pathOrInlineDv, sizeInBytes: 0, cardinality: 0n });
  await store.put(path, Buffer.concat(parts), 'create');
  return { path, vectors };
}

function bigEndian(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value >>> 0);
  return bytes;
}
