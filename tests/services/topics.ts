/** Topics and records for tests and benches, made with a client of their own. */
import { randomUUID } from 'node:crypto';
import { CompressionTypes, Kafka, logLevel, type IHeaders, type ITopicConfig, type Message } from 'kafkajs';

/** Messages in one `send`: the client copies its array for each message, so many small calls are faster than a large one. */
const SEND_MESSAGES = 200;

export function kafkaClient(brokers: readonly string[]): Kafka {
  return new Kafka({ brokers: [...brokers], logLevel: logLevel.NOTHING, clientId: 'sluice-tests' });
}

/** A name that no other test has. */
export function uniqueTopic(prefix: string): string {
  return `${prefix}-${randomUUID().slice(0, 8)}`;
}

/** Records may carry times that are long past: a broker by itself removes what is older than a week as soon as it looks. */
export const KEEP_OLD_RECORDS = { name: 'retention.ms', value: '-1' } as const;

/**
 * Makes a topic that keeps what is old, unless `configEntries` say otherwise, and waits until it is ready.
 * @example await createTopic(brokers, 'orders', { numPartitions: 4 })
 */
export async function createTopic(
  brokers: readonly string[],
  topic: string,
  { configEntries = [], ...config }: Omit<ITopicConfig, 'topic'> = {},
): Promise<void> {
  const own = configEntries.some(({ name }) => name === KEEP_OLD_RECORDS.name);
  const entries = own ? configEntries : [KEEP_OLD_RECORDS, ...configEntries];
  const admin = kafkaClient(brokers).admin();
  await admin.connect();
  try {
    await admin.createTopics({
      topics: [{ topic, replicationFactor: 1, ...config, configEntries: entries }],
      waitForLeaders: true,
    });
  } finally {
    await admin.disconnect();
  }
}

export interface TestRecord {
  readonly value: string | Buffer | null;
  readonly key?: string | Buffer | null;
  readonly partition?: number;
  readonly headers?: IHeaders;
  readonly timestamp?: string;
}

export interface ProduceOptions {
  readonly compression?: CompressionTypes;
}

/** Sends records in their order; without `partition` the key decides, as in any producer. */
export async function produce(
  brokers: readonly string[],
  topic: string,
  records: Iterable<TestRecord>,
  options: ProduceOptions = {},
): Promise<void> {
  const producer = kafkaClient(brokers).producer({ allowAutoTopicCreation: false });
  await producer.connect();
  try {
    let messages: Message[] = [];
    const send = async (): Promise<void> => {
      if (messages.length === 0) return;
      await producer.send({ topic, messages, compression: options.compression ?? CompressionTypes.None });
      messages = [];
    };
    for (const record of records) {
      messages.push(record);
      if (messages.length === SEND_MESSAGES) await send();
    }
    await send();
  } finally {
    await producer.disconnect();
  }
}
