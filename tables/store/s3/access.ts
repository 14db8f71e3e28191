/**
 * What the stores of a process share to reach S3: one client with its connections, the limit on requests, the cache.
 *
 * Promise: nothing of the SDK is loaded before the first request.
 */
import type { Clock } from '../../../core/clock.ts';
import type { Random } from '../../../core/random.ts';
import { Slots } from '../../../core/slots.ts';
import type { FileCache } from '../cache/file-cache.ts';
import type { Fault } from './faults.ts';
import type { S3Requests } from './requests.ts';
import { retried } from './retry.ts';
import type { S3Settings } from './settings.ts';

const REQUESTS_AT_ONCE = 64;
const ATTEMPTS = 8;

export interface S3Parts {
  readonly clock: Clock;
  readonly random: Random;
  readonly cache: FileCache;
}

/** @param before what failed the times before, newest last */
export type S3Request<T> = (requests: S3Requests, before: readonly Fault[]) => Promise<T>;

export class S3Access {
  readonly cache: FileCache;
  readonly random: Random;
  /** Tells the same bucket of two services apart. */
  readonly service: string;
  readonly #settings: S3Settings;
  readonly #clock: Clock;
  readonly #slots: Slots;
  #requests: Promise<S3Requests> | undefined;

  constructor(settings: S3Settings, { clock, random, cache }: S3Parts) {
    this.#settings = settings;
    this.#clock = clock;
    this.random = random;
    this.cache = cache;
    this.service = settings.endpoint ?? '';
    this.#slots = new Slots(settings.requestsAtOnce ?? REQUESTS_AT_ONCE);
  }

  /**
   * Sends a request, and again while that may help.
   * @param what for messages: `read`
   * @param place of the object
   * @throws SluiceError `STORAGE_*`, `CONFIG_INVALID`
   */
  send<T>(what: string, place: string, request: S3Request<T>): Promise<T> {
    const parts = { clock: this.#clock, random: this.random, attempts: this.#settings.attempts ?? ATTEMPTS };
    return retried(parts, what, place, (before) => this.#slots.use(async () => request(await this.#loaded(), before)));
  }

  async close(): Promise<void> {
    const requests = this.#requests;
    this.#requests = undefined;
    (await requests)?.close();
  }

  #loaded(): Promise<S3Requests> {
    this.#requests ??= import('./requests.ts').then(({ S3Requests }) => new S3Requests(this.#settings));
    return this.#requests;
  }
}
