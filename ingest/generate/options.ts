/**
 * The arguments of `generate(…)`.
 *
 * Promise: what is not understood is refused with the nearest known name; `facts.option` names the argument.
 */
import { SluiceError } from '../../core/errors.ts';
import { nameAdvice } from '../../core/suggest.ts';

export const DATASETS = ['orders', 'customers', 'clicks', 'churn'] as const;
export type Dataset = (typeof DATASETS)[number];

export interface GenerateOptions {
  readonly dataset: Dataset;
  /** The topic of the records: the dataset's name, unless told. */
  readonly topic: string;
  readonly seed: number;
  readonly partitions: number;
  /** How many records there are in all; undefined: without end. */
  readonly rows: number | undefined;
  /** How many records come into being per second; undefined: as many as are asked for. */
  readonly rowsPerSecond: number | undefined;
  /** The event time of the first record, in milliseconds since the epoch. */
  readonly startMs: number;
  /** Without a start of its own, an endless stream that nobody has read yet is read from ten minutes ago. */
  readonly fromStart: boolean;
  /** Event time between two records, in nanoseconds. */
  readonly stepNanos: bigint;
  /** How many customers the shop has. */
  readonly customers: number;
  /** Shares of all records, from 0 to 1: event time hours too early; sent once more; broken. */
  readonly lateRatio: number;
  readonly duplicateRatio: number;
  readonly malformedRatio: number;
}

type Arguments = ReadonlyMap<string, string | number | boolean>;

const NAMES = [
  'dataset', 'topic', 'seed', 'partitions', 'rows', 'rowsPerSecond', 'startTimestamp', 'eventsPerDay', 'customers',
  'lateRatio', 'duplicateRatio', 'malformedRatio',
] as const; // prettier-ignore
type Name = (typeof NAMES)[number];

const DEFAULT_START_MS = Date.UTC(2026, 0, 1);
const DEFAULT_RATE = 100;
const DEFAULT_EVENTS_PER_DAY = 5000;
const NANOS_PER_SECOND = 1e9;
const SECONDS_PER_DAY = 86_400;

/**
 * Names are read in any case. With `rows` the stream has an end, its events are `eventsPerDay` from `startTimestamp` on, and
 * `rowsPerSecond` slows it down. Without, it is live: `rowsPerSecond` (100) records a second have come into being ever since
 * `startTimestamp`.
 * @throws SluiceError `CONFIG_INVALID`
 * @example parseGenerateOptions(new Map([['dataset', 'orders'], ['rows', 1000]])).partitions // 4
 */
export function parseGenerateOptions(args: Arguments): GenerateOptions {
  const given = new Map<Name, string | number | boolean>();
  for (const [written, value] of args) {
    const name = NAMES.find((known) => known.toLowerCase() === written.toLowerCase());
    if (name === undefined) throw unknownOption(written);
    given.set(name, value);
  }
  const dataset = datasetOf(given.get('dataset'));
  const rows = number(given, 'rows', { least: 0, whole: true });
  const rate = number(given, 'rowsPerSecond', { least: 0.001, most: 10_000_000 });
  const perDay = number(given, 'eventsPerDay', { least: 1, most: 86_400_000_000 });
  if (rows === undefined && perDay !== undefined) {
    throw invalid(
      'eventsPerDay',
      'needs rows: the events of an endless stream are rowsPerSecond',
      'Give rows as well.',
    );
  }
  const rowsPerSecond = rate ?? (rows === undefined ? DEFAULT_RATE : undefined);
  const perSecond =
    rows === undefined ? (rowsPerSecond ?? DEFAULT_RATE) : (perDay ?? DEFAULT_EVENTS_PER_DAY) / SECONDS_PER_DAY;
  const start = given.get('startTimestamp');
  return {
    dataset,
    topic: topicOf(given.get('topic')) ?? dataset,
    seed: number(given, 'seed', { least: 0, whole: true }) ?? 42,
    partitions: number(given, 'partitions', { least: 1, most: 1000, whole: true }) ?? 4,
    rows,
    rowsPerSecond,
    startMs: start === undefined ? DEFAULT_START_MS : startOf(start),
    fromStart: start !== undefined || rows !== undefined,
    stepNanos: BigInt(Math.max(1, Math.round(NANOS_PER_SECOND / perSecond))),
    customers: number(given, 'customers', { least: 1, most: 1_000_000_000, whole: true }) ?? 1000,
    lateRatio: number(given, 'lateRatio', { least: 0, most: 1 }) ?? 0,
    duplicateRatio: number(given, 'duplicateRatio', { least: 0, most: 0.5 }) ?? 0,
    malformedRatio: number(given, 'malformedRatio', { least: 0, most: 1 }) ?? 0,
  };
}

function datasetOf(value: string | number | boolean | undefined): Dataset {
  const known = DATASETS.find((name) => name === value);
  if (known !== undefined) return known;
  throw invalid(
    'dataset',
    value === undefined ? 'is missing' : `is ${String(value)}, which is none`,
    nameAdvice(value === undefined ? '' : String(value), DATASETS),
  );
}

function topicOf(value: string | number | boolean | undefined): string | undefined {
  if (value === undefined || (typeof value === 'string' && value !== '')) return value;
  throw invalid('topic', 'must be a text', "Write it in single quotes, as in topic => 'orders'.");
}

/** ISO 8601; without a zone it is UTC. */
function startOf(value: string | number | boolean): number {
  const match =
    typeof value === 'string' ? /^\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(.*))?$/.exec(value) : null;
  const zone = match === null || match[1] !== '' ? '' : 'Z';
  const ms = match === null ? NaN : Date.parse(`${String(value).replace(' ', 'T')}${zone}`);
  if (!Number.isNaN(ms)) return ms;
  throw invalid('startTimestamp', `is ${String(value)}, which is no time`, "Write it as '2026-01-01T00:00:00Z'.");
}

interface Range {
  readonly least: number;
  readonly most?: number;
  readonly whole?: boolean;
}

function number(given: ReadonlyMap<Name, string | number | boolean>, name: Name, range: Range): number | undefined {
  const value = given.get(name);
  if (value === undefined) return undefined;
  const { least, most = Number.MAX_SAFE_INTEGER, whole = false } = range;
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  if (typeof number === 'number' && number >= least && number <= most && (!whole || Number.isInteger(number))) {
    return number;
  }
  const kind = whole ? 'a whole number' : 'a number';
  const limits = range.most === undefined ? `from ${String(least)} up` : `from ${String(least)} to ${String(most)}`;
  throw invalid(name, `is ${String(value)}`, `Give ${kind} ${limits}.`);
}

function unknownOption(name: string): SluiceError {
  const advice = nameAdvice(name, NAMES, `Its options are ${NAMES.join(', ')}.`);
  return new SluiceError('CONFIG_INVALID', `generate has no option ${name}`, { advice, facts: { option: name } });
}

function invalid(option: Name, what: string, advice: string): SluiceError {
  return new SluiceError('CONFIG_INVALID', `generate: ${option} ${what}`, { advice, facts: { option } });
}
