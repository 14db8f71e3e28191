/**
 * A shop as datasets: its customers, their clicks and orders, and labels that say who is leaving.
 *
 * Promise: a record is a function of the options, its partition and its offset alone, so that any part of the stream can
 * be made again, byte for byte, on any machine.
 *
 * Customers come and go: half of them leave for 30 of each 90 days, and order a third as often in the 14 days before. The
 * `churn` dataset says of a customer at a moment whether that is so, which is what a model can learn from the orders before.
 */
import { quoteString } from '../../engine/quoting.ts';
import { chanceOf } from './chance.ts';
import type { Dataset, GenerateOptions } from './options.ts';

const SCHEMAS: Readonly<Record<Dataset, string>> = {
  orders:
    'order_id BIGINT, customer_id BIGINT, product STRING, quantity INT, amount DECIMAL(10,2), currency STRING, channel STRING, ts TIMESTAMP',
  customers:
    'customer_id BIGINT, name STRING, country STRING, segment STRING, newsletter BOOLEAN, signup_date DATE, ts TIMESTAMP',
  clicks: 'click_id BIGINT, customer_id BIGINT, session_id STRING, page STRING, product STRING, ts TIMESTAMP',
  churn: 'customer_id BIGINT, churned BOOLEAN, ts TIMESTAMP',
};

/** The schema text of a dataset, so that `generate(dataset => 'orders')` needs no `schema`. */
export function generateSchema(dataset: Dataset): string {
  return SCHEMAS[dataset];
}

const PRODUCTS = [
  ['espresso machine', 34900], ['coffee grinder', 12950], ['milk frother', 4990], ['kettle', 5995], ['teapot', 2450],
  ['mug', 890], ['coffee beans', 1490], ['green tea', 790], ['filter paper', 349], ['descaler', 995],
  ['thermos', 2790], ['scale', 3900],
] as const; // prettier-ignore
const PAGES = ['home', 'search', 'product', 'product', 'product', 'basket', 'checkout', 'help'];
const COUNTRIES = ['AT', 'BE', 'CH', 'DE', 'DK', 'ES', 'FR', 'IT', 'NL', 'PL'];
const SEGMENTS = ['consumer', 'consumer', 'consumer', 'business', 'reseller'];
const CHANNELS = ['web', 'web', 'app', 'app', 'store'];

const SCALE = 2 ** 20;

/** A run of offsets of one partition, `upTo` not included. */
export interface OffsetRange {
  readonly partition: number;
  readonly from: bigint;
  readonly upTo: bigint;
}

/** A SELECT with the columns of `RECORD_COLUMNS`. */
export function recordsQuery(options: GenerateOptions, ranges: readonly OffsetRange[]): string {
  const { dataset, topic, partitions, lateRatio, duplicateRatio, malformedRatio } = options;
  const places = ranges.map(
    ({ partition, from, upTo }) =>
      `SELECT ${String(partition)} AS p, range AS o, range * ${String(partitions)} + ${String(partition)} AS g ` +
      `FROM range(${String(from)}, ${String(upTo)})`,
  );
  const chance = (bits: number): string => `((w >> ${String(bits)}) & ${String(SCALE - 1)})`;
  const share = (ratio: number): string => String(Math.round(ratio * SCALE));
  // Only odd records repeat, and only even ones are repeated, so that a repeated record is one that was sent before.
  const repeats = `g % 2 = 1 AND ${chance(0)} < ${share(duplicateRatio * 2)} AND g > 2 * ((w >> 20) & 127)`;
  return `
    SELECT ${quoteString(topic)} AS topic, p AS "partition", o AS "offset",
      make_timestamp(${micros('g', options)})::TIMESTAMPTZ AS "timestamp", encode(customer::VARCHAR) AS "key",
      CASE WHEN s <> g OR ${chance(27)} >= ${share(malformedRatio)} THEN encode(text)
        WHEN (w >> 47) & 3 = 0 THEN encode(replace(text, '"ts":"', '"ts":"about '))
        WHEN (w >> 47) & 3 = 1 THEN encode(text)[:-2] || '\\xFF'::BLOB
        ELSE encode(left(text, length(text) - 1 - ((w >> 49) & 31)::INTEGER)) END AS "value",
      [struct_pack("key" := 'dataset', "value" := ${quoteString(dataset)}::BLOB)] AS headers
    FROM (SELECT *, ${textOf(options)} AS text FROM (
      SELECT *, ${customerOf(options)} AS customer FROM (
        SELECT *, ${word(options, 'state', 'candidate')} AS c FROM (
          SELECT *, ${candidateOf(options)} AS candidate, strftime(make_timestamp(
              event - CASE WHEN ((h >> 40) & ${String(SCALE - 1)}) < ${share(lateRatio)} THEN 3600000000 * (1 + (h >> 60)::BIGINT * 3) ELSE 0 END
            ), '%Y-%m-%dT%H:%M:%S.%gZ') AS ts FROM (
            SELECT *, ${micros('s', options)} AS event, ${word(options, dataset, 's')} AS h FROM (
              SELECT *, CASE WHEN ${repeats} THEN g - 1 - 2 * ((w >> 20) & 127)::BIGINT ELSE g END AS s FROM (
                SELECT *, ${word(options, 'sent', 'g')} AS w FROM (${places.join(' UNION ALL ')}))))))))`;
}

