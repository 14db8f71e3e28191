/**
 * `sluice.yaml`: what it may say, with defaults.
 *
 * Promise: a wrong file gives one error with `file:line:column`, the line, and the nearest known name for a misspelt one. No
 * value of the environment, and so no secret, is in any message. The JSON Schema for editors (transforms/sluice.schema.json)
 * is made from the same definition.
 */
import { isNode, isPair, isScalar, LineCounter, parseDocument, visit, type Document } from 'yaml';
import { z } from 'zod';
import { messageOf } from '../core/errors.ts';
import { nameAdvice } from '../core/suggest.ts';
import { SourceText, type Span } from '../core/source-text.ts';
import { applyEdits } from '../core/edits.ts';
import { fillVariables, type Environment } from './variables.ts';

const VARIABLE = String.raw`\$\{.+\}`;
const WHOLE = new RegExp(String.raw`^(\d+|${VARIABLE})$`);
const SIZE = new RegExp(String.raw`^(\d+(\.\d+)? ?([KMGT]i?)?B?|${VARIABLE})$`, 'i');

/** One message for whatever is wrong with a value; values themselves are never shown. */
const say = (message: string) => ({
  error: (issue: { readonly input?: unknown }) => (issue.input === undefined ? 'is missing' : message),
});

const text = (message = 'must be a text that is not empty') => z.string(say(message)).min(1, say(message));

const object = <Shape extends z.ZodRawShape>(shape: Shape) =>
  z.strictObject(shape, {
    error: (issue) => (issue.code === 'unrecognized_keys' ? undefined : say('must hold keys and values').error(issue)),
  });

const oneOf = <const Names extends readonly string[]>(names: Names) =>
  z.enum(names, say(`must be one of ${names.join(', ')}`));

const whole = (least: number, describe: string) => {
  const message = say(`must be a whole number of at least ${String(least)}`);
  return z
    .union([z.int(message).min(least, message), z.string(message).regex(WHOLE, message)], message)
    .transform(Number)
    .refine((value) => value >= least, message)
    .describe(describe);
};

const bytes = (describe: string) => {
  const message = say("must be a size in bytes of at least 1, or as '64MB' or '64MiB'");
  return z
    .union([z.int(message).min(1, message), z.string(message).regex(SIZE, message)], message)
    .transform(sizeInBytes)
    .refine((value) => value >= 1, message)
    .describe(describe);
};

const truth = (describe: string) => {
  const message = say('must be true or false');
  return z
    .union([z.boolean(message), z.enum(['true', 'false'], message)], message)
    .transform((value) => value === true || value === 'true')
    .optional()
    .describe(describe);
};

const SERVERS = say("must be 'host:port', several of them with commas between, or a list");

const Connection = object({
  bootstrap_servers: z
    .union(
      [z.string(SERVERS).min(1, SERVERS), z.array(z.string(SERVERS).min(1, SERVERS), SERVERS).min(1, SERVERS)],
      SERVERS,
    )
    .transform((servers) => (typeof servers === 'string' ? servers : servers.join(',')))
    .describe('Brokers to begin with, as host:port.'),
  security_protocol: oneOf(['PLAINTEXT', 'SSL', 'SASL_PLAINTEXT', 'SASL_SSL'])
    .optional()
    .describe('How to talk to the brokers. Default: what sasl and ssl imply.'),
  sasl: object({
    mechanism: oneOf(['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512']).describe('The SASL mechanism.'),
    username: text().describe('The user name.'),
    password: text().describe("The password: best as '${KAFKA_PASSWORD}'."),
  })
    .optional()
    .describe('User name and password.'),
  ssl: object({
    ca: z.string().min(1).optional().describe("A PEM file with the certificates to trust; the system's when left out."),
  })
    .optional()
    .describe('Encryption.'),
}).describe('A Kafka cluster, for `connection => …` in read_kafka.');

const Config = object({
  name: text().default('sluice').describe('The name of the project.'),
  lake: text()
    .default('lake')
    .describe("Where the tables are: a folder, relative to the project's, or s3://bucket/path."),
  storage: object({
    s3: object({
      endpoint: text()
        .optional()
        .describe("The address of a service other than Amazon's, as http://minio:9000. Default: AWS_ENDPOINT_URL_S3."),
      region: text().optional().describe('The region of the buckets. Default: AWS_REGION, or what the profile says.'),
      force_path_style: truth('The name of the bucket in the path of the address. Default: true with an endpoint.'),
      profile: text().optional().describe('A profile of ~/.aws/config. Default: AWS_PROFILE.'),
    })
      .prefault({})
      .describe('Buckets. Credentials are where the AWS tools look for them, and never here.'),
    cache: object({
      path: text()
        .optional()
        .describe("The folder, relative to the project's; processes share it. Default: ~/.cache/sluice."),
      size: bytes('What its files may take, beyond what is in use.').default(10 * 2 ** 30),
    })
      .prefault({})
      .describe('Copies of objects on this machine, which queries read.'),
  })
    .prefault({})
    .describe('How to reach what is not on disk.'),
  connections: z.record(text(), Connection).default({}).describe('Kafka clusters by name.'),
  engine: object({
    memory_limit: z
      .string(say("must be a size as '300MB'"))
      .regex(SIZE, say("must be a size as '300MB'"))
      .default('300MB')
      .describe('What DuckDB may use; work beyond it spills to disk.'),
    threads: whole(1, 'Threads that DuckDB may use.').default(2),
  })
    .prefault({})
    .describe('The query engine.'),
  ingest: object({
    flush_ms: whole(1, 'A batch that has rows is written after this time, in milliseconds.').default(200),
    max_batch_rows: whole(1, 'A batch is written when it has this many rows.').default(122_880),
    max_batch_bytes: bytes('A batch is written when its records have this many bytes.').default(32 * 2 ** 20),
    buffer_bytes: bytes('Fetched records that wait in memory, all flows together.').default(64 * 2 ** 20),
  })
    .prefault({})
    .describe('How records are cut into batches.'),
  tables: object({
    checkpoint_interval: whole(1, 'A checkpoint of the log after this many commits.').default(10),
    auto_compact: truth(
      'Put small files together in the background, where a table does not say otherwise. Default: true.',
    ),
  })
    .prefault({})
    .describe('The Delta tables.'),
});

