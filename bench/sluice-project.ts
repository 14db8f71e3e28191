/** The project that the benches run: one streaming table with typed columns, every setting at its default. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ORDER_SCHEMA } from './orders.ts';

export interface SluiceProject {
  readonly folder: string;
  /** Where its table will be. */
  readonly table: string;
}

export async function writeProject(folder: string, brokers: readonly string[], topic: string): Promise<SluiceProject> {
  await mkdir(join(folder, 'pipelines'), { recursive: true });
  await writeFile(join(folder, 'sluice.yaml'), 'name: bench\n');
  await writeFile(
    join(folder, 'pipelines', 'orders.sql'),
    `CREATE OR REFRESH STREAMING TABLE bronze.orders
AS SELECT *, _metadata."partition" AS kafka_partition, _metadata."offset" AS kafka_offset
FROM STREAM read_kafka(
  bootstrapServers => '${brokers.join(',')}',
  subscribe => '${topic}',
  startingOffsets => 'earliest',
  valueFormat => 'json',
  schema => '${ORDER_SCHEMA}');
`,
  );
  return { folder, table: join(folder, 'lake', 'bronze', 'orders') };
}
