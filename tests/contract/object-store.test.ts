import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { LocalStore } from '../../tables/store/local.ts';
import { MemoryStore } from '../../tables/store/memory.ts';
import { compiled, runModule } from './compiled.ts';
import { objectStoreContract } from './object-store.ts';

async function tempFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'sluice-store-'));
}

objectStoreContract('on disk', async () => {
  const folder = await tempFolder();
  return { store: new LocalStore(folder), close: () => rm(folder, { recursive: true, force: true }) };
});

objectStoreContract('in memory', () => {
  const store = new MemoryStore();
  return Promise.resolve({ store, close: () => store.close() });
});

const RACE = `
  import { LocalStore } from './tables/store/local.js';
  const [folder, id] = process.argv.slice(1);
  const store = new LocalStore(folder);
  const won = [];
  for (let i = 0; i < 40; i++) {
    if (await store.put('log/' + i, new TextEncoder().encode(id), 'create') === 'written') won.push(i);
  }
  console.log(JSON.stringify(won));
`;

test('of processes racing for 40 objects on disk, each object has one winner, and its bytes', async () => {
  const [folder, library] = await Promise.all([tempFolder(), compiled(['core', 'tables/store'])]);
  try {
    const ids = ['0', '1', '2', '3'];
    const wins = await Promise.all(
      ids.map(async (id) => JSON.parse(await runModule(library, RACE, [folder, id])) as number[]),
    );
    const store = new LocalStore(folder);
    for (let i = 0; i < 40; i++) {
      const winners = ids.filter((_, process) => wins[process]?.includes(i));
      expect(winners, `log/${String(i)}`).toHaveLength(1);
      expect(new TextDecoder().decode(await store.get(`log/${String(i)}`))).toBe(winners[0]);
    }
    expect((await readdir(join(folder, 'log'))).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  } finally {
    await Promise.all([folder, library].map((path) => rm(path, { recursive: true, force: true })));
  }
});

test('temp files of a writer that was killed are never listed', async () => {
  const folder = await tempFolder();
  try {
    await writeFile(join(folder, '.0f8fad5b-d9cb-469f-a165-70867728950e.tmp'), 'half of an object');
    const store = new LocalStore(folder);
    await store.put('whole', new Uint8Array([1]), 'create');
    const found: string[] = [];
    for await (const { path } of store.list('')) found.push(path);
    expect(found).toEqual(['whole']);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test('a folder that is a file is one clear error that names it', async () => {
  const folder = await tempFolder();
  try {
    await writeFile(join(folder, 'file'), 'x');
    const store = new LocalStore(join(folder, 'file'));
    await expect(store.put('a', new Uint8Array(), 'create')).rejects.toMatchObject({
      code: 'STORAGE_FAILED',
      facts: { path: 'a' },
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
