/**
 * One flow in a run: set up, run, tried again after a failure, summed up.
 *
 * Promise: its source and session are closed however it ends, and no attempt relies on what an earlier one left in memory.
 */
import type { Clock } from '../../core/clock.ts';
import type { SluiceError } from '../../core/errors.ts';
import type { Random } from '../../core/random.ts';
import type { StructType } from '../../core/schema.ts';
import type { Engine } from '../../engine/engine.ts';
import type { Session } from '../../engine/session.ts';
import type { Flow, Project } from '../project.ts';
import type { FlowSummary, RunEvent } from './events.ts';
import type { Lake } from './lake.ts';
import { refresh } from './materialized.ts';
import { asSluiceError, retryInMs } from './retry.ts';
import type { Signals } from '../../core/signals.ts';
import { openSource } from './open-source.ts';
import { prepareQuarantine, prepareTable } from './prepare.ts';
import { quarantined } from '../resolve.ts';
import { stageWith } from './stage.ts';
import { stream } from './streaming.ts';

export interface FlowRunParts {
  readonly project: Project;
  readonly flow: Flow;
  readonly schema: StructType;
  readonly lake: Lake;
  readonly engine: Engine;
  readonly clock: Clock;
  readonly random: Random;
  readonly signal: AbortSignal;
  readonly signals: Signals;
  readonly availableNow: boolean;
  readonly onEvent: (event: RunEvent) => void;
  /** The flows of this run that make this flow's inputs. */
  readonly upstream: readonly FlowRun[];
}

/** How often an idle flow looks for versions that other writers made. */
const POLL_MS = 1000;
/** A view whose inputs never rest is refreshed once in this time at most, and for a fifth of the time. */
const PAUSE_MS = 500;
const REST = 4;

export class FlowRun {
  readonly flow: Flow;
  readonly #parts: FlowRunParts;
  #ended = false;
  #failed = false;
  #rows = 0n;
  #quarantined = 0n;
  #commits = 0;

  constructor(parts: FlowRunParts) {
    this.flow = parts.flow;
    this.#parts = parts;
  }

  get active(): boolean {
    return !this.#ended;
  }

