import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ManualClock } from '../../core/clock.ts';
import { seededRandom, systemRandom } from '../../core/random.ts';
import type { ObjectStore } from '../../tables/store/object-store.ts';
import { Storage } from '../../tables/store/storage.ts';
import { startFaultProxy, type Asked, type Fault, type FaultProxy } from '../services/fault-proxy.ts';
import { START_MS, startS3, type S3Server } from '../services/s3.ts';

let s3: S3Server;
let proxy: FaultProxy;
let folder: string;
let storage: Storage;
let direct: Storage;
let faultOf: (asked: Asked) => Fault | undefined = () => undefined;
let places = 0;

beforeAll(async () => {
  s3 = await startS3();
  Object.assign(process.env, s3.env);
  await s3.createBucket('faults');
}, START_MS);
afterAll(() => s3.stop());
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-s3-'));
  faultOf = () => undefined;
  proxy = await startFaultProxy(s3.endpoint, (asked) => faultOf(asked));
  storage = storageAt(proxy.endpoint);
  direct = storageAt(s3.endpoint);
});
afterEach(async () => {
  await storage.close();
  await direct.close();
  await proxy.stop();
  await rm(folder, { recursive: true, force: true });
});

/** Pauses take no time. */
function storageAt(endpoint: string): Storage {
  return new Storage(
    { s3: { endpoint, timeoutMs: 500 }, cache: { folder: join(folder, 'cache') } },
    { clock: new ManualClock(Date.UTC(2026, 0, 1)), random: systemRandom },
  );
}
/** The same empty place, through the proxy and past it. */
function open(): { store: ObjectStore; real: ObjectStore } {
  const location = `s3://faults/${String(places++)}`;
  return { store: storage.open(location), real: direct.open(location) };
}
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (data: Uint8Array): string => new TextDecoder().decode(data);
/** The faults in turn, for requests of a method; then none. */
function inTurn(method: string, ...faults: Fault[]): void {
  faultOf = (asked) => (asked.method === method ? faults.shift() : undefined);
}

const SLOW_DOWN: Fault = { kind: 'refuse', status: 503, code: 'SlowDown' };
const KINDS: readonly Fault[] = [
  SLOW_DOWN,
  { kind: 'refuse', status: 429, code: 'TooManyRequests' },
  { kind: 'refuse', status: 500, code: 'InternalError' },
  { kind: 'refuse', status: 409, code: 'ConditionalRequestConflict' },
  { kind: 'reset' },
  { kind: 'lost' },
  { kind: 'badGateway' },
  { kind: 'cut' },
  { kind: 'silence' },
];

describe.each(KINDS.map((fault) => [fault.kind === 'refuse' ? fault.code : fault.kind, fault] as const))(
  'a request that meets: %s',
  (_, fault) => {
    test('is sent again, and its effect is there once', async () => {
      const { store, real } = open();
      inTurn('PUT', fault, fault);
      expect(await store.put('log/1', bytes('one'), 'create')).toBe('written');
      expect(text(await real.get('log/1'))).toBe('one');
      inTurn('PUT', fault);
      expect(await store.put('log/1', bytes('two'), 'create')).toBe('exists');
      inTurn('PUT', fault);
      expect(await store.put('log/2', bytes('three'), 'replace')).toBe('written');
      inTurn('GET', fault, fault);
      expect(text(await store.get('log/1'))).toBe('one');
      inTurn('GET', fault);
      expect(text(await store.get('log/2', { start: 1, end: 3 }))).toBe('hr');
      inTurn('GET', fault);
      expect(await readFile(await store.localFile('log/2'), 'utf8')).toBe('three');
      inTurn('HEAD', fault);
      expect(await store.head('log/1')).toMatchObject({ bytes: 3 });
      inTurn('GET', fault);
      const listed: string[] = [];
      for await (const { path } of store.list('log/')) listed.push(path);
      expect(listed).toEqual(['log/1', 'log/2']);
      inTurn('DELETE', fault);
      await store.delete('log/1');
      expect(await real.head('log/1')).toBeUndefined();
      inTurn('PUT', fault);
      await store.putFile('file', (local) => writeFile(local, 'filled'));
      expect(text(await real.get('file'))).toBe('filled');
    });
  },
);

test('its own write, whose reply was lost, is not taken for that of another', async () => {
  const { store, real } = open();
  for (const kind of ['lost', 'badGateway', 'silence'] as const) {
    inTurn('PUT', { kind }, { kind: 'reset' }, SLOW_DOWN);
    expect(await store.put(kind, bytes(`mine ${kind}`), 'create')).toBe('written');
    expect(text(await real.get(kind))).toBe(`mine ${kind}`);
  }
});

test('the write of another is not taken for its own, also when the bytes are the same', async () => {
  const { store, real } = open();
  await real.put('log/1', bytes('same'), 'create');
  inTurn('PUT', { kind: 'lost' });
  expect(await store.put('log/1', bytes('same'), 'create')).toBe('exists');
});

test('where nobody can tell whose write it was, that is the answer', async () => {
  const { store } = open();
  const url = `${s3.endpoint}/faults/${store.location.slice('s3://faults/'.length)}/log/1`;
  expect((await fetch(url, { method: 'PUT', body: 'of another engine' })).ok).toBe(true);
  inTurn('PUT', { kind: 'lost' });
  await expect(store.put('log/1', bytes('mine'), 'create')).rejects.toMatchObject({
    code: 'STORAGE_FAILED',
    message: expect.stringContaining('it is not known who wrote') as string,
  });
  expect(await store.put('log/1', bytes('mine'), 'create')).toBe('exists');
});

