/** A Kafka cluster that cannot be read: one clear error each, and no secret in it. */
import { inspect } from 'node:util';
import { afterEach, beforeEach, expect, inject, test } from 'vitest';
import { createTopic, uniqueTopic } from '../../services/topics.ts';
import { Reading, type Arguments } from './reading.ts';

const { brokers, sasl } = inject('kafka');

let reading: Reading;
beforeEach(async () => {
  reading = await Reading.create();
});
afterEach(() => {
  reading.close();
});

async function refusal(args: Arguments): Promise<unknown> {
  const [error] = await Promise.all([
    reading.open(args).then(
      () => undefined,
      (thrown: unknown) => thrown,
    ),
  ]);
  return error;
}

test('a topic that is not there', async () => {
  const topic = uniqueTopic('orders');
  await createTopic(brokers, topic);
  const error = await refusal({ bootstrapServers: brokers.join(','), subscribe: topic.replace('orders', 'ordres') });
  expect(error).toMatchObject({ code: 'SOURCE_MISSING', advice: expect.stringContaining(topic) as string });
});

test('no broker at the address', async () => {
  const error = await refusal({ bootstrapServers: '127.0.0.1:1', subscribe: 'orders' });
  expect(error).toMatchObject({
    code: 'SOURCE_UNREACHABLE',
    message: expect.stringContaining('127.0.0.1:1') as string,
  });
});

test('a wrong password, which is in no message', async () => {
  const password = 'a-wrong-secret';
  const error = await refusal({
    bootstrapServers: sasl?.brokers.join(',') ?? '',
    subscribe: 'orders',
    'kafka.security.protocol': 'SASL_PLAINTEXT',
    'kafka.sasl.mechanism': 'PLAIN',
    'kafka.sasl.username': sasl?.username ?? '',
    'kafka.sasl.password': password,
  });
  expect(error).toMatchObject({ code: 'SOURCE_AUTH' });
  expect(inspect(error, { depth: 10 })).not.toContain(password);
});

test('the right password, as Spark takes it', async () => {
  const topic = uniqueTopic('secured');
  await createTopic(brokers, topic);
  await reading.availableNow({
    'kafka.bootstrap.servers': sasl?.brokers.join(',') ?? '',
    subscribe: topic,
    'kafka.security.protocol': 'SASL_PLAINTEXT',
    'kafka.sasl.mechanism': 'PLAIN',
    'kafka.sasl.jaas.config': `org.apache.kafka.common.security.plain.PlainLoginModule required username="${sasl?.username ?? ''}" password="${sasl?.password ?? ''}";`,
  });
  expect(reading.rows).toEqual([]);
});
