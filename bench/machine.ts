/** On what a bench ran: without it no figure means anything. */
import { createRequire } from 'node:module';
import { availableParallelism, cpus, loadavg, totalmem } from 'node:os';
import { Engine } from '../engine/engine.ts';

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly platform: string;
  /** The load of the last minute when the benches began: figures from a busy machine are not worth keeping. */
  readonly loadBefore: number;
}

export function machine(): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    platform: `${process.platform} ${process.arch}`,
    loadBefore: Math.round((loadavg()[0] ?? 0) * 100) / 100,
  };
}

export async function versions(): Promise<Record<string, string>> {
  const { version: kafkajs } = createRequire(import.meta.url)('kafkajs/package.json') as { version: string };
  const engine = await Engine.open();
  const session = await engine.session();
  const rows = await session.rows('SELECT library_version AS version FROM pragma_version()');
  session.close();
  engine.close();
  return { node: process.version, duckdb: (rows as { version: string }[])[0]?.version ?? 'unknown', kafkajs };
}
