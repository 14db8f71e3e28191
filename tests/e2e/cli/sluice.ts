/** The built command line as users run it: a process of its own, its streams, its exit code. */
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { REPO } from '../../services/cache.ts';

const MAIN = join(REPO, 'dist', 'cli', 'main.js');
if (!existsSync(MAIN)) throw new Error(`${MAIN} is not there: run \`npm run build\` first`);

export interface Result {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface SluiceOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
  /** The user that it runs as, where the tests run as root. */
  readonly uid?: number;
}

/** Runs a command to its end. */
export async function sluice(args: readonly string[], options: SluiceOptions = {}): Promise<Result> {
  return new Running(args, options).ended;
}

/** A command that runs: it can be watched and sent signals. */
export class Running {
  readonly child: ChildProcess;
  readonly ended: Promise<Result>;
  #stdout = '';
  #stderr = '';

  constructor(args: readonly string[], options: SluiceOptions = {}) {
    this.child = spawn(process.execPath, [MAIN, ...args], {
      cwd: options.cwd,
      env: { ...process.env, NO_COLOR: '1', ...options.env },
      stdio: ['pipe', 'pipe', 'pipe'],
      ...(options.uid === undefined ? {} : { uid: options.uid, gid: options.uid }),
    });
    this.child.stdout?.on('data', (bytes: Buffer) => (this.#stdout += bytes.toString()));
    this.child.stderr?.on('data', (bytes: Buffer) => (this.#stderr += bytes.toString()));
    this.child.stdin?.on('error', () => undefined);
    this.child.stdin?.end(options.input ?? '');
    this.ended = new Promise((resolve, reject) => {
      this.child.once('error', reject);
      this.child.once('close', (code) => {
        resolve({ code, stdout: this.#stdout, stderr: this.#stderr });
      });
    });
  }

  /** Resolves when stderr has the text. @throws Error when the command ends without it */
  async says(text: string): Promise<void> {
    const deadline = Date.now() + 60_000;
    while (!this.#stderr.includes(text)) {
      if (this.child.exitCode !== null || Date.now() > deadline) {
        throw new Error(`it never said ${JSON.stringify(text)}, but:\n${this.#stderr}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
}

/** Folders that are removed at the end of a test file. */
export class Scratch {
  readonly #folders: string[] = [];

  async folder(): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), 'sluice-cli-'));
    this.#folders.push(folder);
    return folder;
  }

  async remove(): Promise<void> {
    for (const folder of this.#folders) await rm(folder, { recursive: true, force: true });
  }
}
