/** Whether the peak memory of sluice follows from its settings alone, and not from how much it has read. */
import { figure, type BenchResult } from './report.ts';
import { sluiceRound } from './ingest.ts';
import type { Setting } from './setting.ts';
import { ratios } from './stats.ts';
import { withTopic } from './topic.ts';

const TIMES = 10;

export async function benchMemory(setting: Setting, records: number, rounds: number): Promise<BenchResult> {
  const peaks = { small: [] as number[], large: [] as number[] };
  await withTopic(setting.brokers, 'memory-small', records, async (small) =>
    withTopic(setting.brokers, 'memory-large', records * TIMES, async (large) => {
      for (let round = 1; round <= rounds; round++) {
        peaks.small.push((await sluiceRound(setting, small, records)).result.peakMiB);
        peaks.large.push((await sluiceRound(setting, large, records * TIMES)).result.peakMiB);
      }
    }),
  );
  const named = (count: number): string => `sluice, peak memory after ${count.toLocaleString('en')} records`;
  return {
    bench: 'memory',
    about: 'The high-water mark of resident memory of the whole process (VmHWM), every setting at its default.',
    figures: [
      ...figure(named(records), 'MiB', peaks.small),
      ...figure(named(records * TIMES), 'MiB', peaks.large),
      ...figure('large / small', '×', ratios(peaks.large, peaks.small)),
    ],
  };
}
