/** Runs the Python side of the bench `delta`: each case in a process of its own. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { REPO } from '../../tests/services/cache.ts';
import { python } from '../../tests/services/python.ts';
import type { DeltaInput, DeltaResult } from '../children/delta.ts';

export async function runDeltaPeer(input: DeltaInput): Promise<DeltaResult> {
  const script = join(REPO, 'bench', 'peers', 'delta_peer.py');
  const { stdout } = await promisify(execFile)(await python(), [script, JSON.stringify(input)]);
  return JSON.parse(stdout) as DeltaResult;
}
