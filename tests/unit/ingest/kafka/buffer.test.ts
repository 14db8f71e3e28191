/** What is handed over has exactly the records that its positions tell of, also when records turn out to be damaged. */
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { systemClock } from '../../../../core/clock.ts';
import { Engine } from '../../../../engine/engine.ts';
import { PlainRecords } from '../../../../ingest/decode/plain.ts';
import { parseSchema } from '../../../../core/schema-text.ts';
import { RecordBuffer, type FullRows } from '../../../../ingest/kafka/buffer.ts';
import { recordBatches } from '../../../../ingest/kafka/wire/record-batch.ts';
import { RecordCursor } from '../../../../ingest/kafka/wire/records.ts';
import { BadRecords } from '../../../../ingest/kafka/wire/varints.ts';
import { encodeBatch } from './kafkajs-wire.ts';

const RECORDS = 5000;
const LIMITS = { rows: 3000, bytes: 2 ** 24, flushMs: 60_000 };

let engine: Engine;
beforeAll(async () => {
  engine = await Engine.open({ memoryLimit: '200MB', threads: 2 });
});
afterAll(() => {
  engine.close();
});

function buffer(bufferBytes = 2 ** 26, plain?: PlainRecords): RecordBuffer {
  const made = new RecordBuffer({
    engine,
    clock: systemClock,
    topics: ['t'],
    bufferBytes,
    plain,
    changed: () => undefined,
  });
  made.limits = LIMITS;
  return made;
}

const text = (i: number): Buffer | null => Buffer.from(`the value of record number ${String(i)}`);

/** At its first record. @param declared how many records the header says there are */
async function cursor(
  firstOffset: bigint,
  declared = RECORDS,
  valueOf = text,
  headersOf: (i: number) => Record<string, string> = () => ({}),
): Promise<RecordCursor> {
  const records = Array.from({ length: RECORDS }, (_, i) => ({
    offsetDelta: i,
    timestampDelta: i,
    key: i % 3 === 0 ? null : Buffer.from(`key ${String(i)}`),
    value: valueOf(i),
    headers: Object.fromEntries(Object.entries(headersOf(i)).map(([name, value]) => [name, Buffer.from(value)])),
  }));
  const times = { firstTimestamp: 1000, maxTimestamp: 1000 };
  const whole = await encodeBatch({ firstOffset, ...times, lastOffsetDelta: RECORDS - 1, records });
  const [header] = recordBatches(whole) ?? [];
  if (header === undefined) throw new Error('no batch');
  const made = new RecordCursor({ ...header, records: declared }, whole.subarray(header.start, header.end));
  made.next();
  return made;
}

const at = (next: bigint): { topic: string; partition: number; name: string; next: bigint } => ({
  topic: 't',
  partition: 0,
  name: 't/0',
  next,
});

/** Appends chunk after chunk, as the reader does. */
function fill(into: RecordBuffer, from: bigint, records: RecordCursor, end: bigint, until = end): bigint {
  let next = from;
  while (next < until) next = into.append(at(next), records, end);
  return next;
}

async function offsets(table: FullRows | undefined): Promise<unknown> {
  if (table === undefined) throw new Error('no table');
  const session = await engine.session();
  const [row] = await session.rows(
    `SELECT count(DISTINCT "offset") AS n, min("offset") AS low, max("offset") AS high, count("key") AS keys, topic ` +
      `FROM ${table.relation} GROUP BY topic`,
  );
  session.close();
  table.release();
  return row;
}

test('a batch of a broker is cut at the limit of rows, and each part tells from where to where it goes', async () => {
  const made = buffer();
  const records = await cursor(100n);
  const middle = fill(made, 100n, records, 5200n, 3100n);
  expect(middle).toBe(3100n);
  const first = made.take(false);
  expect([...(first?.moved ?? [])]).toEqual([['t/0', { from: 100n, upTo: 3100n }]]);
  expect(await offsets(first)).toEqual({ n: 3000n, low: 100n, high: 3099n, keys: 2000n, topic: 't' });
  expect(made.take(false)).toBeUndefined();
  expect(fill(made, middle, records, 5200n)).toBe(5200n);
  const second = made.take(true);
  expect([...(second?.moved ?? [])]).toEqual([['t/0', { from: 3100n, upTo: 5200n }]]);
  expect(await offsets(second)).toEqual({ n: 2000n, low: 3100n, high: 5099n, keys: 1333n, topic: 't' });
  made.clear();
});

test('records that are not certain to fit are marked and counted, also when a batch ends among them', async () => {
  const made = buffer(2 ** 26, new PlainRecords(parseSchema('n BIGINT')));
  const records = await cursor(0n, RECORDS, (i) =>
    i % 10 === 3 ? null : Buffer.from(i % 10 === 7 ? '{"n":"7"}' : `{"n":${String(i)}}`),
  );
  const session = await engine.session();
  const marked = async (table: FullRows | undefined): Promise<unknown> => {
    if (table === undefined) throw new Error('no table');
    const rows = await session.rows(
      `SELECT count(*) AS marked, list_sort(list(DISTINCT "offset" % 10)) AS places FROM ${table.relation} WHERE unsure`,
    );
    table.release();
    return [table.unsureRows, ...rows];
  };
  const middle = fill(made, 0n, records, 5000n, 3000n);
  const first = made.take(false);
  fill(made, middle, records, 5000n);
  expect(await marked(first)).toEqual([600, { marked: 600n, places: [3n, 7n] }]);
  expect(await marked(made.take(true))).toEqual([400, { marked: 400n, places: [3n, 7n] }]);
  session.close();
  made.clear();
});

