import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Engine } from '../../../engine/engine.ts';
import { spillFolder } from '../../../cli/spill.ts';

let lake: string;
beforeEach(async () => {
  lake = await mkdtemp(join(tmpdir(), 'sluice-spill-'));
});
afterEach(async () => {
  await rm(lake, { recursive: true, force: true });
});

test('what a killed process left goes, what others use stays, and nothing stays of ours', async () => {
  const dead = `.tmp-${hostname()}-4194305`;
  const others = `.tmp-other-host-${String(process.pid)}`;
  for (const name of [dead, others, 'bronze']) {
    await mkdir(join(lake, name));
    await writeFile(join(lake, name, 'block.tmp'), 'x');
  }
  const spill = spillFolder(lake);
  expect(await readdir(lake)).toEqual([others, 'bronze']);
  await mkdir(spill.path);
  spill.remove();
  expect(await readdir(lake)).toEqual([others, 'bronze']);
});

test('the engine spills there, though nobody has made the folder', async () => {
  const spill = spillFolder(lake);
  const engine = await Engine.open({ memoryLimit: '40MB', threads: 1, tempDir: spill.path });
  const session = await engine.session();
  try {
    await session.run(
      'CREATE TABLE t AS SELECT range AS a, hash(range) AS b, md5(range::VARCHAR) AS c FROM range(1500000)',
    );
    expect(existsSync(spill.path)).toBe(true);
  } finally {
    session.close();
    engine.close();
    spill.remove();
  }
  expect(await readdir(lake)).toEqual([]);
});

test('nothing is made in a lake that need not spill, nor where there is no lake', async () => {
  spillFolder(lake);
  expect(await readdir(lake)).toEqual([]);
  expect(spillFolder(undefined).path.startsWith(tmpdir())).toBe(true);
  expect(spillFolder(join(lake, 'not-there')).path.startsWith(tmpdir())).toBe(true);
});
