/** A broker behind TLS and a password: read as any other, and refused when its certificate is not known. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, inject, test } from 'vitest';
import { createTopic, produce, uniqueTopic } from '../../services/topics.ts';
import { Reading, type Arguments } from './reading.ts';

const { brokers, tls } = inject('kafka');

let reading: Reading;
let topic: string;
beforeEach(async () => {
  reading = await Reading.create();
  topic = uniqueTopic('tls');
  await createTopic(brokers, topic, { numPartitions: 3 });
});
afterEach(() => {
  reading.close();
});

function args(more: Arguments): Arguments {
  return {
    bootstrapServers: tls?.brokers.join(',') ?? '',
    subscribe: topic,
    'kafka.security.protocol': 'SASL_SSL',
    'kafka.sasl.mechanism': 'PLAIN',
    'kafka.sasl.username': tls?.username ?? '',
    'kafka.sasl.password': tls?.password ?? '',
    ...more,
  };
}

test('records come as they were sent, with the certificate as text or as a file', async () => {
  const values = Array.from({ length: 20_000 }, (_, i) => `a value of some length, number ${String(i)}`);
  await produce(
    brokers,
    topic,
    values.slice(0, 10_000).map((value) => ({ value })),
  );
  await reading.availableNow(args({ 'kafka.ssl.ca': tls?.ca ?? '' }));
  await produce(
    brokers,
    topic,
    values.slice(10_000).map((value) => ({ value })),
  );
  const folder = await mkdtemp(join(tmpdir(), 'sluice-tls-'));
  const file = join(folder, 'ca.pem');
  await writeFile(file, tls?.ca ?? '');
  await reading.availableNow(args({ 'kafka.ssl.ca': file }));
  await rm(folder, { recursive: true });
  expect(reading.values.toSorted()).toEqual(values.toSorted());
  expect(reading.repeated).toEqual([]);
});

test('a certificate that nobody vouches for, and no TLS where the broker asks for it', async () => {
  await expect(reading.open(args({}))).rejects.toMatchObject({
    code: 'SOURCE_UNREACHABLE',
    message: expect.stringMatching(/self-signed certificate/) as string,
  });
  await expect(reading.open(args({ 'kafka.security.protocol': 'SASL_PLAINTEXT' }))).rejects.toMatchObject({
    code: 'SOURCE_UNREACHABLE',
  });
});
