/**
 * When each version of a Delta table became visible: the moment that its log entry appears in the folder, as a reader that
 * watches the folder would learn of it.
 */
import { watch, type FSWatcher } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const ENTRY = /^\d{20}\.json$/;
const LOOK_MS = 5;

export class CommitWatch {
  readonly #log: string;
  readonly #seen = new Map<string, number>();
  #watcher: FSWatcher | undefined;

  private constructor(log: string) {
    this.#log = log;
  }

  /** Begins to watch, as soon as there is a log. */
  static async start(table: string, signal: AbortSignal): Promise<CommitWatch> {
    const commits = new CommitWatch(join(table, '_delta_log'));
    while (commits.#watcher === undefined) {
      try {
        commits.#watcher = watch(commits.#log, (_, name) => {
          commits.#see(name);
        });
      } catch {
        await sleep(LOOK_MS, undefined, { signal });
      }
    }
    for (const name of await readdir(commits.#log)) commits.#see(name);
    return commits;
  }

  /** Versions so far, in order: their number and when they were seen, by `performance.now()`. */
  get versions(): { readonly entry: string; readonly atMs: number }[] {
    return [...this.#seen]
      .map(([entry, atMs]) => ({ entry, atMs }))
      .sort((a, b) => (a.entry < b.entry ? -1 : Number(a.entry !== b.entry)));
  }

  /** The `txn` actions of a version: application id and version. */
  async txn(entry: string): Promise<ReadonlyMap<string, number>> {
    const lines = (await readFile(join(this.#log, entry), 'utf8')).split('\n').filter((line) => line !== '');
    const actions = lines.map((line) => JSON.parse(line) as { txn?: { appId: string; version: number } });
    return new Map(actions.flatMap(({ txn }) => (txn === undefined ? [] : [[txn.appId, txn.version]])));
  }

  close(): void {
    this.#watcher?.close();
  }

  #see(name: string | null): void {
    if (name !== null && ENTRY.test(name) && !this.#seen.has(name)) this.#seen.set(name, performance.now());
  }
}
