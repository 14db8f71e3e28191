/**
 * Writers of several engines at work on one table at the same time, killed and started again at random.
 *
 * Promise: at each pause every reader is asked for the rows of every batch, and the ledger says whether they are right: no row
 * lost, none doubled, none changed by an operation that did not happen; the log gives the same state with and without
 * checkpoints. A run is told by its seed, as far as processes can be.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { seededRandom, systemRandom, type Random } from '../../core/random.ts';
import { systemClock } from '../../core/clock.ts';
import { Engine } from '../../engine/engine.ts';
import { DeltaTable, openStore } from '../../tables/index.ts';
import { Ledger, type Operation } from './ledger.ts';
import { logProblems } from './log-check.ts';
import type { Place } from './place.ts';
import { STATE, stateOf } from './state.ts';
import { Writer, type Kind, type WriterOptions } from './writer.ts';

export interface SoakOptions {
  readonly seed: number;
  readonly seconds: number;
  /** Seconds between two pauses. */
  readonly pauseEvery: number;
  readonly place: Place;
  readonly folder: string;
  readonly writers: readonly Kind[];
  readonly say: (line: string) => void;
}

export interface SoakResult {
  readonly problems: readonly string[];
  readonly version: bigint;
  /** Writer → what became of its operations. */
  readonly counts: ReadonlyMap<string, { committed: number; refused: number; unknown: number; kills: number }>;
  readonly pauses: number;
  /** Why operations were not committed, most frequent first. */
  readonly reasons: readonly string[];
}

/** Rows of a batch at first. */
const ROWS_MOST = 40;
const LIVE_BATCHES_MOST = 20;
/** Seconds that a writer lives on average: Spark needs ten of them to start. */
const LIFE: Readonly<Record<Kind, number>> = { sluice: 6, deltars: 6, spark: 60 };
const PATIENCE_MS = 180_000;
// delta-rs 1.6.6 does not compact here: two compactions at once that it takes part in keep the files of both, so that every row is
// there twice. It does so by itself, too: open a table of three files twice, and compact it through the one and then the other.

export async function soak(options: SoakOptions): Promise<SoakResult> {
  const run = new Soak(options);
  try {
    return await run.run();
  } finally {
    await run.close();
  }
}

class Soak {
  readonly #options: SoakOptions;
  readonly #ledger = new Ledger();
  readonly #writers = new Map<string, Writer>();
  readonly #counts = new Map<string, { committed: number; refused: number; unknown: number; kills: number }>();
  readonly #reasons = new Map<string, number>();
  readonly #problems: string[] = [];
  #engine: Engine | undefined;

  constructor(options: SoakOptions) {
    this.#options = options;
  }

  async run(): Promise<SoakResult> {
    const { seconds, pauseEvery, seed, writers, say } = this.#options;
    this.#engine = await Engine.open({ memoryLimit: '500MB', threads: 2 });
    say(`seed ${String(seed)}: ${writers.join(', ')} on ${this.#options.place.location} for ${String(seconds)} s`);
    const names = writers.map((kind, n) => ({ kind, name: `${kind}${String(n)}` }));
    for (const { name } of names) this.#counts.set(name, { committed: 0, refused: 0, unknown: 0, kills: 0 });
    const [first] = names;
    if (first === undefined) throw new Error('no writers');
    for (const { kind, name } of names) await this.#started(kind, name);
    await this.#step(first.name, { do: 'append', batch: `${first.name}-first-a`, rows: 3, v: 0 });
    const endMs = performance.now() + seconds * 1000;
    let pauses = 0;
    while (performance.now() < endMs && this.#problems.length === 0) {
      const untilMs = Math.min(endMs, performance.now() + pauseEvery * 1000);
      await Promise.all(
        names.map(({ kind, name }, n) => this.#work(kind, name, seededRandom(seed * 1000 + n * 17 + pauses), untilMs)),
      );
      pauses++;
      await this.#verify();
    }
    return {
      problems: this.#problems,
      version: await this.#version(),
      counts: this.#counts,
      pauses,
      reasons: this.#sortedReasons(),
    };
  }

  async close(): Promise<void> {
    for (const writer of this.#writers.values()) await writer.kill();
    this.#engine?.close();
  }

  /** One writer until a moment: operation after operation, killed now and then in the middle of one. */
  async #work(kind: Kind, name: string, random: Random, untilMs: number): Promise<void> {
    let deathMs = performance.now() + LIFE[kind] * 2000 * random.next();
    while (performance.now() < untilMs && this.#problems.length === 0) {
      const writer = this.#writers.get(name) ?? (await this.#started(kind, name));
      const dies = performance.now() > deathMs;
      const done = this.#step(name, this.#next(kind, name, random));
      if (dies) {
        await sleep(random.next() * (kind === 'spark' ? 1500 : 120));
        await writer.kill();
        this.#writers.delete(name);
        this.#count(name, 'kills');
        deathMs = performance.now() + LIFE[kind] * 2000 * random.next();
      }
      const patience = new AbortController();
      const hangs = sleep(PATIENCE_MS, undefined, { signal: patience.signal }).then(
        () => this.#problems.push(`${name} hangs`),
        () => undefined,
      );
      await Promise.race([done, hangs]);
      patience.abort();
    }
  }

  async #step(name: string, operation: Operation): Promise<void> {
    const writer = this.#writers.get(name);
    if (writer === undefined) return;
    const { outcome, why = '' } = await writer.run(operation);
    this.#ledger.note(operation, outcome);
    this.#count(name, outcome);
    if (outcome === 'committed') return;
    const reason = `${name} ${operation.do}: ${outcome}: ${why.split('\n')[0]?.slice(0, 160) ?? ''}`
      .replace(/[\da-f-]{30,}/g, '…')
      .replace(/\d+/g, '#');
    this.#reasons.set(reason, (this.#reasons.get(reason) ?? 0) + 1);
  }

