/**
 * A whole pipeline: every flow at once, each on a session of its own, each waiting for nothing but its own inputs.
 *
 * Promise: a flow that fails is tried again with growing pauses and stops nothing that does not depend on it. With
 * `availableNow` the run ends when every source is read to the end it had and everything derived is fresh.
 */
import { setMaxListeners } from 'node:events';
import type { Clock } from '../../core/clock.ts';
import { SluiceError } from '../../core/errors.ts';
import type { Random } from '../../core/random.ts';
import type { Engine } from '../../engine/engine.ts';
import { checkProject } from '../check.ts';
import type { Project } from '../project.ts';
import { quarantined } from '../resolve.ts';
import type { RunEvent, RunSummary } from './events.ts';
import { FlowRun } from './flow-run.ts';
import { Lake } from './lake.ts';
import { Signals } from '../../core/signals.ts';

export interface RunOptions {
  readonly engine: Engine;
  readonly clock: Clock;
  readonly random: Random;
  /** Aborted to stop: what is being committed is let through, nothing else. */
  readonly signal: AbortSignal;
  /** End when everything there is has been read, instead of waiting for more. */
  readonly availableNow: boolean;
  readonly onEvent?: (event: RunEvent) => void;
}

/**
 * Runs a project.
 * @returns what became of each flow; failures of single flows are in there, not thrown.
 * @throws SluiceError when the project itself is wrong (`SQL_*`, `UNKNOWN_*`, `CYCLE` …): then nothing was run.
 * @example await runPipeline(project, { engine, clock: systemClock, random: systemRandom, signal, availableNow: true })
 */
export async function runPipeline(project: Project, options: RunOptions): Promise<RunSummary> {
  const { engine, clock, random, availableNow } = options;
  const signal = AbortSignal.any([options.signal]);
  setMaxListeners(0, signal);
  const checked = await checkProject(project, engine);
  const signals = new Signals(clock);
  const idle = new Set<string>();
  const runs = new Map<string, FlowRun>();
  const tell = (event: RunEvent): void => {
    options.onEvent?.(event);
    if (event.kind === 'batch_committed') {
      idle.clear();
      signals.notify();
    }
    if (event.kind === 'flow_idle' && !idle.has(event.flow)) {
      idle.add(event.flow);
      const streaming = [...runs.values()].filter((run) => run.active);
      if (streaming.every((run) => idle.has(run.flow.target))) options.onEvent?.({ kind: 'caught_up' });
    }
  };
  const lake = new Lake(project, { engine, clock, random }, tell);
  const stopTidying = (): void => void lake.settle(true);
  signal.addEventListener('abort', stopTidying);
  for (const { flow, schema } of checked) {
    const upstream = [...flow.reads, ...(flow.source?.kind === 'table' ? [flow.source.table] : [])];
    runs.set(
      flow.target,
      new FlowRun({
        project,
        flow,
        schema,
        lake,
        engine,
        clock,
        random,
        signal,
        signals,
        availableNow,
        onEvent: tell,
        upstream: upstream.flatMap((name) => runs.get(name) ?? runs.get(quarantined(name) ?? '') ?? []),
      }),
    );
  }
  const flows = await Promise.all(
    [...runs.values()].map(async (run) => {
      const summary = await run.supervise();
      signals.notify();
      return summary;
    }),
  );
  await lake.settle(signal.aborted);
  signal.removeEventListener('abort', stopTidying);
  return { flows };
}

/**
 * The one error that a finished run amounts to, for an exit code: the flow's own when only one failed.
 * @returns undefined when no flow failed.
 */
export function failureOf(summary: RunSummary): SluiceError | undefined {
  const failed = summary.flows.flatMap((flow) =>
    flow.error === undefined ? [] : [{ flow: flow.flow, error: flow.error }],
  );
  const [first, second] = failed;
  if (first === undefined) return undefined;
  if (second === undefined) return first.error;
  return new SluiceError(
    'FLOWS_FAILED',
    `${String(failed.length)} of ${String(summary.flows.length)} flows failed: ${failed.map(({ flow, error }) => `${flow} (${error.code})`).join(', ')}`,
    {
      advice:
        'Each is told above. What they had committed before is in their tables; run again when the cause is mended.',
      facts: { flows: failed.map(({ flow }) => flow) },
      cause: first.error,
    },
  );
}
