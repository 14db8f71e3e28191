/** Whether the peak memory of sluice follows from its settings alone, and not from how much it has read. */
import { sluiceRound } from './ingest.ts';
import { figure, type BenchResult } from './report.ts';
import type { Setting } from './setting.ts';
import { ratios } from './stats.ts';
import { withTopic } from './topic.ts';

const TIMES = 10;

export async function benchMemory(setting: Setting, records: number, rounds: number): Promise<BenchResult> {
  const peaks = { first: [] as number[], last: [] as number[], all: [] as number[] };
  const whole = records * TIMES;
  await withTopic(setting.brokers, 'memory', whole, async (topic) => {
    for (let round = 1; round <= rounds; round++) {
      const { run } = await sluiceRound(setting, topic, whole, { peakPerRows: records });
      peaks.first.push(run.peaksMiB[0] ?? Number.NaN);
      peaks.last.push(run.peaksMiB.at(-1) ?? Number.NaN);
      peaks.all.push(run.peakMiB);
    }
  });
  const part = records.toLocaleString('en');
  return {
    bench: 'memory',
    about:
      `Resident memory of the whole process while it reads ${whole.toLocaleString('en')} records, every setting at its default: ` +
      'the high-water mark of the kernel (VmHWM), set back after each part.',
    figures: [
      ...figure(`peak over the first ${part} records, its start included`, 'MiB', peaks.first),
      ...figure(`peak over the last ${part} records`, 'MiB', peaks.last),
      ...figure('last / first', '×', ratios(peaks.last, peaks.first)),
      ...figure('peak over all of it', 'MiB', peaks.all),
    ],
  };
}
