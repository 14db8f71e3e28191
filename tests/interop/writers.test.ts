/** sluice twice, delta-rs and Spark write one table at once, killed at random: `npm run soak` does it for an hour, this for a minute. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { systemRandom } from '../../core/random.ts';
import { soak } from '../soak/soak.ts';

test('no row is lost, doubled or changed by accident, whoever writes and is killed', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-writers-'));
  const said: string[] = [];
  const { problems, version, counts } = await soak({
    seed: systemRandom.int(1e6),
    seconds: 45,
    pauseEvery: 15,
    location: join(folder, 'table'),
    folder,
    writers: ['sluice', 'sluice', 'deltars', 'spark'],
    say: (line) => said.push(line),
  });
  expect(problems, said.join('\n')).toEqual([]);
  expect(version).toBeGreaterThan(100n);
  for (const [name, { committed }] of counts) expect(committed, `${name}: ${said.join('\n')}`).toBeGreaterThan(0);
  expect([...counts.values()].reduce((sum, { kills }) => sum + kills, 0)).toBeGreaterThan(0);
  await rm(folder, { recursive: true, force: true });
});
