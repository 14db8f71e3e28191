/** What is known of each flow while a run goes on, gathered from its events: what the live view and the summary show. */
import type { Clock } from '../../core/clock.ts';
import type { RunEvent } from '../../transforms/run/events.ts';

export type FlowPhase = 'starting' | 'running' | 'idle' | 'retrying' | 'failed' | 'done';

export interface FlowState {
  readonly flow: string;
  phase: FlowPhase;
  rows: bigint;
  quarantined: bigint;
  dropped: bigint;
  commits: number;
  version: bigint | undefined;
  readonly startedMs: number;
  /** The last moment at which it did anything. */
  lastMs: number;
  /** Commits of the last few seconds, for the rate. */
  recent: readonly { readonly atMs: number; readonly rows: bigint }[];
}

const RATE_WINDOW_MS = 5000;

export class RunState {
  readonly flows = new Map<string, FlowState>();
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  apply(event: RunEvent): void {
    if (!('flow' in event)) return;
    const state = this.#of(event.flow);
    state.lastMs = this.#clock.nowMs();
    switch (event.kind) {
      case 'flow_started':
        return;
      case 'batch_committed':
        state.phase = 'running';
        state.rows += event.rows;
        state.quarantined += event.quarantined;
        state.dropped += event.dropped;
        state.commits++;
        state.version = event.version;
        state.recent = [...this.#fresh(state), { atMs: state.lastMs, rows: event.rows }];
        return;
      case 'flow_idle':
        state.phase = 'idle';
        return;
      case 'flow_retrying':
        state.phase = 'retrying';
        return;
      case 'flow_failed':
        state.phase = 'failed';
        return;
      case 'flow_finished':
        state.phase = 'done';
    }
  }

  /** Rows per second over the last few seconds. */
  rate(state: FlowState): number {
    const fresh = this.#fresh(state);
    const rows = fresh.reduce((sum, entry) => sum + Number(entry.rows), 0);
    const elapsedMs = Math.min(RATE_WINDOW_MS, Math.max(1000, this.#clock.nowMs() - state.startedMs));
    return (rows * 1000) / elapsedMs;
  }

  #fresh(state: FlowState): FlowState['recent'] {
    const since = this.#clock.nowMs() - RATE_WINDOW_MS;
    return state.recent.filter((entry) => entry.atMs > since);
  }

  #of(flow: string): FlowState {
    const known = this.flows.get(flow);
    if (known !== undefined) return known;
    const nowMs = this.#clock.nowMs();
    const state: FlowState = {
      flow,
      phase: 'starting',
      rows: 0n,
      quarantined: 0n,
      dropped: 0n,
      commits: 0,
      version: undefined,
      startedMs: nowMs,
      lastMs: nowMs,
      recent: [],
    };
    this.flows.set(flow, state);
    return state;
  }
}
