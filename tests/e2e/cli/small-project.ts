/** Projects of a few lines, and what a failure of one has to look like. */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect } from 'vitest';
import { sluice, type ProcessOptions, type Result } from './sluice.ts';

/** A table of 2,000 generated orders. */
export const BRONZE =
  "CREATE STREAMING TABLE bronze.orders AS SELECT * FROM STREAM generate(dataset => 'orders', rows => 2000);";

/** Writes a project. @param files SQL by its name in pipelines/, or anything else by a path with a slash */
export async function writeProject(root: string, files: Readonly<Record<string, string>>): Promise<string> {
  await mkdir(join(root, 'pipelines'), { recursive: true });
  await writeFile(join(root, 'sluice.yaml'), '');
  for (const [name, text] of Object.entries(files)) {
    const path = join(root, name.includes('/') ? name : join('pipelines', name));
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text);
  }
  return root;
}

export async function run(cwd: string, more: ProcessOptions = {}): Promise<Result> {
  return sluice(['run', '--available-now'], { cwd, ...more });
}

/** The rows of bronze.orders. */
export async function rowsIn(cwd: string): Promise<number> {
  const { stdout } = await sluice(['sql', '--format', 'jsonl', 'SELECT count(*) AS n FROM bronze.orders'], { cwd });
  return (JSON.parse(stdout) as { n: number }).n;
}

/** What a command that must succeed, and say nothing beside, prints with `--format json`. */
export async function answerOf(work: Promise<Result>): Promise<Record<string, unknown>> {
  const { code, stdout, stderr } = await work;
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return JSON.parse(stdout) as Record<string, unknown>;
}

/** One error, with its code, its exit code and its parts; no stack. */
export function expectError(result: Result, exit: number, name: string, ...parts: (string | RegExp)[]): void {
  const { code, stderr } = result;
  expect(stderr.match(/^error\[/gm), stderr).toHaveLength(1);
  expect(stderr).toContain(`error[${name}]: `);
  expect(stderr).not.toMatch(/\n\s+at .*\.[jt]s:/);
  for (const part of parts) {
    if (typeof part === 'string') expect(stderr).toContain(part);
    else expect(stderr).toMatch(part);
  }
  expect(code).toBe(exit);
}

/** What every error of a project and of a source says last: what to do next. */
export const ADVICE = /\n→ .+/;
