/**
 * Runs one side of a bench in a Node process of its own, so that no side inherits another's heap or warm code.
 *
 * The contract: a child gets its input as JSON in its first argument, stops when its standard input ends (if it does not
 * stop by itself), and writes its result as one line of JSON.
 */
import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { SluiceError } from '../core/errors.ts';

export interface Child<T> {
  /** Asks the child to stop. */
  stop(): void;
  /** @throws SluiceError `INTERNAL` when the child fails. */
  readonly done: Promise<ChildResult<T>>;
}

export interface ChildResult<T> {
  readonly result: T;
  /** From just before the process was started until it had ended. */
  readonly processMs: number;
}

/** @param script the name of a file in bench/children/, without its ending */
export function startChild<T>(script: string, input: object): Child<T> {
  const file = fileURLToPath(new URL(`./children/${script}.js`, import.meta.url));
  const startMs = performance.now();
  const child = spawn(process.execPath, [file, JSON.stringify(input)], { stdio: ['pipe', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  child.stdin.on('error', () => undefined);
  const done = new Promise<ChildResult<T>>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => {
      const processMs = performance.now() - startMs;
      if (code === 0) resolve({ result: JSON.parse(output) as T, processMs });
      else reject(new SluiceError('INTERNAL', `bench child ${script} ended with ${String(signal ?? code)}`));
    });
  });
  return { stop: () => child.stdin.end(), done };
}

/** For children: the input that `startChild` gave. */
export function childInput(): unknown {
  return JSON.parse(process.argv[2] ?? '{}');
}

/** For children: resolves when the parent says stop, or is gone. */
export async function untilStopped(): Promise<void> {
  await new Promise<void>((resolve) => {
    process.stdin.on('end', resolve).on('close', resolve).resume();
  });
}

/** For children: the result, and the end of the process. */
export function finish(result: object): void {
  process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit(0));
}

/**
 * The most memory that this process has held, in MiB: the kernel's own high-water mark. (`resourceUsage().maxRSS` would
 * count what the parent held when it forked.)
 */
export function peakMiB(pid: number | 'self' = 'self'): number {
  try {
    const status = readFileSync(`/proc/${String(pid)}/status`, 'utf8');
    return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? Number.NaN) / 1024;
  } catch {
    return process.resourceUsage().maxRSS / 1024;
  }
}

/** From here on `peakMiB` tells of what comes. Does nothing where the kernel has no such mark. */
export function resetPeak(): void {
  try {
    writeFileSync('/proc/self/clear_refs', '5');
  } catch {
    return;
  }
}
