/** Rows that lie in JavaScript are the same rows to every query, however many read them, and none that is cut off hangs. */
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { field, primitive, struct, type DataType } from '../../../core/schema.ts';
import { Engine } from '../../../engine/engine.ts';
import type { RowChunk } from '../../../engine/row-function.ts';
import type { Session } from '../../../engine/session.ts';
import type { Slices } from '../../../engine/slices.ts';
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

const LONG = field('n', primitive('long'));
const NOTHING = Buffer.alloc(0);

function chunkOf(
  rows: number,
  columns: readonly ReturnType<RowChunk['column']>[],
  bytes: Uint8Array = NOTHING,
): RowChunk {
  return { rows, column: (place) => columns[place] ?? [], bytes };
}

/** Chunks of numbers from 0 on. */
function numbers(rows: number, perChunk = CHUNK_ROWS): RowChunk[] {
  return Array.from({ length: Math.ceil(rows / perChunk) }, (_, i) => {
    const own = Math.min(perChunk, rows - i * perChunk);
    return chunkOf(own, [Float64Array.from({ length: own }, (_, at) => i * perChunk + at)]);
  });
}

/** A hundred chunks of numbers; when a query first reads the one at `place`, something happens. */
function numbersThen(place: number, happens: () => void): RowChunk[] {
  const chunks = numbers(100 * CHUNK_ROWS);
  let hasHappened = false;
  return chunks.map((chunk, i) => {
    if (i !== place) return chunk;
    return {
      ...chunk,
      column: (column) => {
        if (!hasHappened) happens();
        hasHappened = true;
        return chunk.column(column);
      },
    };
  });
}

test('each type arrives as it was given, with its nulls', async () => {
  const types: DataType[] = [
    primitive('integer'), primitive('long'), primitive('timestamp'), primitive('boolean'), primitive('string'), primitive('binary'),
    { kind: 'array', element: struct([field('key', primitive('string')), field('value', primitive('binary'))]), containsNull: true },
    primitive('double'),
  ]; // prettier-ignore
  const bytes = Buffer.from('twelve bytes, and a text that is longer');
  const slices: Slices = { starts: Int32Array.of(0, 0, 0), lengths: Int32Array.of(12, -1, bytes.length) };
  const columns = [
    Int32Array.of(1, -2, 3), Float64Array.of(2 ** 53 - 1, Number.NaN, -1), Float64Array.of(0, 1, Number.NaN), [true, null, false],
    slices, slices, [[{ key: 'a', value: Uint8Array.of(1) }], null, []], [],
  ]; // prettier-ignore
  const chunk = chunkOf(3, columns, bytes);
  const fields = types.map((type, i) => field(`c${String(i)}`, type));
  const { relation, release } = engine.expose({ fields, chunks: [chunk] });
  expect(await session.rows(`SELECT * FROM ${relation} ORDER BY rowid`)).toEqual([
    { c0: 1, c1: 9007199254740991n, c2: '1970-01-01 00:00:00+00', c3: true, c4: 'twelve bytes', c5: bytes.subarray(0, 12), c6: [{ key: 'a', value: Buffer.of(1) }], c7: null, rowid: 0n },
    { c0: -2, c1: null, c2: '1970-01-01 00:00:00.000001+00', c3: null, c4: null, c5: null, c6: null, c7: null, rowid: 1n },
    { c0: 3, c1: -1n, c2: null, c3: false, c4: bytes.toString(), c5: bytes, c6: [], c7: null, rowid: 2n },
  ]); // prettier-ignore
  release();
});

const text = fc.string({ unit: 'binary', maxLength: 40 });

test('texts that lie in larger bytes are what lay there, in any number of chunks', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.array(fc.option(text), { minLength: 1, maxLength: 80 }), { maxLength: 6 }), async (parts) => {
      const chunks = parts.map((values): RowChunk => {
        const encoded = values.map((value) => Buffer.from(value ?? 'not this'));
        const starts = encoded.map((_, i) => encoded.slice(0, i).reduce((sum, one) => sum + one.length, 0));
        const lengths = values.map((value, i) => (value === null ? -1 : (encoded[i]?.length ?? 0)));
        const slices: Slices = { starts: Int32Array.from(starts), lengths: Int32Array.from(lengths) };
        return chunkOf(values.length, [slices, slices], Buffer.concat(encoded));
      });
      const fields = [field('a', primitive('string')), field('b', primitive('binary'))];
      const { relation, release } = engine.expose({ fields, chunks });
      const rows = await session.rows(`SELECT a, b, decode(b) = a AS same FROM ${relation} ORDER BY rowid`);
      expect(rows.map(({ a }) => a)).toEqual(parts.flat());
      expect(rows.every(({ b, same }) => (b === null ? same === null : same === true))).toBe(true);
      release();
    }),
    { numRuns: 100 },
  );
}); // prettier-ignore

