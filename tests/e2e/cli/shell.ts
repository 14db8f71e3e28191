/**
 * Command lines as they are printed, in bash. `npx sluice` is the built command line, without the seconds that npm takes to
 * look for it; package.test.ts has the real one.
 */
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MAIN, Running, type Result } from './sluice.ts';

/** Runs lines of a shell, one after the other, until one fails. */
export async function shell(lines: readonly string[], cwd: string, input = ''): Promise<Result> {
  const bin = join(cwd, '.bin');
  await mkdir(bin, { recursive: true });
  const npx = join(bin, 'npx');
  await writeFile(npx, `#!/bin/sh\n[ "$1" = sluice ] || exit 127\nshift\nexec '${process.execPath}' '${MAIN}' "$@"\n`);
  await chmod(npx, 0o755);
  const script = ['set -euo pipefail', ...lines].join('\n');
  const env = { PATH: `${bin}:${process.env['PATH'] ?? ''}` };
  return new Running('bash', ['-c', script], { cwd, env, input }).ended;
}
