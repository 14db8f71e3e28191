/**
 * A real S3 server for tests: `moto_server` of the Python environment, on a free port of this machine, state in memory.
 *
 * Promise: stopped with the process that started it; conditional writes are honoured (one winner of each race).
 */
import { spawn } from 'node:child_process';
import { createServer, type AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { atExit, end, hasExited } from './child.ts';
import { python } from './python.ts';

export interface S3Server {
  /** `http://127.0.0.1:<port>` */
  readonly endpoint: string;
  /** What a process needs to reach it, by the names that every S3 client knows. */
  readonly env: Readonly<Record<string, string>>;
  createBucket(name: string): Promise<void>;
  stop(): Promise<void>;
}

/** For hooks of tests: the first one on a machine installs the server. */
export const START_MS = 900_000;

const PATIENCE_MS = 30_000;
const POLL_MS = 50;

/** @example const s3 = await startS3(); await s3.createBucket('lake'); … await s3.stop(); */
export async function startS3(): Promise<S3Server> {
  const port = await freePort();
  const endpoint = `http://127.0.0.1:${String(port)}`;
  const child = spawn(await python(), ['-m', 'moto.server', '-H', '127.0.0.1', '-p', String(port)], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let errors = '';
  child.stderr.on('data', (data: Buffer) => (errors = (errors + data.toString()).slice(-4000)));
  const forget = atExit(() => child.kill('SIGKILL'));
  for (let waitedMs = 0; !(await answers(endpoint)); waitedMs += POLL_MS) {
    if (hasExited(child) || waitedMs > PATIENCE_MS) throw new Error(`moto_server did not start:\n${errors}`);
    await sleep(POLL_MS);
  }
  return {
    endpoint,
    env: {
      AWS_ENDPOINT_URL_S3: endpoint,
      AWS_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'secret-of-the-tests',
    },
    createBucket: async (name) => {
      const reply = await fetch(`${endpoint}/${name}`, { method: 'PUT' });
      if (!reply.ok) throw new Error(`no bucket ${name}: ${await reply.text()}`);
    },
    stop: async () => {
      forget();
      await end(child, 'SIGTERM', 2000);
    },
  };
}

async function answers(endpoint: string): Promise<boolean> {
  try {
    return (await fetch(`${endpoint}/moto-api/`)).ok;
  } catch {
    return false;
  }
}

/** @returns a port that nobody listened on a moment ago */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
