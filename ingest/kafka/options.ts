/**
 * The arguments of `read_kafka(…)`, in the spelling of Spark and Databricks, so that the same SQL runs there.
 *
 * Promise: what is not understood is refused with the nearest known name; `facts.option` names the argument; no value of an
 * option that may hold a secret is in any message.
 * Source: Spark, "Structured Streaming + Kafka Integration Guide"; Databricks, "read_kafka table-valued function".
 */
import { SluiceError } from '../../core/errors.ts';
import { nameAdvice } from '../../core/suggest.ts';
import { parseStartingOffsets, type StartingOffsets } from './starting-offsets.ts';

export interface KafkaSasl {
  readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512';
  readonly username: string;
  readonly password: string;
}

export interface KafkaOptions {
  /** `host:port` of the brokers to begin with. */
  readonly brokers: readonly string[];
  readonly topics: readonly string[];
  /** Where a flow begins that has no position yet. */
  readonly startingOffsets: StartingOffsets;
  /** Whether records that are gone before they were read stop the flow, or are only told in the commit. */
  readonly failOnDataLoss: boolean;
  /** The consumer group that several workers share; undefined: one of the worker's own. */
  readonly groupId: string | undefined;
  readonly tls: boolean;
  /** A PEM file of the certificates to trust, or their text; undefined: those of the system. */
  readonly ca: string | undefined;
  readonly sasl: KafkaSasl | undefined;
}

type Value = string | number | boolean;
type Arguments = ReadonlyMap<string, Value>;

/** Spellings and what they mean here. */
const NAMES = {
  bootstrapServers: 'brokers',
  'kafka.bootstrap.servers': 'brokers',
  subscribe: 'topics',
  startingOffsets: 'startingOffsets',
  failOnDataLoss: 'failOnDataLoss',
  groupId: 'groupId',
  'kafka.group.id': 'groupId',
  'kafka.security.protocol': 'protocol',
  'kafka.sasl.mechanism': 'mechanism',
  'kafka.sasl.username': 'username',
  'kafka.sasl.password': 'password',
  'kafka.sasl.jaas.config': 'jaas',
  'kafka.ssl.ca': 'ca',
} as const;
type Name = keyof typeof NAMES;
type Meaning = (typeof NAMES)[Name];

const MECHANISMS = ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'] as const;
const PROTOCOLS = ['PLAINTEXT', 'SSL', 'SASL_PLAINTEXT', 'SASL_SSL'] as const;

/**
 * Names are read in any case.
 * @throws SluiceError `CONFIG_INVALID` with the argument in `facts.option`.
 * @example parseKafkaOptions(new Map([['bootstrapServers', 'localhost:9092'], ['subscribe', 'orders']])).topics // ['orders']
 */
export function parseKafkaOptions(args: Arguments): KafkaOptions {
  const given = byMeaning(args);
  const brokers = listOf(given, 'brokers', 'bootstrapServers', "bootstrapServers => 'localhost:9092'");
  const topics = listOf(given, 'topics', 'subscribe', "subscribe => 'orders'");
  const wrong = brokers.find((broker) => !/^.+:\d{1,5}$/.test(broker));
  if (wrong !== undefined) {
    throw invalid(
      nameOf(given, 'brokers'),
      `has ${wrong}, which is no host:port`,
      "Write 'host:9092', or several with commas between.",
    );
  }
  const protocol = oneOf(given, 'protocol', PROTOCOLS);
  const mechanism = oneOf(given, 'mechanism', MECHANISMS);
  const sasl = saslOf(given, mechanism);
  if (protocol?.startsWith('SASL') === true && sasl === undefined) {
    throw invalid(
      'kafka.security.protocol',
      `is ${protocol}, but there is no user`,
      'Give kafka.sasl.mechanism, kafka.sasl.username and kafka.sasl.password.',
    );
  }
  if (protocol !== undefined && !protocol.startsWith('SASL') && sasl !== undefined) {
    throw invalid(
      'kafka.security.protocol',
      `is ${protocol}, which sends no user name`,
      'Take SASL_PLAINTEXT or SASL_SSL, or leave kafka.sasl.* away.',
    );
  }
  const ca = textOf(given, 'ca');
  return {
    brokers,
    topics,
    startingOffsets: parseStartingOffsets(
      given.get('startingOffsets')?.value ?? 'earliest',
      topics,
      (problem, advice) => invalid('startingOffsets', problem, advice),
    ),
    failOnDataLoss: booleanOf(given, 'failOnDataLoss') ?? true,
    groupId: textOf(given, 'groupId'),
    tls: protocol === undefined ? ca !== undefined : protocol.endsWith('SSL'),
    ca,
    sasl,
  };
}

