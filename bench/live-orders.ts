/**
 * A steady stream of orders, and for each of them when it was produced.
 *
 * Promise: the rate is kept by the clock: a send that is late is followed by as many records as are due.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { seededRandom } from '../core/random.ts';
import { order, PARTITIONS } from './orders.ts';
import { kafkaClient } from './topic.ts';

const TICK_MS = 10;

/** For each partition the moments, by `performance.now()`, at which its records were handed to the producer, by offset. */
export type ProducedAt = readonly number[][];

export interface LiveOrders {
  readonly brokers: readonly string[];
  readonly topic: string;
  readonly perSecond: number;
  readonly seconds: number;
  readonly signal: AbortSignal;
}

/** Produces `perSecond` records a second for `seconds`; resolves when the broker has acknowledged all of them. */
export async function produceLive({ brokers, topic, perSecond, seconds, signal }: LiveOrders): Promise<ProducedAt> {
  const producer = kafkaClient(brokers).producer({ allowAutoTopicCreation: false });
  await producer.connect();
  const producedAt: ProducedAt = Array.from({ length: PARTITIONS }, () => []);
  const random = seededRandom(2);
  const send = async (first: number, end: number): Promise<void> => {
    const messages = Array.from({ length: end - first }, (_, i) => ({
      ...order(first + i, Date.now(), random),
      partition: (first + i) % PARTITIONS,
    }));
    const atMs = performance.now();
    const acknowledged = await producer.send({ topic, acks: 1, messages });
    for (const { partition, baseOffset } of acknowledged) {
      const count = messages.filter((message) => message.partition === partition).length;
      const own = producedAt[partition] ?? [];
      for (let i = 0; i < count; i++) own[Number(baseOffset) + i] = atMs;
    }
  };
  try {
    const total = perSecond * seconds;
    const sends: Promise<void>[] = [];
    const startMs = performance.now();
    for (let sent = 0; sent < total;) {
      const due = Math.min(total, Math.floor(((performance.now() - startMs) / 1000) * perSecond));
      if (due > sent) sends.push(send(sent, due));
      sent = due;
      await sleep(TICK_MS, undefined, { signal });
    }
    await Promise.all(sends);
    return producedAt;
  } finally {
    await producer.disconnect();
  }
}
