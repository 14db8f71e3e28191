/**
 * The rows of a data file that a deletion vector takes out, read from the log or from a file.
 *
 * Promise: a set that is not exactly what its descriptor says (format, size, checksum, number of rows) is refused: a row
 * that was deleted is never read, and no other is left out. Source: Delta protocol, "Deletion Vectors".
 */
import { crc32 } from 'node:zlib';
import { messageOf, SluiceError } from '../../core/errors.ts';
import type { DeletionVector } from '../log/deletion-vector.ts';
import type { ObjectStore } from '../store/object-store.ts';
import { placeOf } from '../store/place.ts';
import { visitRuns } from './roaring.ts';
import { decodeZ85 } from './z85.ts';

export interface DeletedRows {
  /** The first row that is deleted, counted from 0. */
  readonly first: number;
  /** A bit for each row from there on, the highest bit of a byte first: 1 is deleted. */
  readonly bits: Uint8Array;
}

const UUID_CHARACTERS = 20;
const FORMAT = 1;
const NEAR = 65_536;
/** Sets of more rows than this in one data file would not fit the query that leaves them out. */
const ROWS_MOST = 2 ** 31;

/**
 * @param file the data file, for messages
 * @throws SluiceError `FILE_MISSING`, `DELETION_VECTOR_CORRUPT`
 */
export async function readDeletedRows(store: ObjectStore, vector: DeletionVector, file: string): Promise<DeletedRows> {
  try {
    const bytes = vector.storageType === 'i' ? inline(vector) : await stored(store, vector);
    return rowsOf(bytes, vector.cardinality);
  } catch (error) {
    if (error instanceof SluiceError) throw error;
    throw new SluiceError(
      'DELETION_VECTOR_CORRUPT',
      `${store.location}/${file}: which of its rows are deleted cannot be read: ${messageOf(error)}`,
      {
        advice: 'Restore the deletion vector from a backup, or read an older version of the table (VERSION AS OF).',
        facts: { table: store.location, file, deletionVector: vector.pathOrInlineDv },
        cause: error,
      },
    );
  }
}

/** Where a deletion vector lies that is not in the log: as the path of an action. */
export function deletionVectorPath({ storageType, pathOrInlineDv }: DeletionVector): string {
  if (storageType === 'p') return pathOrInlineDv;
  const prefix = pathOrInlineDv.slice(0, -UUID_CHARACTERS);
  const hex = Buffer.from(decodeZ85(pathOrInlineDv.slice(-UUID_CHARACTERS))).toString('hex');
  const uuid = hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
  return `${prefix === '' ? '' : `${prefix}/`}deletion_vector_${uuid}.bin`;
}

/** Visits the rows of a set, in order. */
export function visitRows({ first, bits }: DeletedRows, visit: (row: number) => void): void {
  for (const [at, byte] of bits.entries()) {
    if (byte === 0) continue;
    for (let bit = 0; bit < 8; bit++) if ((byte & (0x80 >> bit)) !== 0) visit(first + at * 8 + bit);
  }
}

/** How many rows a set has. */
export function countRows({ bits }: DeletedRows): bigint {
  let rows = 0;
  for (const byte of bits) for (let rest = byte; rest !== 0; rest &= rest - 1) rows++;
  return BigInt(rows);
}

/** The rows of `a` that are not in `b`. */
export function rowsWithout(a: DeletedRows | undefined, b: DeletedRows | undefined): DeletedRows {
  if (a === undefined) return { first: 0, bits: new Uint8Array(0) };
  const bits = Uint8Array.from(a.bits);
  if (b === undefined) return { first: a.first, bits };
  visitRows(b, (one) => {
    const row = one - a.first;
    if (row >= 0 && row >> 3 < bits.length) bits[row >> 3] = (bits[row >> 3] ?? 0) & ~(0x80 >> (row & 7));
  });
  return { first: a.first, bits };
}

/** The rows that are in either of two sets. */
export function rowsOfBoth(a: DeletedRows, b: DeletedRows | undefined): DeletedRows {
  if (b === undefined || b.bits.length === 0) return a;
  const end = Math.max(...[a, b].map((set) => set.first + set.bits.length * 8));
  const bits = new Uint8Array(Math.ceil(end / 8));
  for (const set of [a, b]) {
    visitRows(set, (row) => {
      bits[row >> 3] = (bits[row >> 3] ?? 0) | (0x80 >> (row & 7));
    });
  }
  return { first: 0, bits };
}

/** The paths of all that a logical file is made of, as the log has them: its data, and which rows of it are deleted. */
export function pathsOf({
  path,
  deletionVector,
}: {
  readonly path: string;
  readonly deletionVector?: DeletionVector;
}): string[] {
  if (deletionVector === undefined || deletionVector.storageType === 'i') return [path];
  return [path, deletionVectorPath(deletionVector)];
}

function inline({ pathOrInlineDv, sizeInBytes }: DeletionVector): Uint8Array {
  const bytes = decodeZ85(pathOrInlineDv);
  if (bytes.length < sizeInBytes) throw new SyntaxError(`${String(bytes.length)} bytes, not ${String(sizeInBytes)}`);
  return bytes.subarray(0, sizeInBytes);
}

/** The bytes of a set in a file: its size, itself, its checksum. */
async function stored(store: ObjectStore, vector: DeletionVector): Promise<Uint8Array> {
  const { offset = 0, sizeInBytes } = vector;
  const place = placeOf(store, deletionVectorPath(vector));
  const end = offset + 4 + sizeInBytes + 4;
  // The format is the first byte of the file: where the set begins near it, one request has both.
  const isNear = offset <= NEAR;
  const head = await place.store.get(place.path, { start: 0, end: isNear ? end : 1 });
  if (head[0] !== FORMAT) throw new SyntaxError(`a file of the format ${String(head[0])}, not ${String(FORMAT)}`);
  const bytes = isNear ? head.subarray(offset) : await place.store.get(place.path, { start: offset, end });
  if (bytes.length !== end - offset) throw new SyntaxError('the file ends too early');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const size = view.getInt32(0);
  if (size !== sizeInBytes) throw new SyntaxError(`${String(size)} bytes, not ${String(sizeInBytes)}`);
  const data = bytes.subarray(4, 4 + sizeInBytes);
  if (crc32(data) !== view.getUint32(4 + sizeInBytes)) throw new SyntaxError('its checksum is another');
  return data;
}

function rowsOf(bytes: Uint8Array, cardinality: bigint): DeletedRows {
  let [first, end, count] = [-1, 0, 0];
  visitRuns(bytes, (from, to) => {
    if (first < 0) first = from;
    end = to + 1;
    count += to - from + 1;
  });
  if (BigInt(count) !== cardinality) throw new SyntaxError(`${String(count)} rows, not ${String(cardinality)}`);
  if (end > ROWS_MOST) throw new SyntaxError(`the row ${String(end - 1)}, which no file has`);
  if (count === 0) return { first: 0, bits: new Uint8Array(0) };
  const bits = new Uint8Array(Math.ceil((end - first) / 8));
  visitRuns(bytes, (from, to) => {
    for (let row = from - first; row <= to - first; row++) {
      const byte = row >> 3;
      bits[byte] = (bits[byte] ?? 0) | (0x80 >> (row & 7));
    }
  });
  return { first, bits };
}
