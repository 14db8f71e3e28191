/** The process of a peer: a Python script that answers requests, a JSON line each, until its standard input ends. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Writable } from 'node:stream';

const LOG_CHARACTERS = 4_000;

export interface PeerProcess {
  readonly requests: Writable;
  readonly answers: AsyncIterator<string>;
  stop(): Promise<void>;
}

/** @throws Error with what it said when it ends before it is ready */
export async function startPeer(
  interpreter: string,
  script: string,
  env: NodeJS.ProcessEnv,
  args: readonly string[] = [],
): Promise<PeerProcess> {
  const path = join(import.meta.dirname, script);
  const child = spawn(interpreter, [path, ...args], { env, cwd: tmpdir(), stdio: ['pipe', 'pipe', 'pipe'] });
  let log = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    log = (log + text).slice(-LOG_CHARACTERS);
  });
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const ready = await answers.next();
  if (ready.done === true) throw new Error(`${script} ended:\n${log}`);
  return {
    requests: child.stdin,
    answers,
    async stop() {
      if (child.exitCode !== null) return;
      child.stdin.end();
      await once(child, 'exit');
    },
  };
}
