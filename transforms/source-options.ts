/** `read_kafka(…)` and `generate(…)`: their arguments as the options of a source and of its decoder. */
import { SluiceError } from '../core/errors.ts';
import type { StructType } from '../core/schema.ts';
import type { Span } from '../core/source-text.ts';
import { nameAdvice } from '../core/suggest.ts';
import { RESCUED_DATA_COLUMN, type DecodeSpec } from '../ingest/decode/decode.ts';
import { parseSchema } from '../core/schema-text.ts';
import { generateSchema, parseGenerateOptions } from '../ingest/generate/index.ts';
import { parseKafkaOptions } from '../ingest/kafka/index.ts';
import type { Config } from './config.ts';
import type { FlowSource } from './flow.ts';
import type { Argument, StreamUse } from './parse/stream-use.ts';
import type { Script } from './parse/script.ts';

type FunctionUse = Extract<StreamUse, { readonly kind: 'function' }>;
type Value = Argument['value'];

const SOURCES = ['read_kafka', 'generate'];
const FORMATS = ['json', 'string', 'binary'];
/** Options of decoding, in lower case, as Databricks spells them. */
const DECODE_OPTIONS = {
  valueformat: 'valueFormat',
  schema: 'schema',
  rescueddatacolumn: 'rescuedDataColumn',
} as const;

/**
 * @throws SluiceError with the place of the argument that is wrong: `SQL_INVALID`, `CONFIG_INVALID`.
 */
export function sourceOf(use: FunctionUse, script: Script, config: Config): FlowSource {
  const given = new Map(use.arguments.map((argument) => [argument.name.value.toLowerCase(), argument]));
  const own = use.arguments.filter(({ name }) => !(name.value.toLowerCase() in DECODE_OPTIONS));
  switch (use.name.value) {
    case 'read_kafka': {
      const args = kafkaArguments(own, script, config);
      const options = located(use, script, () => parseKafkaOptions(args));
      return { kind: 'kafka', options, decode: decodeOf(use, given, script, undefined) };
    }
    case 'generate': {
      const args = new Map(own.map(({ name, value }) => [name.value, value]));
      const options = located(use, script, () => parseGenerateOptions(args));
      return { kind: 'generate', options, decode: decodeOf(use, given, script, generateSchema(options.dataset)) };
    }
    default: {
      throw script.error('SQL_INVALID', use.name, `there is no source ${use.name.value}`, {
        advice: nameAdvice(use.name.value, SOURCES),
      });
    }
  }
}

/** Those of the connection in sluice.yaml first; what is written in the statement counts more. */
function kafkaArguments(own: readonly Argument[], script: Script, config: Config): Map<string, Value> {
  const args = new Map<string, Value>();
  for (const { name, value, at } of own) {
    if (name.value.toLowerCase() !== 'connection') continue;
    const connection = config.connections[String(value)];
    if (connection === undefined) {
      throw script.error('CONFIG_INVALID', at, `sluice.yaml has no connection ${String(value)}`, {
        advice: nameAdvice(String(value), Object.keys(config.connections), 'Add it there under connections.'),
      });
    }
    for (const [option, setting] of connectionArguments(connection)) args.set(option, setting);
  }
  for (const { name, value } of own) if (name.value.toLowerCase() !== 'connection') args.set(name.value, value);
  return args;
}

function connectionArguments(connection: Config['connections'][string]): [string, Value][] {
  const { bootstrap_servers: servers, security_protocol: protocol, sasl, ssl } = connection;
  return [
    ['bootstrapServers', servers],
    ...(protocol === undefined ? [] : [['kafka.security.protocol', protocol] as [string, Value]]),
    ...(sasl === undefined
      ? []
      : ([
          ['kafka.sasl.mechanism', sasl.mechanism],
          ['kafka.sasl.username', sasl.username],
          ['kafka.sasl.password', sasl.password],
        ] as [string, Value][])),
    ...(ssl?.ca === undefined ? [] : [['kafka.ssl.ca', ssl.ca] as [string, Value]]),
  ];
}

function decodeOf(
  use: FunctionUse,
  given: ReadonlyMap<string, Argument>,
  script: Script,
  defaultSchema: string | undefined,
): DecodeSpec {
  const text = (option: keyof typeof DECODE_OPTIONS): string | undefined => {
    const argument = given.get(option);
    if (argument === undefined) return undefined;
    if (typeof argument.value === 'string') return argument.value;
    throw script.error('SQL_INVALID', argument.at, `${DECODE_OPTIONS[option]} must be a text in single quotes`);
  };
  const schema = text('schema') ?? defaultSchema;
  const format = (text('valueformat') ?? (schema === undefined ? 'binary' : 'json')).toLowerCase();
  const at = given.get('valueformat')?.at ?? use.name;
  if (format === 'string' || format === 'binary') {
    const stray = given.get('schema') ?? given.get('rescueddatacolumn');
    if (stray === undefined) return { format };
    throw script.error('SQL_INVALID', stray.name, `${stray.name.value} needs valueFormat => 'json'`);
  }
  if (format !== 'json') {
    throw script.error('SQL_INVALID', at, `there is no value format ${format}`, {
      advice: nameAdvice(format, FORMATS),
    });
  }
  if (schema === undefined) {
    throw script.error('SQL_INVALID', at, 'JSON values need a schema', {
      advice: "Write schema => 'order_id BIGINT, customer STRING, …'.",
    });
  }
  const rescued = text('rescueddatacolumn') ?? RESCUED_DATA_COLUMN;
  return {
    format,
    schema: schemaOf(schema, given.get('schema')?.at ?? use.name, script),
    rescuedDataColumn: rescued === '' ? undefined : rescued,
  };
}

/** Column definitions; what is wrong in them is shown inside the text. */
export function schemaOf(text: string, at: Span, script: Script): StructType {
  return told(
    () => parseSchema(text),
    script,
    ({ facts: { position } }) => {
      if (typeof position !== 'number' || script.text.slice(at.start + 1, at.end - 1) !== text) return at;
      return { start: at.start + 1 + position, end: Math.min(at.start + 2 + position, at.end) };
    },
  );
}

/** What a parser of options says, at the place of the argument that it names. */
function located<T>(use: FunctionUse, script: Script, parse: () => T): T {
  return told(
    parse,
    script,
    ({ facts: { option } }) =>
      use.arguments.find(({ name }) => name.value.toLowerCase() === String(option).toLowerCase())?.name ?? use.name,
  );
}

function told<T>(work: () => T, script: Script, placeOf: (error: SluiceError) => Span): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error;
    throw script.error(error.code, placeOf(error), error.message, {
      advice: error.advice,
      facts: error.facts,
      cause: error,
    });
  }
}
