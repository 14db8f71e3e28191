/**
 * Where DuckDB may spill work that does not fit into its memory: `.tmp-<host>-<pid>` in the lake, on the disk that has room
 * for data; the system's folder for temporary files where the lake cannot be written.
 *
 * Promise: removed when the process ends; what a killed process of this machine left is removed by the next one.
 */
import { accessSync, constants, readdirSync, rmSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemCodeOf } from '../core/errors.ts';

/** One level only: DuckDB makes the folder when it first spills, but none above it. */
const PREFIX = '.tmp-';

export interface SpillFolder {
  readonly path: string;
  /** Synchronous, so that a forced end can call it too. */
  remove(): void;
}

/** @param lake the folder of the tables, or undefined outside a project */
export function spillFolder(lake: string | undefined): SpillFolder {
  const own = `${hostname()}-${String(process.pid)}`;
  const inLake = lake !== undefined && canWrite(lake);
  if (inLake) removeOrphans(lake);
  const path = inLake ? join(lake, `${PREFIX}${own}`) : join(tmpdir(), `sluice-${own}`);
  return {
    path,
    remove: () => {
      removeQuietly(path);
    },
  };
}

function removeOrphans(lake: string): void {
  const host = `${PREFIX}${hostname()}-`;
  for (const name of readdirSync(lake)) {
    const pid = name.startsWith(host) ? name.slice(host.length) : '';
    if (/^\d+$/.test(pid) && !isAlive(Number(pid))) removeQuietly(join(lake, name));
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return systemCodeOf(error) === 'EPERM';
  }
}

function canWrite(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** Left-overs are not worth failing for. */
function removeQuietly(folder: string): void {
  try {
    rmSync(folder, { recursive: true, force: true });
  } catch {
    // The next process tries again.
  }
}
