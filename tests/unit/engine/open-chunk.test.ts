/** Values that are places in larger bytes arrive in DuckDB as they are, short ones and long ones, null and empty. */
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Engine } from '../../../engine/engine.ts';
import type { Session } from '../../../engine/session.ts';
import type { Value } from '../../../engine/values.ts';
import { CHUNK_ROWS } from '../../../engine/vectors.ts';

let engine: Engine;
let session: Session;
beforeAll(async () => {
  engine = await Engine.open({ memoryLimit: '200MB', threads: 2 });
  session = await engine.session();
});
afterAll(() => {
  session.close();
  engine.close();
});

interface Run {
  readonly bytes: Buffer;
  readonly values: readonly (readonly [start: number, length: number])[];
}

const run: fc.Arbitrary<Run> = fc.uint8Array({ maxLength: 400 }).chain((bytes) =>
  fc.record({
    bytes: fc.constant(Buffer.from(bytes)),
    values: fc.array(
      fc
        .tuple(fc.nat(bytes.length), fc.oneof(fc.constant(-1), fc.nat(16), fc.nat(400)))
        .map(([start, length]) => [start, Math.min(length, bytes.length - start)] as const),
      { minLength: 1, maxLength: 60 },
    ),
  }),
);

test('what is read is what lay in the bytes', async () => {
  await session.run('CREATE TABLE sliced (i INTEGER, a BLOB, b BLOB)');
  await fc.assert(
    fc.asyncProperty(fc.array(run, { minLength: 1, maxLength: 8 }), async (runs) => {
      await session.run('TRUNCATE sliced');
      const appender = await session.appender('sliced');
      const chunk = appender.chunk();
      const expected: (Buffer | null)[] = [];
      for (const { bytes, values } of runs) {
        const starts = Int32Array.from(values.map(([start]) => start));
        const lengths = Int32Array.from(values.map(([, length]) => length));
        const reversed = { column: 2, starts: starts.toReversed(), lengths: lengths.toReversed() };
        chunk.setSlices(expected.length, values.length, bytes, [{ column: 1, starts, lengths }, reversed]);
        for (const [start, length] of values) expected.push(length < 0 ? null : Buffer.from(bytes.subarray(start, start + length))); // prettier-ignore
        bytes.fill(0);
      }
      const numbers = Int32Array.from(expected.map((_, i) => i));
      appender.appendChunk(chunk, [numbers, undefined, undefined], expected.length);
      appender.close();
      const rows = await session.rows('SELECT * FROM sliced ORDER BY i');
      expect(rows.map((row) => bufferOf(row['a']))).toEqual(expected);
      const places = runs.flatMap(({ values }, r) => {
        const before = runs.slice(0, r).reduce((sum, one) => sum + one.values.length, 0);
        return values.map((_, i) => before + values.length - 1 - i);
      });
      expect(rows.map((row) => bufferOf(row['b']))).toEqual(places.map((at) => expected[at]));
    }),
    { numRuns: 200 },
  );
});

test('a chunk is empty again once it was appended, and its nulls are gone', async () => {
  await session.run('CREATE TABLE again (a BLOB)');
  const appender = await session.appender('again');
  const chunk = appender.chunk();
  const bytes = Buffer.alloc(CHUNK_ROWS * 20, 'a value of 20 bytes ');
  const starts = Int32Array.from({ length: CHUNK_ROWS }, (_, i) => i * 20);
  const nulls = { column: 0, starts, lengths: new Int32Array(CHUNK_ROWS).fill(-1) };
  chunk.setSlices(0, CHUNK_ROWS, bytes, [nulls]);
  appender.appendChunk(chunk, [undefined], CHUNK_ROWS);
  for (let i = 0; i < 3; i++) {
    chunk.setSlices(0, CHUNK_ROWS, bytes, [{ column: 0, starts, lengths: new Int32Array(CHUNK_ROWS).fill(20) }]);
    appender.appendChunk(chunk, [undefined], CHUNK_ROWS);
  }
  appender.close();
  const counted = `SELECT count(*) AS n, count(a) AS set, count(DISTINCT a) AS different FROM again`;
  expect(await session.rows(counted)).toEqual([{ n: 8192n, set: 6144n, different: 1n }]);
});

test('a place outside of the bytes is refused', async () => {
  await session.run('CREATE TABLE outside (a BLOB)');
  const appender = await session.appender('outside');
  const outside = { column: 0, starts: Int32Array.of(90), lengths: Int32Array.of(11) };
  expect(() => {
    appender.chunk().setSlices(0, 1, Buffer.alloc(100), [outside]);
  }).toThrow(/outside of its bytes/);
  appender.close();
});

function bufferOf(value: Value | undefined): Buffer | null {
  return value instanceof Uint8Array ? Buffer.from(value) : null;
}