test('any query may read them: several times, at once, in parts, without a column', async () => {
  const rows = 50_000;
  const { relation, release } = engine.expose({ fields: [LONG, field('empty', primitive('string'))], chunks: numbers(rows) }); // prettier-ignore
  expect(await session.rows(`SELECT count(*) AS n FROM ${relation}`)).toEqual([{ n: 50_000n }]);
  expect(await session.rows(`SELECT sum(rowid)::BIGINT AS s FROM ${relation}`)).toEqual([{ s: 1_249_975_000n }]);
  expect(await session.rows(`SELECT count(empty) AS n, max(n) AS most FROM ${relation} WHERE n % 2 = 0`)).toEqual([{ n: 0n, most: 49_998n }]); // prettier-ignore
  expect(await session.rows(`SELECT n FROM ${relation} LIMIT 1`)).toHaveLength(1);
  const joined = `SELECT count(*) AS n FROM ${relation} AS a JOIN ${relation} AS b ON a.n = b.rowid WHERE a.rowid = b.n`;
  expect(await session.rows(joined)).toEqual([{ n: 50_000n }]);
  const others = await Promise.all(Array.from({ length: 6 }, () => engine.session()));
  const sums = await Promise.all(others.map((other) => other.rows(`SELECT sum(n)::BIGINT AS s FROM ${relation}`)));
  expect(sums.map(([row]) => row?.['s'])).toEqual(others.map(() => 1_249_975_000n));
  for (const other of others) other.close();
  release();
});

test('rows that were released are an error, also in the middle of a query', async () => {
  const { relation, release } = engine.expose({ fields: [LONG], chunks: numbersThen(20, () => { release(); }) }); // prettier-ignore
  const running = session.rows(`SELECT sum(sqrt(n)) AS s FROM ${relation}`);
  await expect(running).rejects.toThrow(/the rows of sluice_rows\(\d+\) were released/);
  await expect(session.rows(`SELECT * FROM ${relation}`)).rejects.toThrow(/were released/);
  expect(await session.rows('SELECT 1 AS one')).toEqual([{ one: 1 }]);
});

test('a value outside of its bytes is an error', async () => {
  for (const [start, length] of [[90, 11], [-1, 5]] as const) {
    const columns = [{ starts: Int32Array.of(start), lengths: Int32Array.of(length) }];
    const { relation, release } = engine.expose({ fields: [field('a', primitive('string'))], chunks: [chunkOf(1, columns, Buffer.alloc(100))] });
    await expect(session.rows(`SELECT a FROM ${relation}`)).rejects.toThrow(/outside of its bytes/);
    release();
  } // prettier-ignore
});

test('a query that is interrupted ends, and the next one runs', async () => {
  const own = await engine.session();
  const { relation, release } = engine.expose({ fields: [LONG], chunks: numbersThen(20, () => { own.interrupt(); }) }); // prettier-ignore
  const running = own.rows(`SELECT sum(sqrt(n)) AS s FROM ${relation}`);
  await expect(running).rejects.toMatchObject({ code: 'INTERRUPTED' });
  expect(await own.rows(`SELECT count(*) AS n FROM ${relation}`)).toEqual([{ n: 100n * BigInt(CHUNK_ROWS) }]);
  own.close();
  release();
});

test('a table is appended to while another query waits for its rows', async () => {
  const { relation, release } = engine.expose({ fields: [LONG], chunks: numbers(500_000) });
  const own = await engine.session();
  await own.run('CREATE TABLE meanwhile (n BIGINT)');
  const appender = await own.appender('meanwhile');
  let isRunning = true;
  const sum = session.rows(`SELECT sum(n)::BIGINT AS s FROM ${relation}`).finally(() => {
    isRunning = false;
  });
  let appended = 0n;
  do {
    appender.append([Float64Array.from({ length: 2048 }, (_, i) => i)], 2048);
    appender.flush();
    appended += 2048n;
    await new Promise(setImmediate);
  } while (isRunning as boolean);
  appender.close();
  expect(await sum).toEqual([{ s: 124_999_750_000n }]);
  expect(await own.rows('SELECT count(*) AS n FROM meanwhile')).toEqual([{ n: appended }]);
  own.close();
  release();
});
