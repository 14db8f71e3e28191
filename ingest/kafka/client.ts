/** A kafkajs client from the options of `read_kafka`: security, patience, and the tap that takes its records. */
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { ConnectionOptions } from 'node:tls';
import kafkajs, { type Kafka, type KafkaConfig, type SASLOptions } from 'kafkajs';
import { messageOf, SluiceError } from '../../core/errors.ts';
import type { KafkaOptions } from './options.ts';
import type { RecordTap } from './wire/tap.ts';

/** How long a broker may take to answer the knock. */
const CONNECTION_TIMEOUT_MS = 3000;
const REQUEST_TIMEOUT_MS = 30_000;
/** Each request is tried again by kafkajs for about four seconds. */
const RETRY = { initialRetryTime: 100, maxRetryTime: 1000, retries: 5 };
/** Partitions that are added to a topic are noticed within this time. */
export const METADATA_MAX_AGE_MS = 30_000;

/**
 * Nothing is connected yet.
 * @param folder what a relative path of the certificates starts from
 * @throws SluiceError `CONFIG_INVALID` when the file of the certificates cannot be read.
 */
export async function kafkaClient(
  options: KafkaOptions,
  clientId: string,
  folder: string,
  { socketFactory }: RecordTap,
): Promise<Kafka> {
  const config: KafkaConfig = {
    clientId,
    brokers: [...options.brokers],
    connectionTimeout: CONNECTION_TIMEOUT_MS,
    authenticationTimeout: CONNECTION_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    retry: RETRY,
    logLevel: kafkajs.logLevel.NOTHING,
    socketFactory,
    ...(options.sasl === undefined ? {} : { sasl: options.sasl as SASLOptions }),
    ...(options.tls ? { ssl: await tlsOf(options.ca, folder) } : {}),
  };
  return new kafkajs.Kafka(config);
}

async function tlsOf(ca: string | undefined, folder: string): Promise<ConnectionOptions | true> {
  if (ca === undefined) return true;
  if (ca.startsWith('-----BEGIN')) return { ca: [ca] };
  try {
    return { ca: [await readFile(resolve(folder, ca), 'utf8')] };
  } catch (error) {
    throw new SluiceError('CONFIG_INVALID', `the certificates of Kafka cannot be read: ${messageOf(error)}`, {
      advice: 'ssl.ca names a PEM file, relative to the folder of the project.',
      facts: { option: 'kafka.ssl.ca' },
      cause: error,
    });
  }
}
