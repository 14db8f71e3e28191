/**
 * The folder of one process inside of what processes share: what is in there is this process's alone, and rubbish once it
 * has ended.
 *
 * Promise: only a folder whose process has ended is removed: one of this machine that no longer runs, or one of another
 * machine or container (whose processes cannot be seen) that has touched no file for a day.
 */
import { readdirSync, readlinkSync, rmSync } from 'node:fs';
import * as fs from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { Clock } from '../../../core/clock.ts';
import { systemCodeOf } from '../../../core/errors.ts';
import type { Random } from '../../../core/random.ts';

const NAME = /^(.+)@(\d+)@[\da-f-]{36}$/;
const UNSEEN_MS = 24 * 3_600_000;

/** Those whose processes see each other: containers can share the name of their host, and do not share its process ids. */
const MACHINE = `${hostname()}${pidNamespace()}`;

/** Removed when the process ends by itself; after a kill the next process does it. */
const toRemove = new Set<string>();
let isWatching = false;

export class OwnFolder {
  readonly #path: string;
  #made: Promise<unknown> | undefined;
  #files = 0;

  /** @param shared the folder that holds those of all processes */
  constructor(shared: string, random: Random) {
    this.#path = join(shared, `${MACHINE}@${String(process.pid)}@${random.uuid()}`);
  }

  /** A path that no file has had. */
  async newFile(): Promise<string> {
    this.#made ??= this.#make();
    await this.#made;
    return join(this.#path, `${String(this.#files++)}.parquet`);
  }

  async remove(): Promise<void> {
    this.#made = undefined;
    toRemove.delete(this.#path);
    // What cannot be removed now is removed by the next process.
    await fs.rm(this.#path, { recursive: true, force: true }).catch(() => undefined);
  }

  async #make(): Promise<void> {
    await fs.mkdir(this.#path, { recursive: true });
    if (!isWatching) process.once('exit', removeAll);
    isWatching = true;
    toRemove.add(this.#path);
  }
}

/** Removes the folders of processes that have ended. */
export async function removeAbandoned(shared: string, clock: Clock): Promise<void> {
  for (const name of await fs.readdir(shared)) {
    const [, host, pid] = NAME.exec(name) ?? [];
    const path = join(shared, name);
    if (host === undefined || toRemove.has(path)) continue;
    const abandoned =
      host === MACHINE
        ? !isAlive(Number(pid)) || (Number(pid) === process.pid && (await isOlderThanThis(path, clock)))
        : await isUntouched(path, clock.nowMs() - UNSEEN_MS);
    if (abandoned) await fs.rm(path, { recursive: true, force: true });
  }
}

/** A container that is started again has the name and the process id of the one before. */
function isOlderThanThis(path: string, clock: Clock): Promise<boolean> {
  return isUntouched(path, clock.nowMs() - process.uptime() * 1000 - 1000);
}

async function isUntouched(path: string, sinceMs: number): Promise<boolean> {
  const stat = await fs.stat(path).catch(() => undefined);
  return stat !== undefined && stat.mtimeMs < sinceMs;
}

function pidNamespace(): string {
  try {
    return `.${/\d+/.exec(readlinkSync('/proc/self/ns/pid'))?.[0] ?? ''}`;
  } catch {
    // Only Linux has them.
    return '';
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return systemCodeOf(error) === 'EPERM';
  }
}

function removeAll(): void {
  for (const path of toRemove) {
    try {
      for (const name of readdirSync(path)) rmSync(join(path, name), { force: true });
      rmSync(path, { recursive: true, force: true });
    } catch {
      // The next process tries again.
    }
  }
}
