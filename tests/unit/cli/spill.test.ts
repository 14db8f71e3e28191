import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { spillFolder } from '../../../cli/spill.ts';

let lake: string;
beforeEach(async () => {
  lake = await mkdtemp(join(tmpdir(), 'sluice-spill-'));
});
afterEach(async () => {
  await rm(lake, { recursive: true, force: true });
});

test('what a killed process left goes, what others use stays, and nothing stays of ours', async () => {
  const dead = `${hostname()}-4194305`;
  const others = `other-host-${String(process.pid)}`;
  for (const name of [dead, others]) {
    await mkdir(join(lake, '.tmp', name), { recursive: true });
    await writeFile(join(lake, '.tmp', name, 'block.tmp'), 'x');
  }
  const spill = spillFolder(lake);
  expect(await readdir(join(lake, '.tmp'))).toEqual([others]);
  await mkdir(spill.path);
  spill.remove();
  expect(await readdir(join(lake, '.tmp'))).toEqual([others]);
  await rm(join(lake, '.tmp', others), { recursive: true });
  spill.remove();
  expect(existsSync(join(lake, '.tmp'))).toBe(false);
});

test('nothing is made in a lake that need not spill, nor where there is no lake', async () => {
  spillFolder(lake);
  expect(await readdir(lake)).toEqual([]);
  expect(spillFolder(undefined).path.startsWith(tmpdir())).toBe(true);
  expect(spillFolder(join(lake, 'not-there')).path.startsWith(tmpdir())).toBe(true);
});
