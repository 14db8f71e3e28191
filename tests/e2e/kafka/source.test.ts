/** The Kafka source against a real broker: whatever a topic holds is read once, and what is gone is never passed over in silence. */
import { CompressionTypes, Kafka, logLevel, type EachBatchPayload } from 'kafkajs';
import { afterEach, beforeEach, expect, inject, test } from 'vitest';
import { RecordTap } from '../../../ingest/kafka/wire/tap.ts';
import { createTopic, kafkaClient, produce, uniqueTopic } from '../../services/topics.ts';
import { LIMITS, Reading, type Arguments } from './reading.ts';

const { brokers } = inject('kafka');

let reading: Reading;
let topic: string;
beforeEach(async () => {
  reading = await Reading.create();
  topic = uniqueTopic('source');
});
afterEach(() => {
  reading.close();
});

function args(more: Arguments = {}): Arguments {
  return { bootstrapServers: brokers.join(','), subscribe: topic, ...more };
}

function numbered(from: number, upTo: number): { value: string; partition: number }[] {
  return Array.from({ length: upTo - from }, (_, i) => ({ value: String(from + i), partition: (from + i) % 3 }));
}

test('keys, values, headers, timestamps and places come as they were sent', async () => {
  await createTopic(brokers, topic, { numPartitions: 2 });
  const headers = { trace: 'a', twice: ['x', 'y'] };
  await produce(brokers, topic, [
    { key: 'k1', value: 'full', partition: 1, headers, timestamp: '1767225600123' },
    { key: null, value: null, partition: 0, timestamp: '1767225600124' },
    { key: '', value: '', partition: 1, timestamp: '1767225600125' },
  ]);
  await reading.availableNow(args());
  expect(reading.inOrderOfTime()).toEqual([
    {
      topic, partition: 1, offset: 0n, timestamp: '2026-01-01 00:00:00.123+00', key: 'k1', value: 'full',
      headers: [{ key: 'trace', value: 'a' }, { key: 'twice', value: 'x' }, { key: 'twice', value: 'y' }],
    },
    { topic, partition: 0, offset: 0n, timestamp: '2026-01-01 00:00:00.124+00', key: null, value: null, headers: null },
    { topic, partition: 1, offset: 1n, timestamp: '2026-01-01 00:00:00.125+00', key: '', value: '', headers: null },
  ]); // prettier-ignore
  expect(reading.positions).toEqual(new Map([[`${topic}/0`, 1n], [`${topic}/1`, 2n]])); // prettier-ignore
});

test('several topics are read as one stream, and a second run reads only what is new', async () => {
  const other = uniqueTopic('other');
  await createTopic(brokers, topic, { numPartitions: 3 });
  await createTopic(brokers, other, { numPartitions: 1 });
  await produce(brokers, topic, numbered(0, 500));
  await produce(brokers, other, [{ value: 'other' }]);
  await reading.availableNow(args({ subscribe: `${topic}, ${other}` }));
  expect(reading.rows).toHaveLength(501);
  expect(reading.rows.filter((row) => row['topic'] === other).map((row) => row['value'])).toEqual(['other']);

  const batches = reading.batchRows.length;
  await reading.availableNow(args({ subscribe: `${topic}, ${other}` }));
  expect(reading.batchRows).toHaveLength(batches);
  await produce(brokers, topic, numbered(500, 520));
  await reading.availableNow(args({ subscribe: `${topic}, ${other}` }));
  expect(reading.rows).toHaveLength(521);
  expect(reading.repeated).toEqual([]);
});

test.each(['gzip', 'snappy', 'lz4', 'zstd'])('a topic that the broker compresses with %s', async (codec) => {
  await createTopic(brokers, topic, { configEntries: [{ name: 'compression.type', value: codec }] });
  const values = Array.from({ length: 3000 }, (_, i) => `{"id":${String(i)},"text":"${'lake '.repeat(i % 200)}"}`);
  await produce(
    brokers,
    topic,
    values.map((value) => ({ value })),
  );
  await reading.availableNow(args());
  expect(reading.values).toEqual(values);
});

test('a topic with batches that the producer has compressed, and some that it has not', async () => {
  await createTopic(brokers, topic, { numPartitions: 3 });
  await produce(brokers, topic, numbered(0, 1000), { compression: CompressionTypes.GZIP });
  await produce(brokers, topic, numbered(1000, 2000));
  await reading.availableNow(args());
  expect(reading.values.map(Number).sort((a, b) => a - b)).toEqual(Array.from({ length: 2000 }, (_, i) => i));
});

