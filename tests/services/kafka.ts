/**
 * A real Kafka broker for tests, benches and development, on free ports of 127.0.0.1: the one that KAFKA_BROKERS names,
 * else in Docker if an engine answers, else on this machine's Java with jars from Maven Central.
 *
 * Promise: ready when `startKafka` resolves; gone when this process ends. What it logged is kept when it fails to start.
 */
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Kafka, logLevel } from 'kafkajs';
import { messageOf, SluiceError } from '../../core/errors.ts';
import type { BrokerProcess } from './broker-process.ts';
import { SASL_USER, TLS_CERTIFICATE, type KafkaPorts } from './kafka-config.ts';
import { DockerBroker, dockerIsThere } from './kafka-docker.ts';
import { JavaBroker, javaIsThere } from './kafka-java.ts';

export interface KafkaOptions {
  /** Keeps the folder of the logs and data at `stop`. */
  readonly keepLogs?: boolean;
  /** A broker that is this caller's to kill and restart, whatever KAFKA_BROKERS says. */
  readonly own?: boolean;
}

/** Where a broker with a second, password-protected listener lets this user in. */
export interface KafkaSasl {
  readonly brokers: readonly string[];
  readonly username: string;
  readonly password: string;
}

/** The same over TLS. */
export interface KafkaTls extends KafkaSasl {
  /** The certificate to trust, as PEM. */
  readonly ca: string;
}

export interface KafkaService {
  readonly brokers: string[];
  /** Undefined for a broker that was given by KAFKA_BROKERS. */
  readonly sasl: KafkaSasl | undefined;
  /** Likewise. */
  readonly tls: KafkaTls | undefined;
  /** False for a broker that was given by KAFKA_BROKERS: it is never stopped, and cannot be killed or restarted. */
  readonly managed: boolean;
  readonly logFile: string | undefined;
  /** Ends the broker and removes its data; `keepLogs` leaves the folder where it is. */
  stop(options?: { readonly keepLogs?: boolean }): Promise<void>;
  /** The power cut: SIGKILL. The data stays for `restart`. */
  kill9(): Promise<void>;
  /** Starts it again, on the same ports and data, after a clean stop if it runs. */
  restart(): Promise<void>;
}

const READY_MS_MAX = 60_000;
const POLL_MS = 50;

/**
 * Starts a broker, or takes the one of KAFKA_BROKERS.
 * @throws SluiceError `SOURCE_UNREACHABLE` when there is no way to have one, or it does not get ready within a minute.
 * @example const kafka = await startKafka(); try { … kafka.brokers … } finally { await kafka.stop(); }
 */
export async function startKafka(options: KafkaOptions = {}): Promise<KafkaService> {
  const given = process.env['KAFKA_BROKERS'];
  if (given !== undefined && given !== '' && options.own !== true) return givenKafka(given.split(','));
  const ports = await freePorts();
  const broker = await newBroker(ports);
  await ready(broker, ports);
  const address = (port: number): string => `127.0.0.1:${String(port)}`;
  return {
    brokers: [address(ports.plain)],
    sasl: { brokers: [address(ports.sasl)], ...SASL_USER },
    tls: { brokers: [address(ports.tls)], ...SASL_USER, ca: TLS_CERTIFICATE.certificate },
    managed: true,
    logFile: broker.logFile,
    stop: async ({ keepLogs = options.keepLogs ?? false } = {}) => {
      await broker.end('kill');
      if (!keepLogs) await broker.remove();
    },
    kill9: () => broker.end('kill'),
    restart: async () => {
      await broker.end('clean');
      await ready(broker, ports);
    },
  };
}

async function newBroker(ports: KafkaPorts): Promise<BrokerProcess> {
  if (dockerIsThere()) return DockerBroker.create(ports);
  if (javaIsThere()) return JavaBroker.create(ports);
  throw new SluiceError('SOURCE_UNREACHABLE', 'there is no way to start a Kafka broker on this machine', {
    advice:
      'Do one of these: set KAFKA_BROKERS to a broker that runs; start Docker; install Java 17 or newer and Maven ' +
      '(Debian: apt-get install openjdk-17-jre-headless maven).',
  });
}

function givenKafka(brokers: string[]): KafkaService {
  const refuse = (): Promise<never> =>
    Promise.reject(new Error('a broker given by KAFKA_BROKERS is not ours to kill: ask for one with { own: true }'));
  const nothing = { sasl: undefined, tls: undefined, managed: false, logFile: undefined };
  return { brokers, ...nothing, stop: () => Promise.resolve(), kill9: refuse, restart: refuse };
}

/** Starts the process and waits until the broker answers as a client would ask. */
async function ready(broker: BrokerProcess, ports: KafkaPorts): Promise<void> {
  await broker.start();
  const address = `127.0.0.1:${String(ports.plain)}`;
  const client = new Kafka({ brokers: [address], logLevel: logLevel.NOTHING, connectionTimeout: 1000 });
  let last: unknown;
  for (let waitedMs = 0; waitedMs < READY_MS_MAX && broker.isRunning(); waitedMs += POLL_MS) {
    const admin = client.admin({ retry: { retries: 0 } });
    try {
      await admin.connect();
      const { brokers } = await admin.describeCluster();
      if (brokers.length > 0) return;
    } catch (error) {
      last = error;
    } finally {
      await admin.disconnect().catch(() => undefined);
    }
    await sleep(POLL_MS);
  }
  const words = await broker.lastWords();
  await broker.end('kill');
  throw new SluiceError(
    'SOURCE_UNREACHABLE',
    `the Kafka broker did not get ready (${messageOf(last)}); the end of its log:\n${words}`,
    { advice: `The whole log is in ${broker.logFile}.`, facts: { file: broker.logFile }, cause: last },
  );
}

/** Ports that were free a moment ago. */
async function freePorts(): Promise<KafkaPorts> {
  const servers = await Promise.all([listening(), listening(), listening(), listening()]);
  const [plain, sasl, tls, controller] = servers.map(({ port }) => port);
  await Promise.all(servers.map(({ close }) => close()));
  if (plain === undefined || sasl === undefined || tls === undefined || controller === undefined)
    throw new Error('no free port');
  return { plain, sasl, tls, controller };
}

async function listening(): Promise<{ port: number; close: () => Promise<void> }> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => {
        resolve();
      });
    });
  return { port: address.port, close };
}
