import { expect, test } from 'vitest';
import { parseConfig } from '../../../transforms/config.ts';
import { storageSettings } from '../../../transforms/storage.ts';

const settings = (yaml: string, env: Record<string, string> = {}) =>
  storageSettings(parseConfig(yaml, 'sluice.yaml', env), { env: { HOME: '/home/me', ...env }, root: '/project' });

test('without a word about storage the environment decides, and the cache is where caches are', () => {
  expect(settings('').cache).toEqual({ folder: '/home/me/.cache/sluice', bytes: 10 * 2 ** 30 });
  expect(settings('', { XDG_CACHE_HOME: '/caches' }).cache?.folder).toBe('/caches/sluice');
  expect(settings('').s3).toEqual({ forcePathStyle: undefined, profile: undefined });
  const env = { AWS_ENDPOINT_URL: 'http://any:1', AWS_DEFAULT_REGION: 'eu-west-1' };
  expect(settings('', env).s3).toMatchObject({ endpoint: 'http://any:1', region: 'eu-west-1' });
  const more = { ...env, AWS_ENDPOINT_URL_S3: 'http://s3:2', AWS_REGION: 'eu-west-2' };
  expect(settings('', more).s3).toMatchObject({ endpoint: 'http://s3:2', region: 'eu-west-2' });
  expect(storageSettings(undefined, { env: more, root: '/' }).s3).toMatchObject({ endpoint: 'http://s3:2' });
});

test('what the project says comes first, with variables in it', () => {
  const yaml = `storage:
  s3: { endpoint: 'http://\${MINIO}:9000', region: r, force_path_style: 'false', profile: lake }
  cache: { path: tmp/cache, size: 2GiB }`;
  expect(settings(yaml, { MINIO: 'minio', AWS_REGION: 'x', AWS_ENDPOINT_URL_S3: 'http://x' })).toEqual({
    s3: { endpoint: 'http://minio:9000', region: 'r', forcePathStyle: false, profile: 'lake' },
    cache: { folder: '/project/tmp/cache', bytes: 2 * 2 ** 30 },
  });
});

test('what cannot be meant is refused with its place', () => {
  for (const [yaml, message] of [
    ['storage: { s3: { force_path_style: perhaps } }', /storage.s3.force_path_style must be true or false/],
    ['storage: { cache: { size: large } }', /storage.cache.size must be a size/],
    ['storage: { s3: { secret: x } }', /unknown key secret/],
    ['storage: { gcs: {} }', /unknown key gcs/],
  ] as const) {
    expect(() => settings(yaml), yaml).toThrow(message);
  }
});
