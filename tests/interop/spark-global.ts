/**
 * One Spark for all interop tests of a run, and a session for each file of them: starting a JVM and warming it up takes longer than most
 * of them.
 * @example const spark = await Peer.start('spark');
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { spark } from '../services/spark.ts';
import { startPeer } from './peer-process.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    sparkSocket: string;
  }
}

/** Tables as small as those of the tests need no more than one task for anything, and no code that is compiled for a few rows. */
const FOR_SMALL_TABLES = {
  'spark.databricks.delta.snapshotPartitions': '1',
  'spark.sql.shuffle.partitions': '1',
  'spark.sql.adaptive.enabled': 'false',
  'spark.sql.codegen.factoryMode': 'NO_CODEGEN',
  'spark.sql.codegen.wholeStage': 'false',
};

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-spark-'));
  const { python, env } = await spark({ folder, conf: FOR_SMALL_TABLES });
  const socket = join(folder, 'socket');
  const peer = await startPeer(python, 'peer_spark.py', env, [socket]);
  project.provide('sparkSocket', socket);
  return async () => {
    await peer.stop();
    await rm(folder, { recursive: true, force: true });
  };
}