test('aborted transactions are left out, and a tail of markers does not keep a run from ending', async () => {
  await createTopic(brokers, topic, { numPartitions: 1 });
  const producer = kafkaClient(brokers).producer({ transactionalId: topic, maxInFlightRequests: 1, idempotent: true });
  await producer.connect();
  for (const [value, keep] of [
    ['a', true],
    ['b', false],
    ['c', true],
    ['d', false],
  ] as const) {
    // prettier-ignore
    const transaction = await producer.transaction();
    await transaction.send({ topic, messages: [{ value }, { value: `${value}2` }] });
    await (keep ? transaction.commit() : transaction.abort());
  }
  await producer.disconnect();
  await reading.availableNow(args());
  expect(reading.values).toEqual(['a', 'a2', 'c', 'c2']);
  await produce(brokers, topic, [{ value: 'e' }]);
  await reading.availableNow(args());
  expect(reading.values).toEqual(['a', 'a2', 'c', 'c2', 'e']);
});

test('a transaction that is still open ends a run before it, and is read when it has been committed', async () => {
  await createTopic(brokers, topic, { numPartitions: 1 });
  await produce(brokers, topic, [{ value: 'before' }]);
  const producer = kafkaClient(brokers).producer({ transactionalId: topic, maxInFlightRequests: 1, idempotent: true });
  await producer.connect();
  const transaction = await producer.transaction();
  await transaction.send({ topic, messages: [{ value: 'inside' }] });
  await reading.availableNow(args());
  expect(reading.values).toEqual(['before']);
  await transaction.commit();
  await producer.disconnect();
  await reading.availableNow(args());
  expect(reading.values).toEqual(['before', 'inside']);
});

/** Compacted as soon as there is something to compact. */
const COMPACTED = {
  numPartitions: 1,
  configEntries: [
    { name: 'cleanup.policy', value: 'compact' },
    { name: 'segment.ms', value: '50' },
    { name: 'min.cleanable.dirty.ratio', value: '0.001' },
    { name: 'max.compaction.lag.ms', value: '50' },
  ],
};

test('holes that compaction has made are no loss', async () => {
  await createTopic(brokers, topic, COMPACTED);
  for (let round = 0; round < 4; round++) {
    await produce(
      brokers,
      topic,
      Array.from({ length: 50 }, (_, i) => ({ key: `k${String(i)}`, value: String(round) })),
    );
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  const first = async (): Promise<bigint> => {
    const fresh = await Reading.create();
    await fresh.availableNow(args());
    const [row] = fresh.rows;
    const offset = row?.['offset'] as bigint;
    reading.rows.splice(0, Infinity, ...fresh.rows);
    fresh.close();
    return offset;
  };
  await expect.poll(first, { timeout: 60_000, interval: 500 }).toBeGreaterThan(0n);
  const latest = new Map(reading.rows.map((row) => [row['key'], row['value']]));
  expect([...latest.values()]).toEqual(Array.from({ length: 50 }, () => '3'));
  expect(reading.repeated).toEqual([]);
});

/** How many records there are in each batch at the start of a topic of one partition. */
async function batchSizes(): Promise<number[]> {
  const tap = new RecordTap();
  const kafka = new Kafka({ brokers, logLevel: logLevel.NOTHING, socketFactory: tap.socketFactory });
  const consumer = kafka.consumer({ groupId: uniqueTopic('group') });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  const sizes = await new Promise<number[]>((resolve, reject) => {
    const eachBatch = ({ batch }: EachBatchPayload): Promise<void> => {
      resolve(tap.take(batch.messages)?.batches.map(({ records }) => records) ?? []);
      return Promise.resolve();
    };
    consumer.run({ autoCommit: false, eachBatch }).catch(reject);
  });
  await consumer.disconnect();
  return sizes;
}

test('a batch that compaction has emptied is passed over', async () => {
  await createTopic(brokers, topic, COMPACTED);
  const keys = Array.from({ length: 20 }, (_, i) => `k${String(i)}`);
  // The broker keeps the last batch of an idempotent producer for its sequence numbers, even with nothing left in it.
  const producer = kafkaClient(brokers).producer({ idempotent: true });
  await producer.connect();
  await producer.send({ topic, messages: keys.map((key) => ({ key, value: 'old' })) });
  for (let round = 0; round < 3; round++) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    await produce(brokers, topic, keys.map((key) => ({ key, value: String(round) }))); // prettier-ignore
  }
  await expect.poll(batchSizes, { timeout: 60_000, interval: 500 }).toContain(0);
  await reading.availableNow(args());
  expect(new Set(reading.rows.map(({ key }) => key))).toEqual(new Set(keys));
  expect(new Map(reading.rows.map(({ key, value }) => [key, value])).get('k7')).toBe('2');
  expect(reading.values).not.toContain('old');
  expect(reading.positions).toEqual(new Map([[`${topic}/0`, 80n]]));
  await producer.disconnect();
});

