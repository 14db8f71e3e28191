/** Runs programs of the machine (python3, mvn) for tests and benches, and says what to install when one is not there. */
import { spawn } from 'node:child_process';
import { systemCodeOf } from '../../core/errors.ts';

export interface CommandOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** What to do when the program is missing or fails. */
  readonly advice: string;
}

const TAIL_CHARACTERS = 4000;

/**
 * Runs a program to its end.
 * @returns what it printed on standard output
 * @throws Error with the end of what it printed, and the advice
 * @example await runCommand('mvn', ['-v'], { advice: 'Install Maven.' })
 */
export function runCommand(program: string, args: readonly string[], options: CommandOptions): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, [...args], { cwd: options.cwd, env: options.env, stdio: ['ignore', 'pipe', 'pipe'] });
    const out: Buffer[] = [];
    const all: Buffer[] = [];
    child.stdout.on('data', (bytes: Buffer) => {
      out.push(bytes);
      all.push(bytes);
    });
    child.stderr.on('data', (bytes: Buffer) => all.push(bytes));
    child.on('error', (error) => {
      const why = systemCodeOf(error) === 'ENOENT' ? 'is not installed' : `did not start: ${error.message}`;
      reject(new Error(`${program} ${why}. ${options.advice}`, { cause: error }));
    });
    child.on('close', (code, signal) => {
      if (code === 0) {
        resolve(Buffer.concat(out).toString());
        return;
      }
      const tail = Buffer.concat(all).toString().slice(-TAIL_CHARACTERS);
      reject(
        new Error(`${program} ${args.join(' ')} ended with ${String(code ?? signal)}. ${options.advice}\n${tail}`),
      );
    });
  });
}
