/** Which rows of a file are deleted is read exactly, or refused. */
import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  deletionVectorPath,
  readDeletedRows,
  type DeletedRows,
} from '../../../tables/deletion-vectors/deleted-rows.ts';
import { visitRuns } from '../../../tables/deletion-vectors/roaring.ts';
import { decodeZ85 } from '../../../tables/deletion-vectors/z85.ts';
import type { DeletionVector } from '../../../tables/log/deletion-vector.ts';
import { MemoryStore } from '../../../tables/store/memory.ts';
import { encodeRows as writtenRows } from '../../../tables/deletion-vectors/roaring-write.ts';
import { encodeRows, type ContainerKind } from './roaring-encoder.ts';

function rowsIn(bytes: Uint8Array): number[] {
  const rows: number[] = [];
  visitRuns(bytes, (first, last) => {
    for (let row = first; row <= last; row++) rows.push(row);
  });
  return rows;
}

function rowsOf({ first, bits }: DeletedRows): number[] {
  return Array.from(bits).flatMap((byte, at) => Array.from({ length: 8 }, (_, bit) => bit).filter((bit) => (byte & (0x80 >> bit)) !== 0).map((bit) => first + at * 8 + bit)); // prettier-ignore
}

const ON_DISK: DeletionVector = {
  storageType: 'u',
  pathOrInlineDv: 'ab^-aqEH.-t@S}K{vb[*k^',
  offset: 1,
  sizeInBytes: 0,
  cardinality: 0n,
};
const FILE = 'ab/deletion_vector_d2c639aa-8816-431a-aaf6-d3fe2512ff61.bin';

/** A file with one set in it. */
function stored(data: Buffer): Buffer {
  const whole = Buffer.alloc(1 + 4 + data.length + 4);
  whole.writeUInt8(1);
  whole.writeInt32BE(data.length, 1);
  data.copy(whole, 5);
  whole.writeUInt32BE(crc32(data), 5 + data.length);
  return whole;
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

test('the examples of the protocol', async () => {
  expect(Buffer.from(decodeZ85('HelloWorld')).toString('hex')).toBe('864fd26fb559f75b');
  expect(deletionVectorPath(ON_DISK)).toBe(FILE);
  // The text of the protocol has this set with its integers the other way round, which no reader takes.
  const inline: DeletionVector = { storageType: 'i', pathOrInlineDv: '^Bg9^0rr910000000000iXQKl0rr91000f55c8Xg0@@D72lkbi5=-{L', sizeInBytes: 44, cardinality: 6n };
  expect(rowsOf(await readDeletedRows(new MemoryStore(), inline, 'file'))).toEqual([3, 4, 7, 11, 18, 29]);
}); // prettier-ignore

/** Runs and single rows near the borders of containers and buckets, in order. */
const rowSet = fc
  .array(
    fc.record({
      start: fc.oneof(fc.nat(200_000), fc.constantFrom(65_535, 65_536, 2 ** 32 - 3, 2 ** 32, 5 * 2 ** 32 + 65_536)),
      length: fc.oneof(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 9000 })),
      step: fc.integer({ min: 1, max: 3 }),
    }),
    { minLength: 1, maxLength: 8 },
  )
  .map((parts) => {
    const rows = parts.flatMap(({ start, length, step }) => Array.from({ length }, (_, i) => start + i * step));
    return [...new Set(rows)].sort((a, b) => a - b);
  });
const kinds = fc.array(fc.constantFrom<ContainerKind>('array', 'bitmap', 'run'), { minLength: 1, maxLength: 5 });

test('any set, in any kind of container', () => {
  fc.assert(
    fc.property(rowSet, kinds, (rows, some) => {
      expect(rowsIn(encodeRows(rows, (key) => some[key % some.length] ?? 'array'))).toEqual(rows);
    }),
    { numRuns: 200 },
  );
});