test('records that were deleted before they were read stop the flow, or are named in its commit', async () => {
  await createTopic(brokers, topic, { numPartitions: 1 });
  await produce(
    brokers,
    topic,
    numbered(0, 10).map(({ value }) => ({ value })),
  );
  await reading.availableNow(args());
  await produce(
    brokers,
    topic,
    numbered(10, 30).map(({ value }) => ({ value })),
  );
  const admin = kafkaClient(brokers).admin();
  await admin.connect();
  await admin.fetchTopicOffsets(topic);
  await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '15' }] });
  await admin.disconnect();
  await expect(reading.availableNow(args())).rejects.toMatchObject({
    code: 'SOURCE_DATA_LOSS',
    message: `${topic}/0: offsets 10 to 14 are gone before they were read (the topic begins at 15)`,
  });
  expect(reading.rows).toHaveLength(10);
  await reading.availableNow(args({ failOnDataLoss: false }));
  expect(reading.values.slice(10)).toEqual(Array.from({ length: 15 }, (_, i) => String(15 + i)));
  expect(reading.inputs.at(-1)).toMatchObject({ [`${topic}/0 lost`]: '10..15', [`${topic}/0`]: '15..30' });
});

test(
  'records that are deleted while the flow is reading are noticed, though nothing new arrives',
  { timeout: 60_000 },
  async () => {
    await createTopic(brokers, topic, { numPartitions: 1 });
    const source = await reading.open(args());
    const admin = kafkaClient(brokers).admin();
    try {
      await produce(
        brokers,
        topic,
        numbered(0, 10).map(({ value }) => ({ value })),
      );
      await reading.land(await reading.next(source));
      await admin.connect();
      await admin.deleteTopics({ topics: [topic] });
      await expect(reading.next(source)).rejects.toMatchObject({ code: expect.stringMatching(/^SOURCE_/) as string });
    } finally {
      await source.close();
      await admin.disconnect();
    }
  },
);

test('a topic that was made anew is not read as if it were the old one', async () => {
  await createTopic(brokers, topic, { numPartitions: 1 });
  await produce(
    brokers,
    topic,
    numbered(0, 10).map(({ value }) => ({ value })),
  );
  await reading.availableNow(args());
  reading.positions = new Map([[`${topic}/0`, 50n]]);
  await expect(reading.availableNow(args())).rejects.toMatchObject({
    code: 'SOURCE_DATA_LOSS',
    facts: { offset: 50n },
  });
});

test('batches keep to the limits of rows and bytes, and a small buffer loses nothing', async () => {
  await createTopic(brokers, topic, { numPartitions: 3 });
  await produce(brokers, topic, numbered(0, 5000));
  await reading.availableNow(args(), { ...LIMITS, rows: 700 });
  expect(Math.max(...reading.batchRows)).toBe(700);
  expect(reading.rows).toHaveLength(5000);

  const small = await Reading.create();
  small.bufferBytes = 4000;
  await small.availableNow(args(), { ...LIMITS, bytes: 2000 });
  expect(Math.max(...small.batchRows)).toBeLessThan(60);
  expect(small.rows).toHaveLength(5000);
  expect(small.repeated).toEqual([]);
  small.close();
});

test('a batch that lost its race is read again from where the table is', async () => {
  await createTopic(brokers, topic, { numPartitions: 1 });
  await produce(
    brokers,
    topic,
    numbered(0, 100).map(({ value }) => ({ value })),
  );
  const source = await reading.open(args());
  try {
    const lost = await reading.next(source, { ...LIMITS, rows: 40 });
    await lost.release();
    reading.positions = new Map([[`${topic}/0`, 25n]]);
    while (reading.rows.length < 75) await reading.land(await reading.next(source, { ...LIMITS, rows: 40 }));
    expect(reading.values).toEqual(Array.from({ length: 75 }, (_, i) => String(25 + i)));
  } finally {
    await source.close();
  }
});

test('startingOffsets latest begins at the end, and a restart does not begin anew on partitions that were idle', async () => {
  await createTopic(brokers, topic, { numPartitions: 3 });
  await produce(brokers, topic, numbered(0, 30));
  const source = await reading.open(args({ startingOffsets: 'latest' }));
  await produce(brokers, topic, [{ value: 'new', partition: 1 }]);
  await reading.land(await reading.next(source));
  await source.close();
  expect(reading.values).toEqual(['new']);
  await produce(brokers, topic, [{ value: 'newer', partition: 2 }]);
  await reading.availableNow(args({ startingOffsets: 'latest' }));
  expect(reading.values).toEqual(['new', 'newer']);
});

test('offsets for single partitions, and a partition that was added later is read from its beginning', async () => {
  await createTopic(brokers, topic, { numPartitions: 2 });
  await produce(
    brokers,
    topic,
    Array.from({ length: 20 }, (_, i) => ({ value: String(i), partition: i % 2 })),
  );
  const startingOffsets = JSON.stringify({ [topic]: { 0: 8, 1: -1 } });
  await reading.availableNow(args({ startingOffsets }));
  expect(reading.values).toEqual(['16', '18']);
  const admin = kafkaClient(brokers).admin();
  await admin.connect();
  await admin.createPartitions({ topicPartitions: [{ topic, count: 3 }] });
  await admin.disconnect();
  await produce(brokers, topic, [{ value: 'added', partition: 2 }]);
  await reading.availableNow(args({ startingOffsets }));
  expect(reading.values).toEqual(['16', '18', 'added']);
});