interface Given {
  readonly written: string;
  readonly value: Value;
}

function byMeaning(args: Arguments): Map<Meaning, Given> {
  const names = Object.keys(NAMES) as Name[];
  const given = new Map<Meaning, Given>();
  for (const [written, value] of args) {
    const name = names.find((known) => known.toLowerCase() === written.toLowerCase());
    if (name === undefined) {
      throw invalid(
        written,
        'is not an option of read_kafka',
        nameAdvice(written, names, `There are ${names.join(', ')}.`),
      );
    }
    given.set(NAMES[name], { written, value });
  }
  return given;
}

function saslOf(
  given: ReadonlyMap<Meaning, Given>,
  mechanism: (typeof MECHANISMS)[number] | undefined,
): KafkaSasl | undefined {
  const { username, password } = credentials(given);
  if (username === undefined && password === undefined) {
    if (mechanism === undefined) return undefined;
    throw invalid('kafka.sasl.mechanism', 'needs a user', 'Give kafka.sasl.username and kafka.sasl.password as well.');
  }
  if (username === undefined)
    throw invalid('kafka.sasl.username', 'is missing', 'Give it, or leave kafka.sasl.* away.');
  if (password === undefined) throw invalid('kafka.sasl.password', 'is missing', "Best as '${KAFKA_PASSWORD}'.");
  const known = (mechanism ?? 'PLAIN').toLowerCase() as KafkaSasl['mechanism'];
  return { mechanism: known, username, password };
}

/** Spark takes user and password inside a line of Java's login configuration. */
function credentials(given: ReadonlyMap<Meaning, Given>): {
  username: string | undefined;
  password: string | undefined;
} {
  const jaas = textOf(given, 'jaas');
  if (jaas === undefined) return { username: textOf(given, 'username'), password: textOf(given, 'password') };
  const field = (name: string): string | undefined => {
    const match = new RegExp(`\\b${name}\\s*=\\s*(?:"((?:[^"\\\\]|\\\\.)*)"|'((?:[^'\\\\]|\\\\.)*)')`).exec(jaas);
    return (match?.[1] ?? match?.[2])?.replace(/\\(.)/g, '$1');
  };
  const [username, password] = [field('username'), field('password')];
  if (username !== undefined && password !== undefined) return { username, password };
  throw invalid(
    'kafka.sasl.jaas.config',
    'has no username="…" and password="…"',
    'Or give kafka.sasl.username and kafka.sasl.password.',
  );
}

function listOf(given: ReadonlyMap<Meaning, Given>, meaning: Meaning, name: Name, example: string): string[] {
  const text = textOf(given, meaning);
  if (text === undefined) throw invalid(name, 'is missing', `Write ${example}.`);
  const list = text.split(',').map((item) => item.trim());
  if (list.every((item) => item !== '')) return [...new Set(list)];
  throw invalid(nameOf(given, meaning), 'has an empty name in its list', `Write ${example}.`);
}

function textOf(given: ReadonlyMap<Meaning, Given>, meaning: Meaning): string | undefined {
  const value = given.get(meaning)?.value;
  if (value === undefined || (typeof value === 'string' && value.trim() !== '')) return value;
  throw invalid(nameOf(given, meaning), 'must be a text that is not empty', 'Write it in single quotes.');
}

function booleanOf(given: ReadonlyMap<Meaning, Given>, meaning: Meaning): boolean | undefined {
  const value = given.get(meaning)?.value;
  if (value === undefined || typeof value === 'boolean') return value;
  const text = String(value).toLowerCase();
  if (text === 'true' || text === 'false') return text === 'true';
  throw invalid(nameOf(given, meaning), 'must be true or false', 'Write it without quotes.');
}

function oneOf<const Word extends string>(
  given: ReadonlyMap<Meaning, Given>,
  meaning: Meaning,
  words: readonly Word[],
): Word | undefined {
  const text = textOf(given, meaning);
  if (text === undefined) return undefined;
  const known = words.find((word) => word === text.toUpperCase());
  if (known !== undefined) return known;
  throw invalid(nameOf(given, meaning), `is ${text}, which is none`, `There are ${words.join(', ')}.`);
}

function nameOf(given: ReadonlyMap<Meaning, Given>, meaning: Meaning): string {
  return given.get(meaning)?.written ?? meaning;
}

function invalid(option: string, problem: string, advice: string): SluiceError {
  return new SluiceError('CONFIG_INVALID', `${option} ${problem}`, { advice, facts: { option } });
}
