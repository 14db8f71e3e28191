/** `npm run soak`: an hour of mixed writers on one table, on disk or on S3, for people who change how tables are written. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { openPlace } from './place.ts';
import { soak } from './soak.ts';
import type { Kind } from './writer.ts';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '60' },
    seed: { type: 'string', default: String(Date.now() % 1e6) },
    storage: { type: 'string', default: 'disk' },
    writers: { type: 'string', default: 'sluice,sluice,deltars,spark' },
    help: { type: 'boolean', default: false },
  },
});
const USAGE = `npm run soak -- [options]
  --minutes N      how long (default 60)
  --seed N         to choose the same operations again
  --storage NAME   disk (the default), or s3: a server of its own
  --writers LIST   of sluice, deltars, spark (default sluice,sluice,deltars,spark)
`;

async function main(): Promise<void> {
  if (values.help) {
    process.stdout.write(USAGE);
    return;
  }
  const folder = await mkdtemp(join(tmpdir(), 'sluice-soak-'));
  const place = await openPlace(values.storage === 's3' ? 's3' : 'disk', folder);
  const startMs = performance.now();
  const result = await soak({
    seed: Number(values.seed),
    seconds: Number(values.minutes) * 60,
    pauseEvery: 30,
    place,
    folder,
    writers: values.writers.split(',') as Kind[],
    say: (line) => process.stdout.write(`${((performance.now() - startMs) / 60_000).toFixed(1)} min  ${line}\n`),
  });
  await place.close();
  const failed = result.problems.length > 0;
  for (const reason of result.reasons) process.stdout.write(`${reason}\n`);
  process.stdout.write(
    `${failed ? 'FAILED' : 'passed'}: ${String(result.version)} versions, ${String(result.pauses)} pauses\n`,
  );
  if (failed) process.stdout.write(`The table is kept: ${folder}\n`);
  else await rm(folder, { recursive: true, force: true });
  process.exitCode = failed ? 1 : 0;
}

await main();