  #next(kind: Kind, name: string, random: Random): Operation {
    const live = this.#ledger.live(name);
    const batch = live[random.int(live.length)];
    const dice = random.int(100);
    if (batch === undefined || (dice < 35 && live.length < LIVE_BATCHES_MOST)) {
      const partition = 'abc'[random.int(3)] ?? 'a';
      const id = `${name}-${String(this.#ledger.batches)}-${String(random.int(1e6))}-${partition}`;
      return { do: 'append', batch: id, rows: 1 + random.int(ROWS_MOST), v: random.int(1000) };
    }
    if (dice < 55) return { do: 'update', batch };
    if (dice < 75) return { do: 'delete', batch, of: 1 + random.int(3), rest: 0 };
    if (dice < 97) return { do: 'merge', batch, rows: 1 + random.int(ROWS_MOST), v: random.int(1000) };
    return kind === 'deltars' ? { do: 'update', batch } : { do: 'optimize' };
  }

  async #verify(): Promise<void> {
    const { say } = this.#options;
    const engine = this.#engine;
    if (engine === undefined) return;
    const ours = await this.#ours(engine);
    this.#note('sluice, anew', ours);
    for (const [name, writer] of this.#writers) this.#note(name, await writer.state());
    this.#problems.push(
      ...(await logProblems(engine, openStore(this.#options.place.location, this.#options.place.storage))),
    );
    const counts = [...this.#counts].map(
      ([name, { committed, refused, unknown, kills }]) =>
        `${name} ${String(committed)} done, ${String(refused)} lost, ${String(unknown)} unknown, ${String(kills)} kills`,
    );
    const state = this.#problems.length === 0 ? 'all agree' : `${String(this.#problems.length)} PROBLEMS`;
    say(`version ${String(await this.#version())}: ${String(ours.size)} batches, ${state}; ${counts.join('; ')}`);
    for (const problem of this.#problems.slice(0, 20)) say(`  ${problem}`);
  }

  #note(reader: string, found: ReadonlyMap<string, string>): void {
    this.#problems.push(...this.#ledger.problems(found).map((problem) => `${reader}: ${problem}`));
  }

  async #ours(engine: Engine): Promise<ReadonlyMap<string, string>> {
    const session = await engine.session();
    try {
      const snapshot = await this.#table(engine).snapshot();
      return new Map(
        Object.entries(stateOf(await session.rows(`${STATE} ${await snapshot.relation()} AS t GROUP BY b`))),
      );
    } finally {
      session.close();
    }
  }

  async #version(): Promise<bigint> {
    return this.#engine === undefined ? -1n : (await this.#table(this.#engine).snapshot()).version;
  }

  #table(engine: Engine): DeltaTable {
    const { location, storage } = this.#options.place;
    return DeltaTable.at(location, { engine, clock: systemClock, random: systemRandom, storage });
  }

  async #started(kind: Kind, name: string): Promise<Writer> {
    const { folder, place } = this.#options;
    const own = join(folder, name);
    await mkdir(own, { recursive: true });
    const { location, locations, env, sparkConf } = place;
    const options: WriterOptions = { name, kind, location: locations[kind] ?? location, folder: own, env, sparkConf };
    const writer = await Writer.start(options);
    this.#writers.set(name, writer);
    return writer;
  }

  #count(name: string, what: 'committed' | 'refused' | 'unknown' | 'kills'): void {
    const counts = this.#counts.get(name);
    if (counts !== undefined) counts[what]++;
  }

  #sortedReasons(): string[] {
    return [...this.#reasons].sort(([, a], [, b]) => b - a).map(([reason, n]) => `${String(n)} × ${reason}`);
  }
}
