/** What is handed over has exactly the records that its positions tell of, also when records turn out to be damaged. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemClock } from '../../../../core/clock.ts';
import { Engine } from '../../../../engine/engine.ts';
import { PlainRecords } from '../../../../ingest/decode/plain.ts';
import { parseSchema } from '../../../../ingest/decode/schema-text.ts';
import { RecordBuffer, type FullTable } from '../../../../ingest/kafka/buffer.ts';
import { recordBatches } from '../../../../ingest/kafka/wire/record-batch.ts';
import { BadRecords, RecordCursor } from '../../../../ingest/kafka/wire/records.ts';
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

async function buffer(bufferBytes = 2 ** 26, plain?: PlainRecords): Promise<RecordBuffer> {
  const made = await RecordBuffer.create({
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
async function cursor(firstOffset: bigint, declared = RECORDS, valueOf = text): Promise<RecordCursor> {
  const records = Array.from({ length: RECORDS }, (_, i) => ({
    offsetDelta: i,
    timestampDelta: i,
    key: i % 3 === 0 ? null : Buffer.from(`key ${String(i)}`),
    value: valueOf(i),
    headers: {},
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

async function offsets(table: FullTable | undefined): Promise<unknown> {
  if (table === undefined) throw new Error('no table');
  const session = await engine.session();
  const [row] = await session.rows(
    `SELECT count(DISTINCT "offset") AS n, min("offset") AS low, max("offset") AS high, count("key") AS keys, topic ` +
      `FROM ${table.relation} GROUP BY topic`,
  );
  session.close();
  await table.release();
  return row;
}

test('a batch of a broker is cut at the limit of rows, and each part tells from where to where it goes', async () => {
  const made = await buffer();
  await made.prepare();
  const records = await cursor(100n);
  const middle = made.append(at(100n), records, 100n + BigInt(RECORDS));
  expect(middle).toBe(3100n);
  const first = made.take(false);
  expect([...(first?.moved ?? [])]).toEqual([['t/0', { from: 100n, upTo: 3100n }]]);
  expect(await offsets(first)).toEqual({ n: 3000n, low: 100n, high: 3099n, keys: 2000n, topic: 't' });
  expect(made.take(false)).toBeUndefined();
  await made.prepare();
  expect(made.append(at(middle), records, 5200n)).toBe(5200n);
  const second = made.take(true);
  expect([...(second?.moved ?? [])]).toEqual([['t/0', { from: 3100n, upTo: 5200n }]]);
  expect(await offsets(second)).toEqual({ n: 2000n, low: 3100n, high: 5099n, keys: 1333n, topic: 't' });
  await made.close();
});

test('records that are not certain to fit are marked and counted, also when a batch ends among them', async () => {
  const made = await buffer(2 ** 26, new PlainRecords(parseSchema('n BIGINT')));
  await made.prepare();
  const records = await cursor(0n, RECORDS, (i) =>
    i % 10 === 3 ? null : Buffer.from(i % 10 === 7 ? '{"n":"7"}' : `{"n":${String(i)}}`),
  );
  const session = await engine.session();
  const marked = async (table: FullTable | undefined): Promise<unknown> => {
    if (table === undefined) throw new Error('no table');
    const rows = await session.rows(
      `SELECT count(*) AS marked, list_sort(list(DISTINCT "offset" % 10)) AS places FROM ${table.relation} WHERE unsure`,
    );
    await table.release();
    return [table.unsureRows, ...rows];
  };
  const middle = made.append(at(0n), records, 5000n);
  const first = made.take(false);
  await made.prepare();
  made.append(at(middle), records, 5000n);
  expect(await marked(first)).toEqual([600, { marked: 600n, places: [3n, 7n] }]);
  expect(await marked(made.take(true))).toEqual([400, { marked: 400n, places: [3n, 7n] }]);
  session.close();
  await made.close();
});

test('a small buffer hands over what it has, and never less than a record', async () => {
  const made = await buffer(1000);
  await made.prepare();
  const records = await cursor(0n);
  const upTo = made.append(at(0n), records, BigInt(RECORDS));
  expect(upTo).toBeGreaterThan(0n);
  expect(upTo).toBeLessThan(20n);
  expect(made.hasRoom).toBe(false);
  expect(await offsets(made.take(false))).toMatchObject({ n: upTo, low: 0n, high: upTo - 1n });
  expect(made.hasRoom).toBe(true);
  await made.close();
});

test('after damaged records nothing is handed over until everything was thrown away', async () => {
  const made = await buffer();
  await made.prepare();
  const damaged = await cursor(0n, 2500);
  expect(() => made.append(at(0n), damaged, BigInt(RECORDS))).toThrow(BadRecords);
  expect(made.take(true)).toBeUndefined();
  await made.clear();
  await made.prepare();
  made.append(at(0n), await cursor(0n), BigInt(RECORDS));
  expect(await offsets(made.take(true))).toMatchObject({ n: 3000n, low: 0n, high: 2999n });
  await made.close();
});
