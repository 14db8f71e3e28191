/**
 * Where reading may go on: offsets of a topic held against the position of a flow.
 *
 * Promise: a position that the topic no longer has (retention was faster, the topic was made anew) is never passed over in
 * silence; kafkajs by itself would begin somewhere else.
 */
import kafkajs, { type Admin } from 'kafkajs';
import { SluiceError } from '../../core/errors.ts';
import { suggest } from '../../core/suggest.ts';
import { partitionName } from '../record.ts';
import type { OffsetRange } from './starting-offsets.ts';

/** The offsets of all partitions of the topics, by the name of the partition. */
export async function offsetRanges(admin: Admin, topics: readonly string[]): Promise<Map<string, OffsetRange>> {
  const ranges = new Map<string, OffsetRange>();
  for (const topic of topics) {
    for (const { partition, low, high } of await admin.fetchTopicOffsets(topic)) {
      ranges.set(partitionName(topic, partition), { low: BigInt(low), high: BigInt(high) });
    }
  }
  return ranges;
}

/** @throws SluiceError `SOURCE_MISSING` with the nearest name. */
export async function refuseMissing(
  admin: Admin,
  topics: readonly string[],
  brokers: readonly string[],
): Promise<void> {
  const there = await admin.listTopics();
  const missing = topics.find((topic) => !there.includes(topic));
  if (missing === undefined) return;
  const near = suggest(missing, there);
  throw new SluiceError('SOURCE_MISSING', `Kafka at ${brokers.join(', ')} has no topic ${missing}`, {
    advice:
      near === undefined
        ? 'Create it, or give the user of this connection the right to see it (DESCRIBE).'
        : `Did you mean ${near}? Otherwise create it, or give the user the right to see it.`,
    facts: { topic: missing, brokers },
  });
}

/** Whether compaction may take records out of the middle of a topic. */
export async function isCompacted(admin: Admin, topic: string): Promise<boolean> {
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: [{ type: kafkajs.ConfigResourceTypes.TOPIC, name: topic, configNames: ['cleanup.policy'] }],
  });
  return resources.some(({ configEntries }) =>
    configEntries.some(({ configValue }) => configValue.includes('compact')),
  );
}

/** Records that were not read and cannot be any more. */
export interface Loss {
  readonly partition: string;
  readonly from: bigint;
  readonly upTo: bigint;
  readonly why: string;
}

/** What is wrong with going on at `next`; undefined when the topic has it. */
export function lossAt(partition: string, next: bigint, { low, high }: OffsetRange): Loss | undefined {
  if (next < low) return { partition, from: next, upTo: low, why: `the topic begins at ${String(low)}` };
  if (next > high)
    return { partition, from: low, upTo: low, why: `the topic ends at ${String(high)}: it was made anew, or cut` };
  return undefined;
}

export function dataLoss({ partition, from, upTo, why }: Loss, next: bigint): SluiceError {
  const gone =
    upTo > from ? `offsets ${String(from)} to ${String(upTo - 1n)} are gone` : `offset ${String(next)} is not there`;
  return new SluiceError('SOURCE_DATA_LOSS', `${partition}: ${gone} before they were read (${why})`, {
    advice:
      'Nothing was skipped. If these records can be done without, set failOnDataLoss => false in read_kafka: the flow then goes on ' +
      `from ${String(upTo)} and notes the gap in its commit. Longer retention on the topic prevents this.`,
    facts: { partition, offset: next, next: upTo },
  });
}