test('any set that is written is read again, and needs no more bytes than a bit for each row', () => {
  const within = rowSet.map((rows) => rows.filter((row) => row < 300_000));
  fc.assert(
    fc.property(within, fc.nat(40), (rows, first) => {
      const bits = new Uint8Array(Math.ceil(((rows.at(-1) ?? 0) + 1) / 8));
      for (const row of rows) bits[row >> 3] = (bits[row >> 3] ?? 0) | (0x80 >> (row & 7));
      const written = writtenRows({ first, bits });
      expect(rowsIn(written)).toEqual(rows.map((row) => row + first));
      expect(written.length).toBeLessThan(bits.length + 8192 + 64 + Math.ceil(bits.length / 8192) * 9);
    }),
    { numRuns: 200 },
  );
  // A range is one run, wherever it ends.
  expect(writtenRows({ first: 0, bits: new Uint8Array(8000).fill(0xff) }).length).toBeLessThan(40);
});

test('the older form', () => {
  const rows = [1, 5, 65_536, 2 ** 32 + 7];
  const low = encodeRows([1, 5, 65_536], () => 'array').subarray(16);
  const high = encodeRows([7], () => 'array').subarray(16);
  const sized = [low, high].flatMap((bucket) => [u32(bucket.length), bucket]);
  expect(rowsIn(Buffer.concat([u32(1_681_511_376), u32(2), ...sized]))).toEqual(rows);
});

test('a set that ends too early is refused wherever it ends', () => {
  const whole = encodeRows([1, 2, 3, 70_000, 70_001, 140_000], (key) => (key === 1 ? 'run' : 'array'));
  for (let end = 0; end < whole.length; end++) {
    expect(() => rowsIn(whole.subarray(0, end)), `${String(end)} bytes`).toThrow(SyntaxError);
  }
});

test('a file with one bit turned over is refused, whichever it is', async () => {
  const data = encodeRows([3, 4, 7, 11, 18, 29, 70_000], () => 'array');
  const vector = { ...ON_DISK, sizeInBytes: data.length, cardinality: 7n };
  const store = new MemoryStore();
  const whole = stored(data);
  await store.put(FILE, whole, 'replace');
  expect(rowsOf(await readDeletedRows(store, vector, 'file'))).toEqual([3, 4, 7, 11, 18, 29, 70_000]);
  for (let bit = 0; bit < whole.length * 8; bit++) {
    const damaged = Buffer.from(whole);
    damaged.writeUInt8(damaged.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
    await store.put(FILE, damaged, 'replace');
    await expect(readDeletedRows(store, vector, 'file'), `bit ${String(bit)}`).rejects.toMatchObject({ code: 'DELETION_VECTOR_CORRUPT' }); // prettier-ignore
  }
});

test.each([
  ['another number of rows', { cardinality: 6n }],
  ['another size', { sizeInBytes: 20 }],
  ['a place beyond its end', { offset: 1000 }],
  ['a name that is no UUID', { pathOrInlineDv: 'not a uuid, as it is' }],
])('a descriptor that tells of %s is refused', async (_, wrong) => {
  const data = encodeRows([1, 2, 3], () => 'array');
  const store = new MemoryStore();
  await store.put(FILE, stored(data), 'create');
  const vector = { ...ON_DISK, sizeInBytes: data.length, cardinality: 3n, ...wrong };
  await expect(readDeletedRows(store, vector, 'part-0.parquet')).rejects.toMatchObject({
    code: 'DELETION_VECTOR_CORRUPT',
    message: expect.stringContaining('part-0.parquet') as string,
  });
});

test('a file that is gone is named', async () => {
  const missing = readDeletedRows(new MemoryStore(), { ...ON_DISK, sizeInBytes: 8 }, 'part-0.parquet');
  await expect(missing).rejects.toMatchObject({
    code: 'FILE_MISSING',
    message: expect.stringContaining(FILE) as string,
  });
});
