/** What `sluice.yaml` and the environment say about storage, together. */
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import type { StorageSettings } from '../tables/index.ts';
import type { Config } from './config.ts';
import type { Environment } from './variables.ts';

/**
 * Settings for `Storage`: the file first, then the variables that the AWS tools know, then defaults. Credentials are left to
 * the AWS SDK.
 * @param config undefined outside of a project
 */
export function storageSettings(
  config: Config | undefined,
  { env, root }: { readonly env: Environment; readonly root: string },
): StorageSettings {
  const { s3, cache } = config?.storage ?? {};
  const endpoint = s3?.endpoint ?? (env['AWS_ENDPOINT_URL_S3'] || env['AWS_ENDPOINT_URL']);
  const region = s3?.region ?? (env['AWS_REGION'] || env['AWS_DEFAULT_REGION']);
  const folder = cache?.path === undefined ? defaultFolder(env) : resolve(root, cache.path);
  return {
    s3: {
      ...(endpoint ? { endpoint } : {}),
      ...(region ? { region } : {}),
      forcePathStyle: s3?.force_path_style,
      profile: s3?.profile,
    },
    cache: { folder, ...(cache === undefined ? {} : { bytes: cache.size }) },
  };
}

function defaultFolder(env: Environment): string {
  return join(env['XDG_CACHE_HOME'] || join(env['HOME'] || homedir(), '.cache'), 'sluice');
}
