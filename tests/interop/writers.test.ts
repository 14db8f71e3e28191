/**
 * sluice twice, delta-rs and Spark write one table at once, killed at random: `npm run soak` does it for an hour, this for a minute.
 * On S3 without Spark, whose jars for it are 640 MB: `npm run soak -- --storage s3` has it too.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { systemRandom } from '../../core/random.ts';
import { openPlace, type PlaceName } from '../soak/place.ts';
import { soak } from '../soak/soak.ts';
import type { Kind } from '../soak/writer.ts';

test.each<[PlaceName, readonly Kind[]]>([
  ['disk', ['sluice', 'sluice', 'deltars', 'spark']],
  ['s3', ['sluice', 'sluice', 'deltars']],
])('no row is lost, doubled or changed by accident, whoever writes and is killed, on %s', async (name, writers) => {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-writers-'));
  const place = await openPlace(name, folder);
  const said: string[] = [];
  const { problems, version, counts } = await soak({
    seed: systemRandom.int(1e6),
    seconds: 45,
    pauseEvery: 15,
    place,
    folder,
    writers,
    say: (line) => said.push(line),
  });
  expect(problems, said.join('\n')).toEqual([]);
  expect(version).toBeGreaterThan(50n);
  for (const [name, { committed }] of counts) expect(committed, `${name}: ${said.join('\n')}`).toBeGreaterThan(0);
  expect([...counts.values()].reduce((sum, { kills }) => sum + kills, 0)).toBeGreaterThan(0);
  await place.close();
  await rm(folder, { recursive: true, force: true });
});