  /** Runs the flow to its end; failures are in the summary, never thrown. */
  async supervise(): Promise<FlowSummary> {
    const { flow, signal, clock, random, onEvent, availableNow } = this.#parts;
    onEvent({ kind: 'flow_started', flow: flow.target });
    let failures = 0;
    for (;;) {
      const commitsBefore = this.#commits;
      try {
        const done = await this.#attempt();
        if (done) onEvent({ kind: 'flow_finished', flow: flow.target, rows: this.#rows });
        return this.#end(done ? 'completed' : 'stopped');
      } catch (thrown) {
        if (signal.aborted) return this.#end('stopped');
        const error = asSluiceError(thrown, flow.target);
        failures = this.#commits > commitsBefore ? 1 : failures + 1;
        const inMs = retryInMs(error, failures, random.next(), { availableNow, progressed: this.#commits > 0 });
        if (inMs === undefined) {
          onEvent({ kind: 'flow_failed', flow: flow.target, error });
          return this.#end('failed', error);
        }
        onEvent({ kind: 'flow_retrying', flow: flow.target, error, inMs });
        try {
          await clock.sleep(inMs, signal);
        } catch {
          return this.#end('stopped');
        }
      }
    }
  }

  /** @returns false when it was stopped before its work was done. */
  async #attempt(): Promise<boolean> {
    const session = await this.#parts.engine.session();
    try {
      return this.flow.kind === 'streaming_table' ? await this.#streaming(session) : await this.#materialized(session);
    } finally {
      session.close();
    }
  }

  async #streaming(session: Session): Promise<boolean> {
    const { flow, lake, schema, project, signal, clock, availableNow } = this.#parts;
    const target = lake.table(flow.target);
    const quarantine = lake.quarantineOf(flow.target);
    await prepareTable(target, flow, schema);
    if (flow.source?.kind !== 'table') await prepareQuarantine(quarantine);
    this.#parts.signals.notify();
    if (!(await this.#readsAreReady())) return false;
    const idleMs = (): number => (availableNow && this.#upstreamEnded() ? 0 : POLL_MS);
    const { source, decode } = await openSource({ ...this.#parts, target, idleMs });
    try {
      const { ingest } = project.config;
      await stream({
        landing: {
          flow: flow.target,
          target,
          quarantine,
          schema,
          partitionColumns: flow.partitionedBy,
          stage: stageWith({ session, flow, schema, target, quarantine, decode, tables: () => this.#pinned() }),
        },
        source,
        limits: { rows: ingest.max_batch_rows, bytes: ingest.max_batch_bytes, flushMs: ingest.flush_ms },
        clock,
        signal,
        onEvent: (event) => {
          this.#tell(event);
        },
        finished: async (from) => {
          const upstreamEnded = this.#upstreamEnded();
          return availableNow && upstreamEnded && (await source.exhausted(from));
        },
      });
      return !signal.aborted;
    } finally {
      await source.close();
    }
  }

  async #materialized(session: Session): Promise<boolean> {
    const { flow, lake, schema, signal, signals, clock, availableNow } = this.#parts;
    const inputs = new Map(flow.reads.map((name) => [name, lake.table(name)]));
    const interrupt = (): void => {
      session.interrupt();
    };
    signal.addEventListener('abort', interrupt);
    try {
      for (;;) {
        const seen = signals.count;
        if (!(await this.#readsAreReady())) return false;
        const startMs = clock.nowMs();
        const target = lake.table(flow.target);
        const onEvent = (event: RunEvent): void => {
          this.#tell(event);
        };
        const committed = await refresh({ flow, session, schema, target, inputs, clock, onEvent });
        if (availableNow) return true;
        this.#tell({ kind: 'flow_idle', flow: flow.target });
        const pauseMs = committed ? Math.max(PAUSE_MS, REST * (clock.nowMs() - startMs)) : 0;
        await clock.sleep(pauseMs, signal);
        await signals.after(seen, POLL_MS, signal);
      }
    } finally {
      signal.removeEventListener('abort', interrupt);
    }
  }

  /**
   * Waits for the tables that are read whole: until they are there, and in a run with an end until they are complete.
   * @returns false when one of them will not be, since the flow that makes it has failed.
   * @throws the reason of the signal when aborted.
   */
  async #readsAreReady(): Promise<boolean> {
    const { flow, lake, signal, signals, availableNow } = this.#parts;
    const makers = this.#parts.upstream.filter(({ flow: { target } }) =>
      flow.reads.some((name) => (quarantined(name) ?? name) === target || name === target),
    );
    for (;;) {
      const seen = signals.count;
      const ended = makers.every((run) => run.#ended);
      if (availableNow && ended) return !makers.some((run) => run.#failed);
      const there = await Promise.all(flow.reads.map((name) => lake.table(name).exists()));
      if (!availableNow && there.every(Boolean)) return true;
      await signals.after(seen, POLL_MS, signal);
    }
  }

  /** The tables that a streaming flow reads whole beside its stream, as they are now. */
  async #pinned(): Promise<ReadonlyMap<string, string>> {
    const relations = new Map<string, string>();
    for (const name of this.flow.reads) {
      relations.set(name, await (await this.#parts.lake.table(name).snapshot()).relation());
    }
    return relations;
  }

  #upstreamEnded(): boolean {
    return this.#parts.upstream.every((run) => run.#ended);
  }

  #tell(event: RunEvent): void {
    if (event.kind === 'batch_committed') {
      this.#rows += event.rows;
      this.#quarantined += event.quarantined;
      this.#commits++;
    }
    this.#parts.onEvent(event);
  }

  #end(status: FlowSummary['status'], error?: SluiceError): FlowSummary {
    this.#ended = true;
    this.#failed = status !== 'completed';
    const counts = { rows: this.#rows, quarantined: this.#quarantined, commits: this.#commits };
    return { flow: this.flow.target, status, ...counts, ...(error === undefined ? {} : { error }) };
  }
}
