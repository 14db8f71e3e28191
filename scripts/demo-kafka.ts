/** The demo's stream through a real broker: the generated records are produced to topics, and read_kafka takes the place of generate. */
import { randomUUID } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import kafkajs, { type Admin, type Kafka, type Producer } from 'kafkajs';
import type { Io } from '../cli/io.ts';
import { formatCount } from '../cli/format.ts';
import { systemClock } from '../core/clock.ts';
import { messageOf, SluiceError } from '../core/errors.ts';
import { Engine } from '../engine/engine.ts';
import type { Session } from '../engine/session.ts';
import {
  GenerateSource,
  generateSchema,
  parseGenerateOptions,
  type GenerateOptions,
} from '../ingest/generate/index.ts';
import type { Positions } from '../ingest/source.ts';
import { startKafka } from '../tests/services/kafka.ts';
import { KEEP_OLD_RECORDS } from '../tests/services/topics.ts';

const GENERATE = /STREAM generate\(([^)]*)\)/g;
const LIMITS = { rows: 50_000, bytes: 2 ** 24, flushMs: 100 };
/** Records of one partition in a call: the client copies its list for each record, so that large calls are slow. */
const SEND_RECORDS = 200;

/**
 * Starts a broker, fills its topics, lets `run` read them, and stops it.
 *
 * Promise: a broker that was there before (KAFKA_BROKERS) gets topics with names of their own, which are deleted at the end.
 */
export async function throughKafka(folder: string, io: Io, run: () => Promise<void>): Promise<void> {
  const file = join(folder, 'pipelines', '01_bronze.sql');
  const sql = await readFile(file, 'utf8');
  io.stderr.write('Starting a Kafka broker …\n');
  const kafka = await startKafka();
  const prefix = kafka.managed ? '' : `sluice-demo-${randomUUID().slice(0, 8)}-`;
  const optionsOf = (args: string): GenerateOptions => {
    const options = parseGenerateOptions(argumentsOf(args));
    return { ...options, topic: `${prefix}${options.topic}` };
  };
  const streams = [...sql.matchAll(GENERATE)].map(([, args = '']) => optionsOf(args));
  const client = new kafkajs.Kafka({
    clientId: 'sluice-demo',
    brokers: kafka.brokers,
    logLevel: kafkajs.logLevel.NOTHING,
    retry: { retries: 2 },
  });
  const admin = client.admin();
  try {
    await produce(client, admin, streams, io).catch((error: unknown) => {
      throw new SluiceError('SOURCE_UNREACHABLE', `Kafka at ${kafka.brokers.join(',')} failed: ${messageOf(error)}`, {
        advice: 'Check the broker that KAFKA_BROKERS names, or unset it: the demo then starts one of its own.',
        cause: error,
      });
    });
    await writeFile(
      file,
      sql.replace(GENERATE, (_, args: string) => readKafka(optionsOf(args), kafka.brokers)),
    );
    await run();
  } finally {
    if (!kafka.managed) await admin.deleteTopics({ topics: streams.map(({ topic }) => topic) }).catch(() => undefined);
    await admin.disconnect();
    await kafka.stop();
  }
}

/** Makes the topics and fills them. */
async function produce(client: Kafka, admin: Admin, streams: readonly GenerateOptions[], io: Io): Promise<void> {
  await admin.connect();
  await admin.createTopics({
    topics: streams.map(({ topic, partitions }) => ({
      topic,
      numPartitions: partitions,
      replicationFactor: 1,
      configEntries: [KEEP_OLD_RECORDS],
    })),
    waitForLeaders: true,
  });
  const producer = client.producer({ allowAutoTopicCreation: false });
  await producer.connect();
  try {
    for (const options of streams) await fill(options, producer, io);
  } finally {
    await producer.disconnect();
  }
}

function readKafka({ dataset, topic }: GenerateOptions, brokers: readonly string[]): string {
  return `STREAM read_kafka(
  bootstrapServers => '${brokers.join(',')}',
  subscribe => '${topic}',
  valueFormat => 'json',
  schema => '${generateSchema(dataset)}')`;
}

/** `dataset => 'orders', rows => 5` as names and values. */
function argumentsOf(text: string): Map<string, string | number> {
  return new Map(
    [...text.matchAll(/(\w+)\s*=>\s*(?:'([^']*)'|([\d.]+))/g)].map(([, name = '', word, number]) => [
      name,
      word ?? Number(number),
    ]),
  );
}

async function fill(options: GenerateOptions, producer: Producer, io: Io): Promise<void> {
  const engine = await Engine.open({ memoryLimit: '300MB' });
  const session = await engine.session();
  const source = new GenerateSource({ options, engine, clock: systemClock });
  let positions: Positions = new Map();
  let sent = 0;
  try {
    for (;;) {
      const batch = await source.read(positions, LIMITS, new AbortController().signal);
      if (batch === undefined) break;
      sent += await send(session, batch.relation, options, producer);
      positions = new Map([...positions, ...batch.upTo]);
      await batch.release();
      io.stderr.write(`  ${options.topic}: ${formatCount(sent)} records produced\n`);
    }
  } finally {
    await source.close();
    session.close();
    engine.close();
  }
}

async function send(
  session: Session,
  relation: string,
  { topic }: GenerateOptions,
  producer: Producer,
): Promise<number> {
  const result = await session.stream(
    `SELECT "partition", epoch_ms("timestamp") AS at, "key", "value" FROM ${relation} ORDER BY "partition", "offset"`,
  );
  let sent = 0;
  for await (const rows of result.batches()) {
    for (let at = 0; at < rows.length; at += SEND_RECORDS) {
      const messages = rows.slice(at, at + SEND_RECORDS).map(([partition, ms, key, value]) => ({
        partition: Number(partition),
        timestamp: String(ms as bigint),
        key: Buffer.from(key as Uint8Array),
        value: Buffer.from(value as Uint8Array),
      }));
      await producer.send({ topic, messages, acks: 1 });
      sent += messages.length;
    }
  }
  return sent;
}
