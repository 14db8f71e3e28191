import { expect, test } from 'vitest';
import { kafkaError } from '../../../../ingest/kafka/errors.ts';
import { dataLoss, lossAt } from '../../../../ingest/kafka/offsets.ts';
import { parseKafkaOptions } from '../../../../ingest/kafka/options.ts';

const RANGE = { low: 10n, high: 20n };
const OPTIONS = parseKafkaOptions(
  new Map([
    ['bootstrapServers', 'one:9092'],
    ['subscribe', 'orders'],
  ]),
);

test('a position is good from the first record that is there to the next that will be', () => {
  expect([10n, 15n, 20n].map((at) => lossAt('orders/0', at, RANGE))).toEqual([undefined, undefined, undefined]);
  expect(lossAt('orders/0', 9n, RANGE)).toMatchObject({ from: 9n, upTo: 10n });
  expect(lossAt('orders/0', 21n, RANGE)).toMatchObject({ from: 10n, upTo: 10n });
});

test('the error names the partition, the offsets, and what to do', () => {
  const loss = lossAt('orders/0', 7n, RANGE);
  if (loss === undefined) throw new Error('no loss');
  const error = dataLoss(loss, 7n);
  expect(error.message).toBe('orders/0: offsets 7 to 9 are gone before they were read (the topic begins at 10)');
  expect(error.advice).toContain('failOnDataLoss => false');
  expect(error.facts).toEqual({ partition: 'orders/0', offset: 7n, next: 10n });
});

test.each([
  [Object.assign(new Error('SASL PLAIN failed'), { name: 'KafkaJSSASLAuthenticationError' }), 'SOURCE_AUTH'],
  [Object.assign(new Error('no'), { type: 'TOPIC_AUTHORIZATION_FAILED' }), 'SOURCE_AUTH'],
  [
    new Error('retries', { cause: Object.assign(new Error('no'), { type: 'GROUP_AUTHORIZATION_FAILED' }) }),
    'SOURCE_AUTH',
  ],
  [Object.assign(new Error('no'), { type: 'UNKNOWN_TOPIC_OR_PARTITION' }), 'SOURCE_MISSING'],
  [new Error('Connection error: connect ECONNREFUSED'), 'SOURCE_UNREACHABLE'],
])('%s is %s', (thrown, code) => {
  const error = kafkaError(thrown, OPTIONS, 'reading the topic orders');
  expect(error).toMatchObject({ code, cause: thrown });
  expect(error.message).toContain('one:9092');
  expect(error.advice).toBeDefined();
});
