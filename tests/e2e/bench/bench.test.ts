import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { DELTA_CASES } from '../../../bench/delta-case.ts';
import { REPO } from '../../services/cache.ts';

async function bench(...args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [join(REPO, 'dist', 'bench', 'main.js'), ...args]);
  return stdout;
}

test('a tiny bench of the tables runs from end to end, and has a figure for each case', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-bench-'));
  try {
    const out = join(folder, 'delta.json');
    const sizes = ['--files', '200', '--rows', '5000', '--rounds', '1'];
    const table = await bench('delta', ...sizes, '--no-delta-rs', '--out', out);
    const report = await readFile(out, 'utf8');
    for (const name of DELTA_CASES) {
      expect(table).toMatch(new RegExp(`\\| ${name}: sluice +\\| ms `));
      expect(report).toContain(`${name}: sluice`);
    }
    expect(table).not.toContain('delta-rs');
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('help names each bench and each option', async () => {
  const help = await bench('--help');
  for (const word of ['ingest', 'latency', 'memory', 'tables', 'delta', '--files', '--no-delta-rs', '--out']) {
    expect(help).toContain(word);
  }
});
