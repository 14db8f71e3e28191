/**
 * An object store as a worker in trouble sees it: replies get lost, writes race with their own retries, and the worker
 * dies between any two steps.
 *
 * Promise: every fault is one that a real store and a real process can show; chance comes from the seed alone.
 */
import { SluiceError } from '../../core/errors.ts';
import type { Random } from '../../core/random.ts';
import type { ByteRange, ObjectMeta, ObjectStore, PutMode, PutResult } from '../../tables/store/object-store.ts';

/** How likely each fault is at each step, from 0 to 1. */
export interface Faults {
  /** The worker is killed before or after a step took effect. */
  readonly crash: number;
  /** A write happened, and its reply was lost. */
  readonly lostReply: number;
  /** A write happened, its reply was lost, and the client's own retry was told that the object exists. */
  readonly ownWrite: number;
  /** A step failed without effect. */
  readonly failure: number;
}

/** What a killed worker meets from then on; no code under test may take it for an ordinary failure and go on writing. */
export class Crash extends Error {
  override name = 'Crash';
}

/** One worker's life: once it is killed, nothing that it still tries has any effect. */
export class Life {
  readonly #random: Random;
  readonly #faults: Faults;
  #dead = false;

  constructor(random: Random, faults: Faults) {
    this.#random = random;
    this.#faults = faults;
  }

  get dead(): boolean {
    return this.#dead;
  }

  /** Other workers go on between two steps of this one; now and then it dies there. */
  async step(): Promise<void> {
    for (let turns = this.#random.int(4); turns >= 0; turns--) await Promise.resolve();
    if (this.#dead || this.#chance('crash')) this.#die();
  }

  fails(fault: Exclude<keyof Faults, 'crash'>): boolean {
    return this.#chance(fault);
  }

  #chance(fault: keyof Faults): boolean {
    return this.#random.next() < this.#faults[fault];
  }

  #die(): never {
    this.#dead = true;
    throw new Crash('killed');
  }
}

export class FaultyStore implements ObjectStore {
  readonly location: string;
  readonly #inner: ObjectStore;
  readonly #life: Life;

  constructor(inner: ObjectStore, life: Life) {
    this.location = inner.location;
    this.#inner = inner;
    this.#life = life;
  }

  async get(path: string, range?: ByteRange): Promise<Uint8Array> {
    await this.#before('read', path);
    return this.#inner.get(path, range);
  }

  async put(path: string, bytes: Uint8Array, mode: PutMode): Promise<PutResult> {
    await this.#before('write', path);
    const result = await this.#inner.put(path, bytes, mode);
    await this.#life.step();
    if (this.#life.fails('lostReply')) throw timedOut('write', path);
    if (mode === 'create' && this.#life.fails('ownWrite')) return 'exists';
    return result;
  }

  async *list(prefix: string, after?: string): AsyncIterable<ObjectMeta> {
    await this.#before('list', prefix);
    yield* this.#inner.list(prefix, after);
  }

  async delete(path: string): Promise<void> {
    await this.#before('delete', path);
    await this.#inner.delete(path);
    await this.#life.step();
  }

  async head(path: string): Promise<ObjectMeta | undefined> {
    await this.#before('read', path);
    return this.#inner.head(path);
  }

  async localFile(path: string): Promise<string> {
    await this.#before('read', path);
    return this.#inner.localFile(path);
  }

  async putFile<T>(path: string, write: (localPath: string) => Promise<T>): Promise<T> {
    await this.#before('write', path);
    const result = await this.#inner.putFile(path, write);
    await this.#life.step();
    if (this.#life.fails('lostReply')) throw timedOut('write', path);
    return result;
  }

  async folders(path: string): Promise<string[]> {
    await this.#before('list', path);
    return this.#inner.folders(path);
  }

  async isFolder(path: string): Promise<boolean> {
    await this.#before('list', path);
    return this.#inner.isFolder(path);
  }

  async #before(verb: string, path: string): Promise<void> {
    await this.#life.step();
    if (this.#life.fails('failure')) throw timedOut(verb, path);
  }
}

function timedOut(verb: string, path: string): SluiceError {
  return new SluiceError('STORAGE_FAILED', `cannot ${verb} ${path}: no reply`, {
    advice: 'Injected by the simulation.',
  });
}
