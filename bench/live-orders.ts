/**
 * A steady stream of orders, and for each of them when it was produced.
 *
 * Promise: the rate is kept by the clock: a send that is late is followed by as many records as are due.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Message } from 'kafkajs';
import { seededRandom } from '../core/random.ts';
import { order, PARTITIONS } from './orders.ts';
import { kafkaClient } from './topic.ts';

const TICK_MS = 10;

/** For each partition the moments, by `performance.now()`, at which its records were handed to the producer, by offset. */
export type ProducedAt = readonly number[][];

/** Produces `perSecond` records a second for `seconds`; resolves when the broker has acknowledged all of them. */
export async function produceLive(
  brokers: readonly string[],
  topic: string,
  { perSecond, seconds }: { readonly perSecond: number; readonly seconds: number },
): Promise<ProducedAt> {
  const producer = kafkaClient(brokers).producer({ allowAutoTopicCreation: false });
  await producer.connect();
  const producedAt: ProducedAt = Array.from({ length: PARTITIONS }, () => []);
  const random = seededRandom(2);
  const total = perSecond * seconds;
  const sends: Promise<void>[] = [];
  const startMs = performance.now();
  for (let sent = 0; sent < total;) {
    const due = Math.min(total, Math.floor(((performance.now() - startMs) / 1000) * perSecond));
    if (due > sent) {
      const messages = Array.from({ length: due - sent }, (_, i) => {
        const id = sent + i;
        return { ...order(id, Date.now(), random), partition: id % PARTITIONS };
      });
      sends.push(send(messages));
      sent = due;
    }
    await sleep(TICK_MS);
  }
  await Promise.all(sends);
  await producer.disconnect();
  return producedAt;

  async function send(messages: readonly (Message & { readonly partition: number })[]): Promise<void> {
    const atMs = performance.now();
    const acknowledged = await producer.send({ topic, acks: 1, messages: [...messages] });
    for (const { partition, baseOffset } of acknowledged) {
      const count = messages.filter((message) => message.partition === partition).length;
      const own = producedAt[partition] ?? [];
      for (let i = 0; i < count; i++) own[Number(baseOffset) + i] = atMs;
    }
  }
}