test('a small buffer hands over what it has, and never less than a record', async () => {
  const made = buffer(1000);
  const records = await cursor(0n);
  const upTo = made.append(at(0n), records, BigInt(RECORDS));
  expect(upTo).toBeGreaterThan(0n);
  expect(upTo).toBeLessThan(BigInt(RECORDS));
  expect(made.append(at(upTo), records, BigInt(RECORDS))).toBe(upTo);
  expect(made.hasRoom).toBe(false);
  expect(await offsets(made.take(false))).toMatchObject({ n: upTo, low: 0n, high: upTo - 1n });
  expect(made.hasRoom).toBe(true);
  made.clear();
});

test.each([
  ['small batches', { rows: 7, bytes: 2 ** 24, flushMs: 60_000 }, 20],
  ['batches that are small by their bytes', { rows: 3000, bytes: 1000, flushMs: 60_000 }, 300],
  ['large records', LIMITS, 20_000],
])('what is buffered keeps to its bytes, with what it takes besides the records: %s', async (_, limits, length) => {
  const bufferBytes = 8 * 2 ** 20;
  const columnBytes = 80 * 1024;
  const made = buffer(bufferBytes);
  made.limits = limits;
  let rows = 0;
  for (let round = 0; round < 4; round++) {
    const records = await cursor(0n, RECORDS, () => Buffer.alloc(length, 'x'));
    for (let next = 0n; next < BigInt(RECORDS); next = made.append(at(next), records, BigInt(RECORDS))) {
      if (made.hasRoom) continue;
      const all: FullRows[] = [];
      for (let full = made.take(true); full !== undefined; full = made.take(true)) all.push(full);
      const bytes = all.reduce((sum, full) => sum + full.bytes, 0);
      expect(bytes + all.length * columnBytes).toBeLessThan(bufferBytes + 2 ** 21);
      expect(made.hasRoom).toBe(false);
      for (const full of all) full.release();
      rows += all.reduce((sum, full) => sum + full.rows, 0);
      expect(made.hasRoom).toBe(true);
    }
  }
  expect(rows).toBeGreaterThan(1000);
  made.clear();
});

test('however much goes through, chunks are used again once they are as large as it takes', async () => {
  const made = buffer(2 ** 22);
  const alike = (i: number): Buffer => Buffer.alloc(280 + (i % 40), 'x');
  const allocations = vi.spyOn(Buffer, 'allocUnsafeSlow');
  const counts: number[] = [];
  for (let round = 0; round < 30; round++) {
    const records = await cursor(0n, RECORDS, alike);
    allocations.mockClear();
    let batch: FullRows | undefined;
    for (let next = 0n; next < BigInt(RECORDS); next = made.append(at(next), records, BigInt(RECORDS))) {
      if (made.hasRoom) continue;
      // The next batch fills while this one is landed.
      batch?.release();
      batch = made.take(true);
    }
    batch?.release();
    counts.push(allocations.mock.calls.length);
  }
  expect(counts[0]).toBeGreaterThan(0);
  expect(counts.slice(20)).toEqual(counts.slice(20).map(() => 0));
  allocations.mockRestore();
  made.clear();
});

test('after damaged records nothing is handed over until everything was thrown away', async () => {
  const made = buffer();
  const damaged = await cursor(0n, 2500);
  expect(() => fill(made, 0n, damaged, BigInt(RECORDS))).toThrow(BadRecords);
  expect(made.take(true)).toBeUndefined();
  made.clear();
  fill(made, 0n, await cursor(0n), BigInt(RECORDS), 3000n);
  expect(await offsets(made.take(true))).toMatchObject({ n: 3000n, low: 0n, high: 2999n });
  made.clear();
});

test('large records and small ones arrive as they are, keys and headers too, and memory is used again', async () => {
  const made = buffer();
  const session = await engine.session();
  const large = (i: number): Buffer => Buffer.alloc(i % 100 === 0 ? 300_000 : i % 7, 97 + (i % 26));
  const headers = (i: number): Record<string, string> =>
    i % 5 === 2 ? { place: String(i), other: 'é'.repeat(i % 9) } : {};
  for (let round = 0; round < 3; round++) {
    fill(made, 0n, await cursor(0n, RECORDS, large, round === 1 ? () => ({}) : headers), BigInt(RECORDS), 3000n);
    const full = made.take(false);
    if (full === undefined) throw new Error('no batch');
    const rows = await session.rows(
      `SELECT "offset", "key", list_transform(headers, lambda h: h."key" || '=' || decode(h."value")) AS headers, octet_length("value")::INT AS length, "value" = repeat(chr((97 + "offset" % 26)::INT), octet_length("value"))::BLOB AS same FROM ${full.relation} ORDER BY rowid`,
    );
    const key = (i: number): Buffer | null => (i % 3 === 0 ? null : Buffer.from(`key ${String(i)}`));
    expect(rows).toEqual(
      Array.from({ length: full.rows }, (_, i) => ({
        offset: BigInt(i),
        key: key(i),
        headers: round === 1 || i % 5 !== 2 ? null : Object.entries(headers(i)).map((pair) => pair.join('=')),
        length: large(i).length,
        same: true,
      })),
    );
    full.release();
    await expect(session.rows(`SELECT count(*) AS n FROM ${full.relation}`)).rejects.toThrow(/were released/);
    made.clear();
    expect(made.hasRoom).toBe(true);
  }
  session.close();
});
