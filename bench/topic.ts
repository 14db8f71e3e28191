/**
 * Topics full of orders, for as long as a bench needs them.
 *
 * Promise: records are spread evenly over the partitions; the topic is gone afterwards. A message set holds 200 records of
 * one partition, as a producer that lingers a little would send them.
 */
import { Kafka, logLevel, type Producer } from 'kafkajs';
import { seededRandom } from '../core/random.ts';
import { order, PARTITIONS } from './orders.ts';
import { progress } from './progress.ts';

const RECORDS_PER_SEND = 200;
const SENDS_IN_FLIGHT = 8;
const FIRST_ORDER_MS = Date.UTC(2026, 0, 1);

/** A client for what the bench itself does at the broker. */
export function kafkaClient(brokers: readonly string[]): Kafka {
  return new Kafka({ clientId: 'sluice-bench', brokers: [...brokers], logLevel: logLevel.ERROR });
}

/** Makes the topic (with `records` in it), lets `work` use it and deletes it. */
export async function withTopic<T>(
  brokers: readonly string[],
  name: string,
  records: number,
  work: (topic: string) => Promise<T>,
): Promise<T> {
  const topic = `bench-${name}-${String(process.pid)}`;
  const kafka = kafkaClient(brokers);
  const admin = kafka.admin();
  await admin.connect();
  try {
    await admin.createTopics({ topics: [{ topic, numPartitions: PARTITIONS, replicationFactor: 1 }] });
    if (records > 0) {
      const producer = kafka.producer({ allowAutoTopicCreation: false });
      await producer.connect();
      try {
        await fill(producer, topic, records);
      } finally {
        await producer.disconnect();
      }
    }
    return await work(topic);
  } finally {
    await admin.deleteTopics({ topics: [topic] }).catch(() => undefined);
    await admin.disconnect();
  }
}

async function fill(producer: Producer, topic: string, records: number): Promise<void> {
  const random = seededRandom(1);
  const startMs = performance.now();
  let next = 0;
  let sends = 0;
  const send = async (): Promise<void> => {
    while (next < records) {
      const first = next;
      const partition = sends++ % PARTITIONS;
      next = Math.min(records, first + RECORDS_PER_SEND);
      const messages = Array.from({ length: next - first }, (_, i) => ({
        ...order(first + i, FIRST_ORDER_MS + first + i, random),
        partition,
      }));
      await producer.send({ topic, acks: 1, messages });
    }
  };
  await Promise.all(Array.from({ length: SENDS_IN_FLIGHT }, send));
  const seconds = (performance.now() - startMs) / 1000;
  progress(`produced ${records.toLocaleString('en')} records to ${topic} in ${seconds.toFixed(1)} s`);
}
