/** Where the table of a soak lies, and what each engine must be told to reach it. */
import { join } from 'node:path';
import { Storage } from '../../tables/index.ts';
import { startS3 } from '../services/s3.ts';
import { conditionalPut } from './conditional-put.ts';
import type { Kind } from './writer.ts';

export interface Place {
  /** As sluice writes it; and as the others do where that differs. */
  readonly location: string;
  readonly locations: Partial<Record<Kind, string>>;
  readonly env: Readonly<Record<string, string>>;
  readonly sparkConf: Readonly<Record<string, string>>;
  readonly storage: Storage;
  close(): Promise<void>;
}

export type PlaceName = 'disk' | 's3';

/** @param folder an existing one */
export async function openPlace(name: PlaceName, folder: string): Promise<Place> {
  return name === 'disk' ? onDisk(folder) : onS3(folder);
}

function onDisk(folder: string): Place {
  const storage = new Storage();
  return {
    location: join(folder, 'table'),
    locations: {},
    env: {},
    sparkConf: {},
    storage,
    close: () => storage.close(),
  };
}

async function onS3(folder: string): Promise<Place> {
  const server = await startS3();
  await server.createBucket('soak');
  const door = await conditionalPut(server.endpoint);
  const cache = join(folder, 'cache');
  const env = { ...server.env, AWS_ENDPOINT_URL: server.endpoint, AWS_ALLOW_HTTP: 'true', SOAK_CACHE: cache };
  Object.assign(process.env, env);
  const storage = new Storage({ s3: { endpoint: server.endpoint }, cache: { folder: cache } });
  return {
    location: 's3://soak/table',
    locations: { spark: 's3a://soak/table' },
    env,
    sparkConf: {
      'spark.hadoop.fs.s3a.endpoint': door.endpoint,
      'spark.hadoop.fs.s3a.endpoint.region': 'us-east-1',
      'spark.hadoop.fs.s3a.path.style.access': 'true',
      'spark.hadoop.fs.s3a.connection.ssl.enabled': 'false',
      'spark.delta.logStore.s3a.impl': 'io.delta.storage.GCSLogStore',
    },
    storage,
    close: async () => {
      await storage.close();
      await door.close();
      await server.stop();
    },
  };
}
