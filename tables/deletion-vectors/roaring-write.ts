/**
 * Sets of row numbers into the bytes that Delta keeps: a Roaring bitmap of 64 bits, in the portable format.
 *
 * Promise: pure; each 65,536 rows take whichever of the three kinds of container is smallest, so that a range costs nothing and a bit
 * for each row is the most. `visitRuns` (`roaring.ts`) gives the same rows back.
 * Source: Delta protocol, "Deletion Vector Format"; RoaringFormatSpec.
 */
import { visitRows, type DeletedRows } from './deleted-rows.ts';
import { ARRAY_MOST, BITMAP_BYTES, COOKIE, COOKIE_WITH_RUNS, MAGIC, NO_OFFSETS_BELOW } from './roaring.ts';

const CONTAINER = 2 ** 16;

interface Container {
  readonly key: number;
  readonly values: number;
  readonly isRun: boolean;
  readonly bytes: Buffer;
}

/** @example encodeRows({ first: 0, bits: Uint8Array.of(0b1000_0001) }) // the rows 0 and 7 */
export function encodeRows(rows: DeletedRows): Buffer {
  const containers = containersOf(rows);
  if (containers.length === 0) return Buffer.concat([u32(MAGIC), u32(0, 0)]);
  // No file has more than 2³² rows: one bucket, of the key 0.
  return Buffer.concat([u32(MAGIC), u32(1, 0), u32(0), ...bucket(containers)]);
}

function bucket(containers: readonly Container[]): Buffer[] {
  const { length } = containers;
  const hasRuns = containers.some(({ isRun }) => isRun);
  const flags = Buffer.alloc(hasRuns ? Math.ceil(length / 8) : 0);
  for (const [i, { isRun }] of containers.entries()) if (isRun) flags[i >> 3] = (flags[i >> 3] ?? 0) | (1 << (i & 7));
  const head = hasRuns ? u32(COOKIE_WITH_RUNS | ((length - 1) << 16)) : u32(COOKIE, length);
  const keys = u16(containers.flatMap(({ key, values }) => [key, values - 1]));
  const hasOffsets = !hasRuns || length >= NO_OFFSETS_BELOW;
  let at = head.length + flags.length + keys.length + (hasOffsets ? length * 4 : 0);
  const offsets = containers.map(({ bytes }) => {
    at += bytes.length;
    return at - bytes.length;
  });
  return [head, flags, keys, ...(hasOffsets ? [u32(...offsets)] : []), ...containers.map(({ bytes }) => bytes)];
}

function containersOf(rows: DeletedRows): Container[] {
  const found: Container[] = [];
  let key = -1;
  let values: number[] = [];
  const end = (): void => {
    if (values.length > 0) found.push(container(key, values));
    values = [];
  };
  visitRows(rows, (row) => {
    const own = Math.floor(row / CONTAINER);
    if (own !== key) end();
    key = own;
    values.push(row % CONTAINER);
  });
  end();
  return found;
}

/** @param values in order */
function container(key: number, values: readonly number[]): Container {
  const runs: number[] = [];
  let [start, last] = [-1, -2];
  for (const value of [...values, Infinity]) {
    if (value === last + 1) {
      last = value;
      continue;
    }
    if (start >= 0) runs.push(start, last - start);
    [start, last] = [value, value];
  }
  const asRuns = 2 + runs.length * 2;
  const otherwise = values.length > ARRAY_MOST ? BITMAP_BYTES : values.length * 2;
  const isRun = asRuns < otherwise;
  const bytes = isRun ? u16([runs.length / 2, ...runs]) : values.length > ARRAY_MOST ? bitmap(values) : u16(values);
  return { key, values: values.length, isRun, bytes };
}

function bitmap(values: readonly number[]): Buffer {
  const bits = Buffer.alloc(BITMAP_BYTES);
  for (const value of values) bits[value >> 3] = (bits[value >> 3] ?? 0) | (1 << (value & 7));
  return bits;
}

function u16(values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 2);
  for (const [i, value] of values.entries()) bytes.writeUInt16LE(value, i * 2);
  return bytes;
}

function u32(...values: number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4);
  for (const [i, value] of values.entries()) bytes.writeUInt32LE(value >>> 0, i * 4);
  return bytes;
}
