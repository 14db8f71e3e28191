/**
 * How long a file on this machine that stands for an object is needed: until the work that asked for it has ended.
 *
 * Promise: a store never takes a file away before the lease ends under which `localFile` gave it; what is asked for under no
 * lease stays until the store is closed or the process ends. The lease is found through the asynchronous context, so that
 * what lies between a query and a store need not hand it on; the innermost one counts.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { atOnce } from '../../core/at-once.ts';

/** How many files are let go of at once. */
const AT_ONCE = 64;

const current = new AsyncLocalStorage<FileLease>();

export class FileLease {
  readonly #releases = new Map<unknown, () => Promise<void>>();
  #ended = false;

  /**
   * Runs work that needs files until it is done.
   * @example await FileLease.during(async () => session.rows(`SELECT * FROM ${await snapshot.relation()}`))
   */
  static async during<T>(work: () => Promise<T>): Promise<T> {
    const lease = new FileLease();
    try {
      return await lease.run(work);
    } finally {
      await lease.end();
    }
  }

  /** The lease of the work that is running, if it has one. */
  static get current(): FileLease | undefined {
    return current.getStore();
  }

  /** Files that the work asks for are kept until `end`, which may come long after it. */
  run<T>(work: () => Promise<T>): Promise<T> {
    return current.run(this, work);
  }

  /** Lets go of all files. Idempotent. */
  async end(): Promise<void> {
    this.#ended = true;
    const releases = [...this.#releases.values()];
    this.#releases.clear();
    await atOnce(releases, AT_ONCE, (release) => release());
  }

  /** For stores: keeps a file until the end; once for each key, however often it is asked for. */
  async keep(key: unknown, release: () => Promise<void>): Promise<void> {
    if (this.#ended || this.#releases.has(key)) await release();
    else this.#releases.set(key, release);
  }
}
