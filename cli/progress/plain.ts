/**
 * The run in a log: a line for what happens, with its time.
 *
 * Promise: a flow writes one line a second for its commits at most; what was left out is counted in the next one, and
 * starts, ends and failures are always told.
 */
import type { Clock } from '../../core/clock.ts';
import type { RunEvent } from '../../transforms/run/events.ts';
import { formatCount, formatDuration, plural } from '../format.ts';
import type { Io } from '../io.ts';
import { errorText } from '../report-error.ts';
import type { Reporter } from './reporter.ts';
import type { RunState } from './state.ts';

const EVERY_MS = 1000;

type Committed = Extract<RunEvent, { kind: 'batch_committed' }>;

interface Pending {
  toldMs: number;
  rows: bigint;
  commits: number;
  last: Committed | undefined;
}

export class PlainReporter implements Reporter {
  readonly #io: Io;
  readonly #state: RunState;
  readonly #clock: Clock;
  readonly #pending = new Map<string, Pending>();
  #news = false;

  constructor(io: Io, state: RunState, clock: Clock) {
    this.#io = io;
    this.#state = state;
    this.#clock = clock;
  }

  event(event: RunEvent): void {
    switch (event.kind) {
      case 'flow_started':
        this.note(`${event.flow}: started`);
        return;
      case 'batch_committed':
        this.#news = true;
        this.#commit(event);
        return;
      case 'flow_idle':
        this.#flush(event.flow);
        return;
      case 'flow_retrying':
        this.#flush(event.flow);
        this.note(`${event.flow}: failed, trying again in ${formatDuration(event.inMs)}`);
        this.#error(event.error);
        return;
      case 'flow_failed':
        this.#flush(event.flow);
        this.note(`${event.flow}: failed`);
        this.#error(event.error);
        return;
      case 'flow_finished':
        this.#flush(event.flow);
        this.note(`${event.flow}: done, ${plural(event.rows, 'row')}`);
        return;
      case 'table_compacted':
        this.note(
          `${event.table}: version ${String(event.version)}, ${plural(event.filesRemoved, 'small file')} became ${formatCount(event.filesAdded)}`,
        );
        return;
      case 'compaction_failed':
        this.note(`${event.table}: compaction failed; its rows are as they were`);
        this.#error(event.error);
        return;
      case 'caught_up':
        if (this.#news) this.note('caught up with all sources');
        this.#news = false;
    }
  }

  note(text: string): void {
    this.#io.stderr.write(`${new Date(this.#clock.nowMs()).toISOString()} ${text}\n`);
  }

  close(): void {
    for (const flow of this.#pending.keys()) this.#flush(flow);
  }

  #commit(event: Committed): void {
    const pending = this.#pending.get(event.flow) ?? { toldMs: 0, rows: 0n, commits: 0, last: undefined };
    this.#pending.set(event.flow, pending);
    pending.rows += event.rows;
    pending.commits++;
    pending.last = event;
    if (this.#clock.nowMs() - pending.toldMs >= EVERY_MS) this.#flush(event.flow);
  }

  #flush(flow: string): void {
    const pending = this.#pending.get(flow);
    if (pending?.last === undefined) return;
    const { version, durationMs } = pending.last;
    const state = this.#state.flows.get(flow);
    const extra = [
      ...(pending.commits > 1 ? [`${String(pending.commits)} commits`] : [formatDuration(durationMs)]),
      ...(state === undefined ? [] : [`${plural(state.rows, 'row')} in all`]),
      ...(state !== undefined && state.dropped > 0n ? [`${formatCount(state.dropped)} dropped`] : []),
      ...(state !== undefined && state.quarantined > 0n ? [`${formatCount(state.quarantined)} quarantined`] : []),
    ];
    this.note(`${flow}: version ${String(version)}, +${plural(pending.rows, 'row')} (${extra.join(', ')})`);
    Object.assign(pending, { toldMs: this.#clock.nowMs(), rows: 0n, commits: 0, last: undefined });
  }

  #error(error: Parameters<typeof errorText>[0]): void {
    this.#io.stderr.write(errorText(error, { style: this.#io.errorStyle, debug: false }));
  }
}
