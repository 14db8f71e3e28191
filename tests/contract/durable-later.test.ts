/** A data file is durable before the log entry that names it can be seen, and a file that cannot be is never named. */
import { mkdtemp, open, readFile, rm, writeFile, type FileHandle } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { LocalStore } from '../../tables/store/local.ts';

const ENTRY = '_delta_log/00000000000000000000.json';
const bytes = new TextEncoder().encode('{}');
let folder: string;
let handle: FileHandle;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-durable-'));
  handle = await open(folder, 'r');
});

afterEach(async () => {
  vi.restoreAllMocks();
  await handle.close();
  await rm(folder, { recursive: true, force: true });
});

/** The disk syncs files and folders when `work` says so; what is written with `datasync` is not held up. */
function disk(work: () => Promise<void>): void {
  vi.spyOn(Object.getPrototypeOf(handle) as FileHandle, 'sync').mockImplementation(work);
}

async function stage(store: LocalStore, path: string): Promise<void> {
  await store.putFile(path, (local) => writeFile(local, 'rows'), 'later');
}

test('an entry waits until the files of its folder are synced, whichever store put them', async () => {
  const store = new LocalStore(folder);
  await store.put('_delta_log/first', bytes, 'create');
  let isSynced = (): void => undefined;
  const synced = new Promise<void>((resolve) => {
    isSynced = resolve;
  });
  disk(() => synced);
  await stage(new LocalStore(folder), 'part');
  expect(await readFile(join(folder, 'part'), 'utf8')).toBe('rows');
  const put = store.put(ENTRY, bytes, 'create');
  expect(await Promise.race([put, new Promise((resolve) => setTimeout(resolve, 50, 'waits'))])).toBe('waits');
  expect(await store.head(ENTRY)).toBeUndefined();
  isSynced();
  expect(await put).toBe('written');
});

test('while a file could not be synced no entry is put; other folders do not care, and once it is deleted all is well', async () => {
  const store = new LocalStore(folder);
  await store.put('_delta_log/first', bytes, 'create');
  disk(() => Promise.reject(Object.assign(new Error('EIO: i/o error, fsync'), { code: 'EIO' })));
  await stage(store, 'part');
  for (let attempt = 0; attempt < 2; attempt++) {
    await expect(store.put(ENTRY, bytes, 'create')).rejects.toMatchObject({ facts: { path: 'part' } });
    expect(await store.head(ENTRY)).toBeUndefined();
    vi.restoreAllMocks();
  }
  const found: string[] = [];
  for await (const { path } of store.list('')) found.push(path);
  expect(found).toEqual(['_delta_log/first', 'part']);
  expect(await new LocalStore(join(folder, 'other')).put(ENTRY, bytes, 'create')).toBe('written');
  await store.delete('part');
  expect(await store.put(ENTRY, bytes, 'create')).toBe('written');
});

test('what is put to be durable now is synced before it has its name', async () => {
  const store = new LocalStore(folder);
  const seen: boolean[] = [];
  disk(async () => {
    seen.push((await store.head('checkpoint')) !== undefined);
  });
  await store.putFile('checkpoint', (local) => writeFile(local, 'state'));
  expect(seen).toEqual([false, true]);
});