test('of writers racing through a bad network each object has one winner, and its bytes', async () => {
  const seed = systemRandom.int(2 ** 31);
  const random = seededRandom(seed);
  const { store, real } = open();
  faultOf = () => (random.next() < 0.25 ? KINDS[random.int(KINDS.length - 1)] : undefined);
  const keys = Array.from({ length: 25 }, (_, i) => `log/${String(i)}`);
  const writers = ['a', 'b', 'c', 'd'];
  const results = new Map<string, string[]>();
  await Promise.all(
    writers.map(async (writer) => {
      for (const key of keys) {
        const result = await store.put(key, bytes(writer), 'create').catch(() => 'unknown');
        results.set(key, [...(results.get(key) ?? []), `${writer} ${result}`]);
      }
    }),
  );
  faultOf = () => undefined;
  for (const key of keys) {
    const told = results.get(key) ?? [];
    const winner = text(await real.get(key));
    const others = told.filter((one) => one.endsWith('written') && !one.startsWith(winner));
    expect(others, `seed ${String(seed)}: ${key} has ${winner}: ${told.join(', ')}`).toEqual([]);
    expect(told, `seed ${String(seed)}: ${key}`).not.toContain(`${winner} exists`);
  }
});

describe('a large file', () => {
  const large = Buffer.alloc(18 * 2 ** 20, 'x');
  const uploads = async (): Promise<string> => (await fetch(`${s3.endpoint}/faults?uploads`)).text();

  test('goes up whole although its parts, and the replies, get lost', async () => {
    const { store, real } = open();
    const faults: Fault[] = [{ kind: 'reset' }, SLOW_DOWN, { kind: 'lost' }, { kind: 'badGateway' }];
    faultOf = ({ method }) => (method === 'PUT' ? faults.shift() : undefined);
    await store.putFile('large', (local) => writeFile(local, large));
    expect(large.equals(await real.get('large'))).toBe(true);
  });

  test('is there when the reply to its last request was lost', async () => {
    const { store, real } = open();
    let lost = false;
    faultOf = ({ method, url }) => {
      if (lost || method !== 'POST' || !url.includes('uploadId=')) return undefined;
      lost = true;
      return { kind: 'lost' };
    };
    await store.putFile('large', (local) => writeFile(local, large));
    expect(lost).toBe(true);
    expect(large.equals(await real.get('large'))).toBe(true);
  });

  test('that cannot go up leaves nothing: no object, and no parts', async () => {
    const { store, real } = open();
    faultOf = ({ method, url }) =>
      method === 'PUT' && url.includes('partNumber=2')
        ? { kind: 'refuse', status: 403, code: 'AccessDenied' }
        : undefined;
    await expect(store.putFile('large', (local) => writeFile(local, large))).rejects.toMatchObject({
      code: 'STORAGE_READ_ONLY',
    });
    expect(await real.head('large')).toBeUndefined();
    expect(await uploads()).not.toContain('<UploadId>');
  });
});

test('what cannot get better is asked once; what may is given up after eight times, and both are told', async () => {
  const { store } = open();
  const before = (): number => proxy.asked.length;
  const refusals: readonly [status: number, code: string, ours: string, advice: RegExp][] = [
    [403, 'AccessDenied', 'STORAGE_DENIED', /s3:GetObject/],
    [403, 'InvalidAccessKeyId', 'STORAGE_DENIED', /renew/],
    [400, 'ExpiredToken', 'STORAGE_DENIED', /renew/],
    [301, 'PermanentRedirect', 'CONFIG_INVALID', /region/],
    [404, 'NoSuchBucket', 'CONFIG_INVALID', /bucket/],
    [404, 'NoSuchKey', 'FILE_MISSING', /restore the file/],
  ];
  for (const [status, code, ours, advice] of refusals) {
    faultOf = () => ({ kind: 'refuse', status, code });
    const start = before();
    const error: unknown = await store.get('a').catch((thrown: unknown) => thrown);
    expect(error, code).toMatchObject({ code: ours, advice: expect.stringMatching(advice) as string });
    expect(before() - start, code).toBe(1);
  }
  faultOf = () => SLOW_DOWN;
  const start = before();
  await expect(store.put('a', bytes('x'), 'create')).rejects.toMatchObject({
    code: 'STORAGE_FAILED',
    message: expect.stringMatching(/^cannot write s3:\/\/faults\/\d+\/a: SlowDown.*HTTP 503, tried 8 times/) as string,
  });
  expect(before() - start).toBe(8);
});

test('a service that lists its keys in no order is refused by name', async () => {
  const { store } = open();
  const prefix = store.location.slice('s3://faults/'.length);
  const keys = ['b', 'a'].map((key) => `<Contents><Key>${prefix}/log/${key}</Key><Size>1</Size></Contents>`);
  faultOf = () => ({
    kind: 'answer',
    body: `<?xml version="1.0"?><ListBucketResult><IsTruncated>false</IsTruncated>${keys.join('')}</ListBucketResult>`,
  });
  const listing = async (): Promise<void> => {
    for await (const meta of store.list('log/')) expect(meta.path).toBe('log/b');
  };
  await expect(listing()).rejects.toMatchObject({
    code: 'STORAGE_FAILED',
    message: expect.stringContaining('lists log/a after log/b') as string,
  });
});