export type Config = z.output<typeof Config>;
export type Connection = z.output<typeof Connection>;

/**
 * Reads `sluice.yaml`.
 * @throws SluiceError `CONFIG_INVALID` with the place in the file.
 * @example parseConfig('ingest: { flush_ms: 500 }', 'sluice.yaml', {}).ingest.flush_ms // 500
 */
export function parseConfig(text: string, file: string, env: Environment): Config {
  const source = new SourceText(file, text);
  const document = parseDocument(text, { prettyErrors: false, lineCounter: new LineCounter() });
  const [broken] = document.errors;
  if (broken !== undefined) {
    const [start, end] = broken.pos;
    throw source.error('CONFIG_INVALID', { start, end }, `this is not YAML: ${broken.message}`);
  }
  setVariables(document, source, env);
  const parsed = Config.safeParse(plain(document, source) ?? {});
  if (parsed.success) return parsed.data;
  const { issues } = parsed.error;
  const unknown = issues.find((issue) => issue.code === 'unrecognized_keys');
  if (unknown !== undefined) {
    const [key = ''] = unknown.keys;
    const known = knownKeys(unknown.path);
    throw source.error('CONFIG_INVALID', keySpan(document, [...unknown.path, key]), `unknown key ${key}`, {
      advice: nameAdvice(key, known, `Known here: ${known.join(', ')}.`),
    });
  }
  const path = issues[0]?.path ?? [];
  const where = path.length === 0 ? 'the file' : path.map(String).join('.');
  throw source.error('CONFIG_INVALID', spanOf(document, path), `${where} ${issues[0]?.message ?? 'is not valid'}`);
}

/** The JSON Schema of `sluice.yaml`, for editors. */
export function configJsonSchema(): object {
  const schema = z.toJSONSchema(Config, { io: 'input', target: 'draft-7' });
  return { ...schema, title: 'sluice.yaml' };
}

function plain(document: Document, source: SourceText): unknown {
  try {
    return document.toJS();
  } catch (error) {
    throw source.error('CONFIG_INVALID', { start: 0, end: 0 }, `this is not YAML: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

function setVariables(document: Document, source: SourceText, env: Environment): void {
  visit(document, {
    Scalar: (_, node) => {
      if (typeof node.value !== 'string' || !node.value.includes('${')) return;
      const [start, end] = node.range ?? [0, 0];
      const edits = fillVariables(node.value, env, (_at, problem, advice) => {
        throw source.error('CONFIG_INVALID', { start, end }, problem, { advice });
      });
      node.value = applyEdits(node.value, edits).text;
    },
  });
}

/** The keys that are known at a path; below `connections` every name has the same ones. */
function knownKeys(path: readonly PropertyKey[]): string[] {
  let schema: z.ZodType = Config;
  for (const step of path) {
    const inner = bare(schema);
    schema = inner instanceof z.ZodRecord ? (inner.valueType as z.ZodType) : (shapeOf(inner)[String(step)] ?? inner);
  }
  return Object.keys(shapeOf(bare(schema)));
}

function shapeOf(schema: z.ZodType): Readonly<Record<string, z.ZodType>> {
  return schema instanceof z.ZodObject ? schema.shape : {};
}

function bare(schema: z.ZodType): z.ZodType {
  const wrapped = schema instanceof z.ZodOptional || schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault;
  return wrapped ? bare(schema.unwrap() as z.ZodType) : schema;
}

/** The nearest node of a path that the file really has. */
function spanOf(document: Document, path: readonly PropertyKey[]): Span {
  for (let length = path.length; length > 0; length--) {
    const node = document.getIn(path.slice(0, length), true);
    if (isNode(node) && node.range) return { start: node.range[0], end: node.range[1] };
  }
  return { start: 0, end: 0 };
}

function keySpan(document: Document, path: readonly PropertyKey[]): Span {
  const parent = document.getIn(path.slice(0, -1), true);
  let found: Span | undefined;
  visit(document, {
    Pair: (_, pair, ancestors) => {
      if (ancestors.at(-1) !== (path.length === 1 ? document.contents : parent)) return;
      if (!isPair(pair) || !isScalar(pair.key) || String(pair.key.value) !== String(path.at(-1))) return;
      const range = pair.key.range;
      if (range) found = { start: range[0], end: range[1] };
    },
  });
  return found ?? spanOf(document, path);
}

const UNITS: Readonly<Record<string, number>> = { '': 1, K: 1e3, M: 1e6, G: 1e9, T: 1e12, KI: 2 ** 10, MI: 2 ** 20, GI: 2 ** 30, TI: 2 ** 40 }; // prettier-ignore

function sizeInBytes(size: number | string): number {
  if (typeof size === 'number') return size;
  const [, digits = '0', unit = ''] = /^([\d.]+) ?([KMGT]i?)?B?$/i.exec(size) ?? [];
  return Math.floor(Number(digits) * (UNITS[unit.toUpperCase()] ?? 1));
}
