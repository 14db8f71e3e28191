/** The built command line, and other programs, as users run them: a process of its own, its streams, its exit code. */
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { REPO } from '../../services/cache.ts';

export const MAIN = join(REPO, 'dist', 'cli', 'main.js');
if (!existsSync(MAIN)) throw new Error(`${MAIN} is not there: run \`npm run build\` first`);

export interface Result {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ProcessOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
  /** Stops reading what it prints after the first bytes, as `| head` does. */
  readonly closeStdout?: boolean;
  /** The user that it runs as, where the tests run as root. */
  readonly uid?: number;
}

/** Runs a command of sluice to its end. */
export async function sluice(args: readonly string[], options: ProcessOptions = {}): Promise<Result> {
  return startSluice(args, options).ended;
}

export function startSluice(args: readonly string[], options: ProcessOptions = {}): Running {
  return new Running(process.execPath, [MAIN, ...args], options);
}

/** A program that runs: it can be watched and sent signals. */
export class Running {
  readonly child: ChildProcess;
  readonly ended: Promise<Result>;
  #stdout = '';
  #stderr = '';

  constructor(program: string, args: readonly string[], options: ProcessOptions = {}) {
    this.child = spawn(program, [...args], {
      cwd: options.cwd,
      env: { ...process.env, NO_COLOR: '1', ...options.env },
      stdio: ['pipe', 'pipe', 'pipe'],
      ...(options.uid === undefined ? {} : { uid: options.uid, gid: options.uid }),
    });
    this.child.stdout?.on('data', (bytes: Buffer) => {
      this.#stdout += bytes.toString();
      if (options.closeStdout === true) this.child.stdout?.destroy();
    });
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

  /** Resolves when stderr has the text. @throws Error when the program ends without it */
  async says(text: string): Promise<void> {
    await this.#has(text, () => this.#stderr);
  }

  /** Resolves when stdout has the text. @throws Error when the program ends without it */
  async prints(text: string): Promise<void> {
    await this.#has(text, () => this.#stdout);
  }

  async #has(text: string, output: () => string): Promise<void> {
    const deadline = Date.now() + 60_000;
    while (!output().includes(text)) {
      if (this.child.exitCode !== null || Date.now() > deadline) {
        throw new Error(`it never said ${JSON.stringify(text)}, but:\n${this.#stdout}${this.#stderr}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
}

/** Folders that are removed at the end of a test file. */
export class Scratch {
  readonly #folders: string[] = [];

  /** @param parent where the folder is made: the system's folder for temporary files, unless told */
  async folder(parent = tmpdir()): Promise<string> {
    await mkdir(parent, { recursive: true });
    const folder = await mkdtemp(join(parent, 'sluice-cli-'));
    this.#folders.push(folder);
    return folder;
  }

  async remove(): Promise<void> {
    for (const folder of this.#folders) await rm(folder, { recursive: true, force: true });
  }
}
