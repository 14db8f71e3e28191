/**
 * Tables from seeds, written by Spark: every version of each is read as Spark itself reads it. Seeds of choice:
 * `SLUICE_GOLDEN_SEEDS=7,100-120 npx vitest run --project interop tests/interop/golden.test.ts`.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { seededRandom } from '../../core/random.ts';
import { Workbench } from './fixtures.ts';
import { GoldenTable, type Step } from './golden-tables.ts';
import { Peer } from './peer.ts';

const STEPS = 12;
const CHOSEN = process.env['SLUICE_GOLDEN_SEEDS'] ?? '1-4';
const SEEDS = CHOSEN.split(',').flatMap((range) => {
  const [from = 0, to = from] = range.split('-').map(Number);
  return Array.from({ length: to - from + 1 }, (_, i) => from + i);
});

let folder: string;
let bench: Workbench;
let peer: Peer;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-golden-'));
  bench = await Workbench.open(join(folder, 'tables'));
  peer = await Peer.start('spark');
});
afterAll(async () => {
  await peer.stop();
  bench.close();
  await rm(folder, { recursive: true, force: true });
});

async function make(name: string, seed: number): Promise<string[]> {
  const table = new GoldenTable(seededRandom(seed));
  const done: string[] = [];
  const run = async ({ sql, done: whenDone }: Step): Promise<void> => {
    try {
      await peer.sql(sql.replaceAll('{T}', `delta.\`${bench.path(name)}\``));
      whenDone?.();
      done.push(sql);
    } catch (error) {
      // Spark refuses what cannot be done to this table: the next step does something else.
      if (!(error instanceof Error) || /ended:/.test(error.message)) throw error;
      done.push(`-- refused: ${sql}\n-- ${error.message.slice(0, 300)}`);
    }
  };
  await run(table.create());
  await run(table.first());
  for (let i = 0; i < STEPS; i++) await run(table.next());
  return done;
}

test.each(SEEDS)('seed %i', async (seed) => {
  const name = `seed ${String(seed)}`;
  const story = (await make(name, seed)).join('\n');
  const newest = await peer.read(bench.path(name));
  expect(newest.version, story).toBeGreaterThan(0);
  for (let version = 0; version <= newest.version; version++) {
    const ours = await bench.digest(name, BigInt(version)).catch((error: unknown) => error);
    expect(ours, `version ${String(version)} of\n${story}`).toEqual(await peer.read(bench.path(name), version));
  }
});
