import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Storage } from '../../tables/store/storage.ts';
import type { ObjectStore } from '../../tables/store/object-store.ts';
import { START_MS, startS3, type S3Server } from '../services/s3.ts';
import { compiled, runModule } from './compiled.ts';
import { objectStoreContract } from './object-store.ts';

let s3: S3Server;
let folder: string;
let storage: Storage;
let tables = 0;

beforeAll(async () => {
  s3 = await startS3();
  Object.assign(process.env, s3.env);
  await s3.createBucket('contract');
  folder = await mkdtemp(join(tmpdir(), 'sluice-s3-'));
  storage = new Storage({ s3: { endpoint: s3.endpoint }, cache: { folder } });
}, START_MS);

afterAll(async () => {
  await storage.close();
  await s3.stop();
  await rm(folder, { recursive: true, force: true });
});

/** An empty prefix in the bucket. */
function open(): ObjectStore {
  return storage.open(`s3://contract/a folder/${String(tables++)}/`);
}

// The server of the tests routes no URL with a line break.
objectStoreContract('on S3', () => Promise.resolve({ store: open(), close: () => Promise.resolve() }), ['new\nline']);

const RACE = `
  import { Storage } from './tables/store/storage.js';
  const [endpoint, folder, location, id] = process.argv.slice(1);
  const storage = new Storage({ s3: { endpoint }, cache: { folder } });
  const store = storage.open(location);
  const won = [];
  for (let i = 0; i < 40; i++) {
    if (await store.put('log/' + i, new TextEncoder().encode(id), 'create') === 'written') won.push(i);
  }
  await storage.close();
  console.log(JSON.stringify(won));
`;

test('of processes racing for 40 objects on S3, each object has one winner, and its bytes', async () => {
  const store = open();
  const library = await compiled(['core', 'tables/store']);
  try {
    const ids = ['0', '1', '2', '3'];
    const wins = await Promise.all(
      ids.map(
        async (id) => JSON.parse(await runModule(library, RACE, [s3.endpoint, folder, store.location, id])) as number[],
      ),
    );
    for (let i = 0; i < 40; i++) {
      const winners = ids.filter((_, process) => wins[process]?.includes(i));
      expect(winners, `log/${String(i)}`).toHaveLength(1);
      expect(new TextDecoder().decode(await store.get(`log/${String(i)}`))).toBe(winners[0]);
    }
  } finally {
    await rm(library, { recursive: true, force: true });
  }
});

test('lists more objects than one reply has, from any of them on', async () => {
  const store = open();
  const names = Array.from({ length: 2345 }, (_, i) => `log/${String(i).padStart(6, '0')}`);
  for (let i = 0; i < names.length; i += 50) {
    await Promise.all(names.slice(i, i + 50).map((name) => store.put(name, new Uint8Array([1]), 'create')));
  }
  const found = async (after?: string): Promise<string[]> => {
    const paths: string[] = [];
    for await (const { path } of store.list('log/', after)) paths.push(path);
    return paths;
  };
  expect(await found()).toEqual(names);
  expect(await found(names[999])).toEqual(names.slice(1000));
  expect(await found(names[1200])).toEqual(names.slice(1201));
});

test('a large file goes up in parts, and comes back byte for byte', async () => {
  const store = open();
  const bytes = Buffer.alloc(20 * 2 ** 20 + 17);
  for (let i = 0; i < bytes.length; i += 4099) bytes[i] = i % 251;
  await store.putFile('large', (local) => writeFile(local, bytes));
  expect(bytes.equals(await store.get('large'))).toBe(true);
  expect(bytes.equals(await readFile(await store.localFile('large')))).toBe(true);
  expect(await store.get('large', { start: 8 * 2 ** 20 - 2, end: 8 * 2 ** 20 + 2 })).toHaveLength(4);
  expect(await store.head('large')).toMatchObject({ bytes: bytes.length });
});

test('s3a and s3n are other names for the same place', () => {
  expect(storage.open('s3a://contract/t/').location).toBe('s3://contract/t');
  expect(storage.open('s3n://contract').location).toBe('s3://contract');
  for (const bad of ['s3://', 's3:///t', 's3://contract/a//b', 's3://contract/../b', 's3://con tract/a']) {
    expect(() => storage.open(bad), bad).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
  }
});

test('a bucket that is not there, and one that is empty', async () => {
  const failed = await storage
    .open('s3://not-there/t')
    .get('a')
    .catch((error: unknown) => error);
  expect(failed).toMatchObject({ code: 'CONFIG_INVALID', facts: { status: 404, reason: 'NoSuchBucket' } });
  expect(String(failed)).toMatch(/cannot read s3:\/\/not-there\/t\/a: NoSuchBucket.*HTTP 404, request /);
  await s3.createBucket('empty');
  const root = storage.open('s3://empty');
  expect(await root.folders('')).toEqual([]);
  await root.put('a', new Uint8Array([1]), 'create');
  expect(await root.head('a')).toMatchObject({ path: 'a', bytes: 1 });
});

test('without any setting the environment says where S3 is', async () => {
  const plain = new Storage({ cache: { folder } });
  const store = plain.open('s3://contract/by-the-environment');
  await store.put('a', new Uint8Array([1, 2]), 'create');
  expect(await storage.open('s3://contract/by-the-environment').head('a')).toMatchObject({ bytes: 2 });
  await plain.close();
});
