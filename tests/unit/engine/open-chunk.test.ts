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
      for (const [base, { bytes, values }] of runs.entries()) {
        const [, a, b] = chunk.columns;
        for (const [i, [start, length]] of values.entries()) {
          a?.setSlice(expected.length + i, base + start, length);
          b?.setSlice(expected.length + values.length - 1 - i, base + start, length);
        }
        chunk.copySlices(expected.length, values.length, Buffer.concat([Buffer.alloc(base), bytes]), base);
        for (const [start, length] of values) expected.push(length < 0 ? null : Buffer.from(bytes.subarray(start, start + length))); // prettier-ignore
        bytes.fill(0);
      }
      for (const row of expected.keys()) chunk.columns[0]?.setInt32(row, row);
      appender.appendChunk(chunk, expected.length);
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
  chunk.copySlices(0, CHUNK_ROWS, bytes);
  appender.appendChunk(chunk, CHUNK_ROWS);
  for (let i = 0; i < 3; i++) {
    for (let row = 0; row < CHUNK_ROWS; row++) chunk.columns[0]?.setSlice(row, row * 20, 20);
    chunk.copySlices(0, CHUNK_ROWS, bytes);
    appender.appendChunk(chunk, CHUNK_ROWS);
  }
  appender.close();
  const counted = `SELECT count(*) AS n, count(a) AS set, count(DISTINCT a) AS different FROM again`;
  expect(await session.rows(counted)).toEqual([{ n: 8192n, set: 6144n, different: 1n }]);
});

test('a place outside of the bytes is refused', async () => {
  await session.run('CREATE TABLE outside (a BLOB)');
  const appender = await session.appender('outside');
  for (const [start, length, base] of [[90, 11, 0], [9, 1, 10]] as const) {
    const chunk = appender.chunk();
    chunk.columns[0]?.setSlice(0, start, length);
    expect(() => {
      chunk.copySlices(0, 1, Buffer.alloc(100), base);
    }).toThrow(/outside of its bytes/);
  } // prettier-ignore
  appender.close();
});

test('numbers, days, times and booleans lie where DuckDB has them, and a row that was not set is null', async () => {
  await session.run(
    'CREATE TABLE fixed (i INTEGER, l BIGINT, x BIGINT, p DECIMAL(12,2), d DOUBLE, o BOOLEAN, y DATE, t TIMESTAMPTZ, n TIMESTAMP)',
  );
  const appender = await session.appender('fixed');
  const chunk = appender.chunk();
  const [i, l, x, p, d, o, y, t, n] = chunk.columns;
  const longs = [0, -1, 2 ** 31, -(2 ** 31), 2 ** 32, -(2 ** 32) - 1, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER];
  const wide = [0n, -1n, 2n ** 63n - 1n, -(2n ** 63n), 2n ** 32n, 1n, 2n, 3n];
  for (const [row, value] of longs.entries()) {
    i?.setInt32(row, row - 4);
    l?.setInt64(row, value);
    x?.setBigInt64(row, wide[row] ?? 0n);
    p?.setInt64(row, 5 - row * 100);
    d?.setDouble(row, row === 0 ? -0 : row / 8);
    o?.setBoolean(row, row % 2 === 1);
    y?.setInt32(row, row - 1);
    t?.setInt64(row, -1 - row);
    n?.setInt64(row, row);
  }
  for (const column of chunk.columns) column.setNull(3);
  appender.appendChunk(chunk, longs.length + 1);
  appender.close();
  const rows = await session.rows(
    'SELECT i, l, x, p::VARCHAR AS p, d, o, y::VARCHAR AS y, epoch_us(t) AS t, epoch_us(n) AS n FROM fixed ORDER BY rowid',
  );
  const none = { i: null, l: null, x: null, p: null, d: null, o: null, y: null, t: null, n: null };
  const days = ['1969-12-31', '1970-01-01', '1970-01-02', '', '1970-01-04', '1970-01-05', '1970-01-06', '1970-01-07'];
  const prices = ['0.05', '-0.95', '-1.95', '', '-3.95', '-4.95', '-5.95', '-6.95'];
  const expected = longs.map((value, row) => ({
    i: row - 4,
    l: BigInt(value),
    x: wide[row],
    p: prices[row],
    d: row === 0 ? -0 : row / 8,
    o: row % 2 === 1,
    y: days[row],
    t: BigInt(-1 - row),
    n: BigInt(row),
  }));
  expect(rows).toEqual([...expected.slice(0, 3), none, ...expected.slice(4), none]);
});

function bufferOf(value: Value | undefined): Buffer | null {
  return value instanceof Uint8Array ? Buffer.from(value) : null;
}
