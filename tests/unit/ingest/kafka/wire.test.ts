/** Records off the wire: the same as kafkajs would have read, whatever is in them and however the bytes come. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { endOf, holesIn, recordsFrom, stepsFrom } from '../../../../ingest/kafka/record-set.ts';
import { takeRecords, type RecordSet } from '../../../../ingest/kafka/wire/fetch-response.ts';
import { FrameMemory } from '../../../../ingest/kafka/wire/frame-memory.ts';
import { Frames } from '../../../../ingest/kafka/wire/frames.ts';
import { recordBatches, type RecordBatch } from '../../../../ingest/kafka/wire/record-batch.ts';
import { headersAt } from '../../../../ingest/kafka/wire/headers.ts';
import { RecordCursor } from '../../../../ingest/kafka/wire/records.ts';
import { BadRecords } from '../../../../ingest/kafka/wire/varints.ts';
import { visibleBatches } from '../../../../ingest/kafka/wire/transactions.ts';
import { decodeFetch, encodeBatch, type WireBatch, type WireRecord } from './kafkajs-wire.ts';

const bytes = (most: number): fc.Arbitrary<Buffer> => fc.uint8Array({ maxLength: most }).map((b) => Buffer.from(b));
const wireRecord: fc.Arbitrary<Omit<WireRecord, 'offsetDelta'>> = fc.record({
  timestampDelta: fc.oneof(fc.integer({ min: -1000, max: 1000 }), fc.integer({ min: -(2 ** 40), max: 2 ** 40 })),
  key: fc.option(bytes(20)),
  value: fc.option(fc.oneof(bytes(20), bytes(300))),
  headers: fc.dictionary(fc.string({ minLength: 1, maxLength: 5 }), bytes(10), { maxKeys: 3 }),
});
const wireBatch = (firstOffset: bigint): fc.Arbitrary<WireBatch> =>
  fc
    .tuple(fc.array(fc.tuple(fc.integer({ min: 1, max: 200 }), wireRecord), { minLength: 1, maxLength: 30 }), fc.nat(5))
    .map(([parts, after]) => {
      let next = -1;
      const records = parts.map(([step, record]) => ({ ...record, offsetDelta: (next += step) }));
      const firstTimestamp = 2 ** 41;
      return { firstOffset, firstTimestamp, maxTimestamp: firstTimestamp, lastOffsetDelta: next + after, records };
    });

const set = (whole: Buffer): RecordSet => ({ bytes: whole, batches: recordBatches(whole) ?? [], aborted: [] });

function slice(cursor: RecordCursor, start: number, length: number): Buffer | null {
  return length < 0 ? null : cursor.bytes.subarray(start, start + length);
}

interface Read {
  readonly offset: number;
  readonly timestampMs: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: readonly (readonly [string, Buffer | null])[];
}

function readAll(batch: RecordBatch, whole: Buffer): Read[] {
  const cursor = new RecordCursor(batch, whole.subarray(batch.start, batch.end));
  const read: Read[] = [];
  while (cursor.next()) {
    read.push({
      offset: cursor.offset,
      timestampMs: cursor.timestampMs,
      key: slice(cursor, cursor.keyStart, cursor.keyLength),
      value: slice(cursor, cursor.valueStart, cursor.valueLength),
      headers: headersAt(cursor.bytes, cursor.headers()).map(
        ({ key, value }) => [key, value === null ? null : Buffer.from(value)] as const,
      ),
    });
  }
  return read;
}

test('records come out as they were put in', async () => {
  await fc.assert(
    fc.asyncProperty(wireBatch(2n ** 40n), async (batch) => {
      const whole = await encodeBatch(batch);
      const [header] = recordBatches(whole) ?? [];
      if (header === undefined) throw new Error('no batch');
      expect(header).toMatchObject({ baseOffset: 2n ** 40n, lastOffset: 2n ** 40n + BigInt(batch.lastOffsetDelta) });
      expect(readAll(header, whole)).toEqual(
        batch.records.map((record) => ({
          offset: 2 ** 40 + record.offsetDelta,
          timestampMs: batch.firstTimestamp + record.timestampDelta,
          key: record.key,
          value: record.value,
          headers: Object.entries(record.headers),
        })),
      );
    }),
    { numRuns: 300 },
  );
});

test('damaged bytes are an error or other records, and never a place outside of them', async () => {
  await fc.assert(
    fc.asyncProperty(
      wireBatch(0n),
      fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 5 }),
      async (batch, damage) => {
        const whole = await encodeBatch(batch);
        for (const [at, byte] of damage) whole[17 + (at % (whole.length - 17))] = byte;
        let batches: RecordBatch[];
        try {
          batches = recordBatches(whole) ?? [];
        } catch (error) {
          expect(error).toBeInstanceOf(Error);
          return;
        }
        for (const header of batches) {
          const cursor = new RecordCursor(header, whole.subarray(header.start, header.end));
          try {
            for (let i = 0; i < 100 && cursor.next(); i++) {
              expect(cursor.valueStart + Math.max(0, cursor.valueLength)).toBeLessThanOrEqual(cursor.bytes.length);
              expect(cursor.keyStart + Math.max(0, cursor.keyLength)).toBeLessThanOrEqual(cursor.bytes.length);
              for (const { key, value } of headersAt(cursor.bytes, cursor.headers()))
                expect(key.length + (value?.length ?? 0)).toBeLessThanOrEqual(cursor.end - cursor.start);
            }
          } catch (error) {
            expect((error as Error).message).toMatch(/not as its header says/);
          }
        }
      },
    ),
    { numRuns: 500 },
  );
});

test('a batch that an answer has cut off is left out, and older formats are told apart', async () => {
  const batch = await encodeBatch({
    firstOffset: 7n,
    firstTimestamp: 0,
    maxTimestamp: 0,
    lastOffsetDelta: 0,
    records: [{ offsetDelta: 0, timestampDelta: 0, key: null, value: Buffer.from('a'), headers: {} }],
  });
  const two = Buffer.concat([batch, batch]);
  expect(recordBatches(two)).toHaveLength(2);
  expect(recordBatches(two.subarray(0, two.length - 1))).toHaveLength(1);
  expect(recordBatches(Buffer.alloc(80))).toBeUndefined();
});

test('a timestamp of -1 is none, and log append time counts for all records', () => {
  const header = { ...plain(0n, 0n), baseTimestampMs: -1 };
  const one = Buffer.from([14, 0, 0, 0, 1, 2, 65, 0]);
  const cursor = new RecordCursor(header, one);
  expect([cursor.next(), cursor.timestampMs, cursor.next()]).toEqual([true, Number.NaN, false]);
  const appended = new RecordCursor({ ...header, appendTimeMs: 5000 }, one);
  expect([appended.next(), appended.timestampMs]).toEqual([true, 5000]);
});

test('however the bytes of a connection are cut, each wanted response is whole and the rest passes as it came', () => {
  const frame = fc.tuple(fc.boolean(), fc.uint8Array({ maxLength: 40 }));
  fc.assert(
    fc.property(
      fc.array(frame, { maxLength: 12 }),
      fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1 }),
      (frames, cuts) => {
        const sent = frames.map(([isWanted, body], i) => {
          const id = isWanted ? i : i + 1000;
          const numbered = Buffer.concat([int32(id), body]);
          return { isWanted, id, bytes: Buffer.concat([int32(numbered.length), numbered]) };
        });
        const short = Buffer.concat([int32(2), Buffer.from('ok'), int32(0)]);
        const stream = Buffer.concat([short, ...sent.map((one) => one.bytes)]);
        const wanted: { id: number; bytes: Buffer }[] = [];
        const passed: Buffer[] = [];
        const splitter = new Frames({
          wants: (id) => id < 1000,
          room: (bytes) => Buffer.alloc(bytes),
          whole: (whole, id) => wanted.push({ id, bytes: whole }),
          pass: (part) => passed.push(Buffer.from(part)),
        });
        for (let at = 0, i = 0; at < stream.length; i++) {
          const length = cuts[i % cuts.length] ?? 1;
          splitter.push(stream.subarray(at, at + length));
          at += length;
        }
        expect(wanted).toEqual(
          sent.filter((one) => one.isWanted).map(({ id, bytes: whole }) => ({ id, bytes: whole })),
        );
        const others = sent.filter((one) => !one.isWanted).map((one) => one.bytes);
        expect(Buffer.concat(passed)).toEqual(Buffer.concat([short, ...others]));
      },
    ),
    { numRuns: 500 },
  );
});

test('memory of an answer is used again when all of it was released, and never before', () => {
  const memory = new FrameMemory();
  const [large, larger] = [300_000, 3_000_000];
  const isSame = (a: Buffer, b: Buffer): boolean => a.buffer === b.buffer;
  const part = (isReleased: boolean): { isReleased: boolean } => ({ isReleased });
  const first = memory.take(large);
  expect(first).toHaveLength(large);
  const unsaid = memory.take(large);
  expect(isSame(unsaid, first)).toBe(false);
  const parts = [part(false), part(true)];
  memory.holds(unsaid, parts);
  const second = memory.take(large);
  expect(isSame(second, unsaid)).toBe(false);
  memory.holds(unsaid, [part(true)]);
  expect(isSame(memory.take(large), second)).toBe(false);

  const held = memory.take(large);
  const own = [part(false), part(false)];
  memory.holds(held, own);
  expect(memory.take(100)).toHaveLength(100);
  for (const one of own) one.isReleased = true;
  const again = memory.take(larger);
  expect(again).toHaveLength(larger);
  expect(isSame(again, held)).toBe(false);
  memory.holds(again, []);
  expect(isSame(memory.take(large), again)).toBe(true);
});

test.each([4, 5, 6, 7, 8, 9, 10, 11])(
  'kafkajs reads the same of a version %i response, but one record',
  async (version) => {
    const sets = await Promise.all(
      [3n, 2n ** 33n].map(async (firstOffset) => {
        const [batch] = fc.sample(wireBatch(firstOffset), { numRuns: 1, seed: version });
        if (batch === undefined) throw new Error('no sample');
        return Buffer.concat([await encodeBatch(batch), Buffer.alloc(20)]);
      }),
    );
    const [first = Buffer.alloc(0), second = Buffer.alloc(0)] = sets;
    const parts = [
      { partition: 0, error: 0, aborted: [] as [bigint, bigint][], records: first },
      { partition: 1, error: 0, aborted: [[9n, 4n]] as [bigint, bigint][], records: second },
      { partition: 2, error: 1, aborted: [] as [bigint, bigint][], records: Buffer.alloc(0) },
    ];
    const payload = fetchResponse(version, 'orders', parts);
    const frame = Buffer.concat([int32(payload.length + 4), int32(77), payload]);
    const kept: RecordSet[] = [];
    const rewritten = takeRecords(frame, version, (taken) => {
      kept.push(taken);
      return Buffer.from(`set ${String(kept.length)}`);
    });
    expect([rewritten.readInt32BE(), rewritten.readInt32BE(4)]).toEqual([rewritten.length - 4, 77]);
    const [before, after] = await Promise.all(
      [payload, rewritten.subarray(8)].map(async (bytesOf) => (await decodeFetch(version, bytesOf)).responses[0]),
    );
    expect(after).toMatchObject({
      topicName: 'orders',
      partitions: before?.partitions.map((one) => ({ ...one, messages: expect.any(Array) as unknown })) ?? [],
    });
    expect(after?.partitions.map(({ messages }) => messages.map((m) => [m.offset, m.value?.toString()]))).toEqual([
      [[String((endOf(set(first)) ?? 0n) - 1n), 'set 1']],
      [[String((endOf(set(second)) ?? 0n) - 1n), 'set 2']],
      [],
    ]);
    expect(kept.map(({ bytes: own }) => own)).toEqual([first, second]);
    expect(kept.map(({ aborted }) => aborted)).toEqual([[], [{ producerId: 9n, firstOffset: 4n }]]);
    const read = kept.map((taken) => taken.batches.flatMap((batch) => readAll(batch, taken.bytes)));
    expect(read.map((records) => records.map(({ offset, value }) => [String(offset), value]))).toEqual(
      before?.partitions.slice(0, 2).map(({ messages }) => messages.map((m) => [m.offset, m.value])),
    );
  },
);

test('an answer that is shorter than it says is an error', () => {
  const frame = Buffer.concat([int32(12), int32(1), int32(0), int32(5)]);
  expect(() => takeRecords(frame, 4, () => Buffer.alloc(0))).toThrow(RangeError);
});

test('aborted transactions and marks are left out, others of the same producers are not', () => {
  const abort = Buffer.from([20, 0, 0, 0, 8, 0, 0, 0, 0, 1, 0]);
  const commit = Buffer.from([20, 0, 0, 0, 8, 0, 0, 0, 1, 1, 0]);
  const whole = Buffer.concat([abort, commit]);
  const mark = (at: bigint, producerId: bigint, isCommit: boolean): RecordBatch => ({
    ...plain(at, at),
    producerId,
    isTransactional: true,
    isControl: true,
    start: isCommit ? abort.length : 0,
    end: isCommit ? whole.length : abort.length,
  });
  const data = (from: bigint, upTo: bigint, producerId: bigint): RecordBatch => ({
    ...plain(from, upTo),
    producerId,
    isTransactional: true,
  });
  const batches = [
    data(0n, 4n, 1n),
    data(5n, 6n, 2n),
    plain(7n, 7n),
    mark(8n, 1n, false),
    data(9n, 9n, 1n),
    mark(10n, 2n, true),
    mark(11n, 1n, true),
  ];
  const seen = visibleBatches(batches, whole, [{ producerId: 1n, firstOffset: 0n }]);
  expect(seen.map(({ baseOffset }) => baseOffset)).toEqual([5n, 7n, 9n]);
});

test('holes between batches and before them are told, and steps go around what is not seen', () => {
  const batches = [
    plain(5n, 9n),
    { ...plain(10n, 10n), isControl: true },
    plain(14n, 20n),
    { ...plain(21n, 30n), records: 0 },
  ];
  const taken: RecordSet = { bytes: Buffer.alloc(0), batches, aborted: [] };
  expect(holesIn(taken, 7n)).toEqual([{ from: 11n, upTo: 14n }]);
  expect(holesIn(taken, 3n)).toEqual([{ from: 3n, upTo: 5n }, { from: 11n, upTo: 14n }]); // prettier-ignore
  expect(stepsFrom(taken, 7n, 'orders/0').map(({ batch, upTo }) => [batch.baseOffset, upTo])).toEqual([[5n, 14n], [14n, 31n]]); // prettier-ignore
  expect(stepsFrom(taken, 21n, 'orders/0')).toEqual([]);
});

test('a batch with more or fewer records than its header says is an error, and so is a negative number of them', async () => {
  const [batch] = fc.sample(wireBatch(0n), { numRuns: 1, seed: 5 });
  if (batch === undefined) throw new Error('no sample');
  const whole = await encodeBatch(batch);
  const [header] = recordBatches(whole) ?? [];
  if (header === undefined) throw new Error('no batch');
  expect(header.records).toBeGreaterThan(1);
  expect(readAll(header, whole)).toHaveLength(header.records);
  for (const records of [header.records - 1, header.records + 1, 0, -1]) {
    expect(() => readAll({ ...header, records }, whole)).toThrow(BadRecords);
    const steps = stepsFrom({ bytes: whole, batches: [{ ...header, records }], aborted: [] }, 0n, 'orders/0');
    expect(steps).toHaveLength(1);
  }
});

test('a mark that cannot be read stops the flow where it matters', () => {
  const batches = [{ ...plain(5n, 5n), producerId: 1n, isControl: true, isTransactional: true }];
  const taken = (aborted: RecordSet['aborted']): RecordSet => ({ bytes: Buffer.alloc(0), batches, aborted });
  expect(stepsFrom(taken([]), 5n, 'orders/0')).toEqual([]);
  expect(() => stepsFrom(taken([{ producerId: 1n, firstOffset: 2n }]), 5n, 'orders/0')).toThrow(
    /orders\/0: the batch of the offsets 5 to 5 cannot be read/,
  );
});

test('reading begins inside of a batch, and a batch that cannot be read names itself', async () => {
  const [batch] = fc.sample(wireBatch(100n), { numRuns: 1, seed: 3 });
  if (batch === undefined) throw new Error('no sample');
  const taken = set(await encodeBatch(batch));
  const [header] = taken.batches;
  if (header === undefined) throw new Error('no batch');
  const last = batch.records.at(-1)?.offsetDelta ?? 0;
  const records = await recordsFrom(taken, header, 100n + BigInt(last), 'orders/0');
  expect(records?.offset).toBe(100 + last);
  expect(await recordsFrom(taken, header, header.lastOffset + 1n, 'orders/0')).toBeUndefined();
  await expect(recordsFrom(taken, { ...header, codec: 1 }, 100n, 'orders/0')).rejects.toMatchObject({
    code: 'SOURCE_CORRUPT',
    message: expect.stringContaining(
      `orders/0: the batch of the offsets 100 to ${String(header.lastOffset)} cannot be read`,
    ) as string,
  });
  await expect(recordsFrom(taken, { ...header, codec: 6 }, 100n, 'orders/0')).rejects.toThrow(/compression 6/);
});

function plain(baseOffset: bigint, lastOffset: bigint): RecordBatch {
  const flags = { codec: 0, isTransactional: false, isControl: false, producerId: -1n };
  return {
    baseOffset,
    lastOffset,
    ...flags,
    baseTimestampMs: 0,
    appendTimeMs: undefined,
    records: 1,
    start: 0,
    end: 0,
  };
}

function int32(value: number): Buffer {
  const four = Buffer.alloc(4);
  four.writeInt32BE(value);
  return four;
}

function int64(...values: readonly bigint[]): Buffer {
  const eights = Buffer.alloc(8 * values.length);
  for (const [i, value] of values.entries()) eights.writeBigInt64BE(value, i * 8);
  return eights;
}

interface Part {
  readonly partition: number;
  readonly error: number;
  readonly aborted: readonly (readonly [bigint, bigint])[];
  readonly records: Buffer;
}

/** Source: Apache Kafka documentation, "Protocol", Fetch API. */
function fetchResponse(version: number, topic: string, parts: readonly Part[]): Buffer {
  const partitions = parts.map(({ partition, error, aborted, records }) =>
    Buffer.concat([
      int32(partition),
      Buffer.from([0, error]),
      int64(1_000_000n, 999_999n),
      version >= 5 ? int64(0n) : Buffer.alloc(0),
      int32(aborted.length),
      ...aborted.map(([producerId, firstOffset]) => int64(producerId, firstOffset)),
      version >= 11 ? int32(-1) : Buffer.alloc(0),
      int32(records.length),
      records,
    ]),
  );
  const head = version >= 7 ? Buffer.concat([int32(0), Buffer.from([0, 0]), int32(0)]) : int32(0);
  const name = Buffer.from([0, topic.length, ...Buffer.from(topic)]);
  return Buffer.concat([head, int32(1), name, int32(partitions.length), ...partitions]);
}
