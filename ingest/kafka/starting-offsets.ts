/**
 * Where a flow begins on a partition that it has no position for.
 *
 * Promise: `startingOffsets` counts for the first read of a flow only; a partition that is added to the topic later is read
 * from its beginning, so that nothing which arrived before it was noticed is left out.
 * Source: Spark, "Structured Streaming + Kafka Integration Guide", `startingOffsets`.
 */
import { isJsonObject, parseJson } from '../../core/json.ts';
import { partitionName } from '../record.ts';

/** A word for all partitions, or an offset for each (`-1` the end, `-2` the beginning). */
export type StartingOffsets = 'earliest' | 'latest' | ReadonlyMap<string, bigint>;

/** The offsets that a partition has: `low` is the first record that is there, `high` the next that will be. */
export interface OffsetRange {
  readonly low: bigint;
  readonly high: bigint;
}

const LATEST = -1n;
const EARLIEST = -2n;

/** @param refuse makes the error */
export function parseStartingOffsets(
  value: string | number | boolean,
  topics: readonly string[],
  refuse: (problem: string, advice: string) => Error,
): StartingOffsets {
  const text = String(value);
  const word = text.toLowerCase();
  if (word === 'earliest' || word === 'latest') return word;
  const advice = `Write 'earliest', 'latest', or offsets as '{"${topics[0] ?? 'orders'}":{"0":23,"1":-2}}'.`;
  let json;
  try {
    json = parseJson(text);
  } catch {
    throw refuse(`is ${text}, which is neither a known word nor JSON`, advice);
  }
  if (!isJsonObject(json)) throw refuse('must hold an object of topics', advice);
  const offsets = new Map<string, bigint>();
  for (const [topic, partitions] of Object.entries(json)) {
    if (!topics.includes(topic))
      throw refuse(`names the topic ${topic}, which is not subscribed to`, `There are ${topics.join(', ')}.`);
    if (!isJsonObject(partitions)) throw refuse(`must hold an object of partitions for the topic ${topic}`, advice);
    for (const [partition, offset] of Object.entries(partitions)) {
      const at = typeof offset === 'number' && Number.isSafeInteger(offset) ? BigInt(offset) : offset;
      if (!/^\d+$/.test(partition) || typeof at !== 'bigint' || at < EARLIEST)
        throw refuse(`has no whole offset from -2 on for ${topic}/${partition}`, advice);
      offsets.set(partitionName(topic, Number(partition)), at);
    }
  }
  return offsets;
}

/**
 * The offset to begin with.
 * @param first whether the flow has no position at all yet
 */
export function startingOffset(
  options: StartingOffsets,
  partition: string,
  { low, high }: OffsetRange,
  first: boolean,
): bigint {
  if (!first || options === 'earliest') return low;
  if (options === 'latest') return high;
  const at = options.get(partition) ?? EARLIEST;
  if (at === LATEST) return high;
  return at === EARLIEST ? low : at;
}