/** 64 bits of chance; what a customer does is the same in all datasets. */
function word({ seed, topic }: GenerateOptions, what: string, of: string): string {
  return chanceOf(what === 'state' ? `${String(seed)}:state` : `${String(seed)}:${topic}:${what}`, of);
}

/** Event time in microseconds since the epoch. */
function micros(index: string, { startMs, stepNanos }: GenerateOptions): string {
  return `(${String(startMs)}000 + ${index} * ${String(stepNanos)} // 1000)`;
}

/** Whom a record is about, before it is known who is gone: some buy more often than others. */
function candidateOf({ dataset, customers }: GenerateOptions): string {
  const n = String(customers);
  if (dataset === 'customers' || dataset === 'churn') return `1 + s % ${n}`;
  return `1 + least((h & 1073741823) % ${n}, ((h >> 10) & 1073741823) % ${n})::BIGINT`;
}

const DAY_MICROS = 86_400_000_000;
/** Where a customer (chance `c`) is in the 90 days of coming and going. */
const CYCLE_DAY = `((event // ${String(DAY_MICROS)} + ((c >> 8) & 1023)::BIGINT) % 90)`;
const LEAVING = `(c & 1 = 0 AND ${CYCLE_DAY} >= 46)`;
const GONE = `(c & 1 = 0 AND ${CYCLE_DAY} >= 60)`;

function customerOf({ dataset, customers }: GenerateOptions): string {
  if (dataset === 'customers' || dataset === 'churn') return 'candidate';
  const other = `1 + (candidate * 7919 + (h >> 50)::BIGINT) % ${String(customers)}`;
  return `CASE WHEN ${GONE} OR (${LEAVING} AND (h >> 30) % 3 > 0) THEN ${other} ELSE candidate END`;
}

function textOf(options: GenerateOptions): string {
  const { dataset } = options;
  const pick = (list: readonly string[], bits: number): string =>
    `[${list.map(quoteString).join(', ')}][1 + ((h >> ${String(bits)}) % ${String(list.length)})::INTEGER]`;
  const product = pick(
    PRODUCTS.map(([name]) => name),
    4,
  );
  switch (dataset) {
    case 'orders': {
      const price = `[${PRODUCTS.map(([, cents]) => String(cents)).join(', ')}][1 + ((h >> 4) % ${String(PRODUCTS.length)})::INTEGER]`;
      const quantity = '(1 + (h >> 34) % 4)';
      return `'{"order_id":' || (s + 1) || ',"customer_id":' || customer || ',"product":"' || ${product} || '","quantity":' ||
        ${quantity} || ',"amount":' || (${price} * ${quantity}::INTEGER / 100)::DECIMAL(10,2) ||
        ',"currency":"EUR","channel":"' || ${pick(CHANNELS, 37)} || '","ts":"' || ts || '"}'`;
    }
    case 'customers':
      return `'{"customer_id":' || customer || ',"name":"Customer ' || customer || '","country":"' || ${pick(COUNTRIES, 4)} ||
        '","segment":"' || ${pick(SEGMENTS, 12)} || '","newsletter":' || ((h >> 20) % 3 = 0) || ',"signup_date":"' ||
        (DATE '2025-01-01' + ((c >> 20) % 365)::INTEGER) || '","ts":"' || ts || '"}'`;
    case 'clicks':
      return `'{"click_id":' || (s + 1) || ',"customer_id":' || CASE WHEN (h >> 20) % 5 = 0 THEN 'null' ELSE customer::VARCHAR END ||
        ',"session_id":"' || hex(h >> 16) || '","page":"' || ${pick(PAGES, 8)} || '","product":"' || ${product} ||
        '","ts":"' || ts || '"}'`;
    case 'churn':
      return `'{"customer_id":' || customer || ',"churned":' || ${LEAVING} || ',"ts":"' || ts || '"}'`;
  }
}
