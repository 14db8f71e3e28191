/** Fills a topic with orders at a steady rate, some of them malformed, through whatever happens to the broker meanwhile. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Kafka, logLevel, type Message } from 'kafkajs';
import type { Random } from '../../../core/random.ts';

export interface ProduceOptions {
  readonly brokers: readonly string[];
  readonly topic: string;
  readonly partitions: number;
  /** At least so many, and more until it is enough. */
  readonly records: number;
  readonly isEnough: () => boolean;
  readonly recordsPerSecond: number;
  /** The share of malformed records, from 0 to 1. */
  readonly malformed: number;
  readonly random: Random;
}

export interface Produced {
  readonly good: number;
  readonly malformed: number;
  /** The sum of the good records' ids. */
  readonly goodIds: bigint;
}

/** More messages in one call cost kafkajs time quadratic in their number. */
const MESSAGES_A_CALL = 200;

/**
 * The producer is idempotent, so that a record whose acknowledgement was lost with the broker is not in the topic twice.
 * @returns what is in the topic, once everything is acknowledged
 */
export async function produceOrders(options: ProduceOptions): Promise<Produced> {
  const { brokers, topic, partitions, records, isEnough, recordsPerSecond, random } = options;
  const kafka = new Kafka({
    clientId: 'produce-orders',
    brokers: [...brokers],
    logLevel: logLevel.NOTHING,
    retry: { retries: 100, initialRetryTime: 100, maxRetryTime: 500 },
  });
  const admin = kafka.admin();
  await admin.connect();
  await admin.createTopics({
    topics: [{ topic, numPartitions: partitions, replicationFactor: 1 }],
    waitForLeaders: true,
  });
  await admin.disconnect();
  const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1 });
  await producer.connect();
  try {
    let [good, malformed, goodIds, next] = [0, 0, 0n, 0];
    const startMs = Date.now();
    while (next < records || !isEnough()) {
      const due = Math.ceil(((Date.now() - startMs) / 1000) * recordsPerSecond);
      const messages: Message[] = [];
      for (; next < due && messages.length < MESSAGES_A_CALL; next++) {
        const bad = random.next() < options.malformed;
        if (bad) malformed++;
        else {
          good++;
          goodIds += BigInt(next);
        }
        messages.push({
          value: bad ? `{"order_id": ${String(next)}, "customer": "c` : order(next),
          partition: next % partitions,
        });
      }
      if (messages.length > 0) await producer.send({ topic, messages });
      else await sleep(5);
    }
    return { good, malformed, goodIds };
  } finally {
    await producer.disconnect();
  }
}

function order(id: number): string {
  const ts = new Date(1_780_000_000_000 + id).toISOString();
  const amount = `${String(1 + (id % 500))}.${String(id % 100).padStart(2, '0')}`;
  return `{"order_id":${String(id)},"customer":"customer-${String(id % 5000)}","amount":${amount},"ts":"${ts}"}`;
}
