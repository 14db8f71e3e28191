/**
 * A file of a table as its clone names it, and what is to be copied for that.
 *
 * Promise: pure; the same file of the source always gets the same name in a clone, so that a second clone knows what is there.
 */
import { createHash } from 'node:crypto';
import { deletionVectorPath } from '../deletion-vectors/deleted-rows.ts';
import type { AddFile } from '../log/actions.ts';
import type { DeletionVector } from '../log/deletion-vector.ts';
import { withoutIds } from '../row-tracking.ts';
import type { ObjectStore } from '../store/object-store.ts';
import { absolutePath, encodedPath, isAbsolute, placeOf, type Place } from '../store/place.ts';

export interface Copy {
  readonly from: Place;
  readonly to: Place;
  readonly bytes: bigint;
  /** Whether no other file can have its name: then one that is there is this one. */
  readonly isUnique: boolean;
}

export interface Cloned {
  readonly file: AddFile;
  readonly copies: readonly Copy[];
}

const UUID = /[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}/i;

/** The file itself, by its full path. */
export function shallowFile(from: ObjectStore, file: AddFile): Cloned {
  const { deletionVector } = file;
  const vector =
    deletionVector?.storageType === 'u'
      ? { deletionVector: elsewhere(deletionVector, from, deletionVectorPath(deletionVector)) }
      : {};
  return { file: { ...withoutIds(file), ...vector, path: absolutePath(from, file.path) }, copies: [] };
}

/** A copy of the file, under the path that it has in the source. */
export function deepFile(from: ObjectStore, to: ObjectStore, file: AddFile): Cloned {
  const data = copied(from, to, file.path, file.bytes);
  const { deletionVector } = file;
  if (deletionVector === undefined || deletionVector.storageType === 'i') {
    return { file: { ...withoutIds(file), path: data.path }, copies: [data.copy] };
  }
  const vector = copied(from, to, deletionVectorPath(deletionVector), BigInt(deletionVector.sizeInBytes));
  const isOwn = deletionVector.storageType === 'u';
  return {
    file: {
      ...withoutIds(file),
      path: data.path,
      deletionVector: isOwn ? deletionVector : elsewhere(deletionVector, to, vector.path),
    },
    copies: [data.copy, vector.copy],
  };
}

function elsewhere(vector: DeletionVector, store: ObjectStore, path: string): DeletionVector {
  return { ...vector, storageType: 'p', pathOrInlineDv: absolutePath(store, path) };
}

function copied(
  from: ObjectStore,
  to: ObjectStore,
  encoded: string,
  bytes: bigint,
): { readonly path: string; readonly copy: Copy } {
  const place = placeOf(from, encoded);
  const path =
    isAbsolute(encoded) && place.store !== from ? encodedPath(nameOf(encoded, place.path)) : relative(encoded, place);
  return { path, copy: { from: place, to: placeOf(to, path), bytes, isUnique: UUID.test(path) } };
}

function relative(encoded: string, place: Place): string {
  return isAbsolute(encoded) ? encodedPath(place.path) : encoded;
}

/** Files of several folders come into one: two of them may have the same name. */
function nameOf(encoded: string, path: string): string {
  const hash = createHash('sha256').update(encoded).digest('hex').slice(0, 16);
  return `clone-${hash}-${path.slice(path.lastIndexOf('/') + 1)}`;
}
