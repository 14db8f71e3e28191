import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import { SluiceError } from '../../../../core/errors.ts';
import { parseKafkaOptions } from '../../../../ingest/kafka/options.ts';
import { startingOffset } from '../../../../ingest/kafka/starting-offsets.ts';

const NEEDED = { bootstrapServers: 'one:9092, two:9093', subscribe: 'orders,clicks,orders' };

function parse(more: Readonly<Record<string, string | number | boolean>>): ReturnType<typeof parseKafkaOptions> {
  return parseKafkaOptions(new Map(Object.entries({ ...NEEDED, ...more })));
}

function refusal(more: Readonly<Record<string, string | number | boolean>>): SluiceError {
  try {
    parse(more);
  } catch (error) {
    if (error instanceof SluiceError) return error;
    throw error;
  }
  throw new Error('was not refused');
}

test('what is needed alone: brokers, topics, and safe defaults', () => {
  expect(parse({})).toEqual({
    brokers: ['one:9092', 'two:9093'],
    topics: ['orders', 'clicks'],
    startingOffsets: 'earliest',
    failOnDataLoss: true,
    groupId: undefined,
    tls: false,
    ca: undefined,
    sasl: undefined,
  });
});

test('the spellings of Spark, in any case', () => {
  const jaas = 'org.apache.kafka.common.security.scram.ScramLoginModule required username="a\\"b" password=\'p w\';';
  const options = parse({
    'KAFKA.SECURITY.PROTOCOL': 'sasl_ssl',
    'kafka.sasl.mechanism': 'SCRAM-SHA-512',
    'kafka.sasl.jaas.config': jaas,
    startingoffsets: 'Latest',
    failondataloss: 'false',
    'kafka.group.id': 'mine',
  });
  expect(options).toMatchObject({
    tls: true,
    sasl: { mechanism: 'scram-sha-512', username: 'a"b', password: 'p w' },
    startingOffsets: 'latest',
    failOnDataLoss: false,
    groupId: 'mine',
  });
});

test.each([
  [{ subscribed: 'orders' }, 'subscribed', /Did you mean subscribe\?/],
  [{ bootstrapServers: 'localhost' }, 'bootstrapServers', /host:9092/],
  [{ subscribe: 'a,,b' }, 'subscribe', /subscribe => /],
  [{ subscribe: 5 }, 'subscribe', /single quotes/],
  [{ failOnDataLoss: 'maybe' }, 'failOnDataLoss', /without quotes/],
  [{ 'kafka.security.protocol': 'TLS' }, 'kafka.security.protocol', /SASL_SSL/],
  [{ 'kafka.security.protocol': 'SASL_SSL' }, 'kafka.security.protocol', /kafka\.sasl\.username/],
  [{ 'kafka.sasl.mechanism': 'PLAIN' }, 'kafka.sasl.mechanism', /kafka\.sasl\.password/],
  [{ 'kafka.sasl.username': 'me' }, 'kafka.sasl.password', /KAFKA_PASSWORD/],
  [{ startingOffsets: 'first' }, 'startingOffsets', /'earliest'/],
  [{ startingOffsets: '{"other":{"0":1}}' }, 'startingOffsets', /orders, clicks/],
  [{ startingOffsets: '{"orders":{"0":-3}}' }, 'startingOffsets', /"0":23/],
])('%j is refused at %s', (more, option, advice) => {
  const error = refusal(more);
  expect(error).toMatchObject({ code: 'CONFIG_INVALID', facts: { option } });
  expect(error.advice).toMatch(advice);
});

test('no password is in any message', () => {
  const secrets = { 'kafka.sasl.password': 's3cret', 'kafka.sasl.mechanism': 'PLAIN' };
  expect(inspect(refusal(secrets), { depth: 10 })).not.toContain('s3cret');
  const jaas = { 'kafka.sasl.jaas.config': 'password="s3cret"' };
  expect(inspect(refusal(jaas), { depth: 10 })).not.toContain('s3cret');
});

test('where a partition begins: by the option at first, from its beginning when it was added later', () => {
  const range = { low: 5n, high: 90n };
  const offsets = parse({ startingOffsets: '{"orders":{"0":23,"1":-1,"2":-2,"3":9007199254740993}}' }).startingOffsets;
  const at = (partition: number): bigint => startingOffset(offsets, `orders/${String(partition)}`, range, true);
  expect([0, 1, 2, 3, 4].map(at)).toEqual([23n, 90n, 5n, 9007199254740993n, 5n]);
  expect(startingOffset('latest', 'orders/0', range, true)).toBe(90n);
  expect(startingOffset('latest', 'orders/9', range, false)).toBe(5n);
});
