/** sluice itself: a project as a user would write it, run as `sluice run` runs it. */
import { join } from 'node:path';
import { systemClock } from '../../core/clock.ts';
import { systemRandom } from '../../core/random.ts';
import { Engine } from '../../engine/engine.ts';
import { loadProject } from '../../transforms/project.ts';
import { failureOf, runPipeline } from '../../transforms/run/run.ts';
import { childInput, finish, peakMiB, untilStopped } from '../child.ts';

export interface SluiceInput {
  readonly project: string;
  /** False: go on until told to stop. */
  readonly availableNow: boolean;
}

export interface SluiceResult {
  /** From just before `runPipeline` is called until the last commit was reported: connecting and joining included. */
  readonly runMs: number;
  readonly commits: number;
  readonly peakMiB: number;
}

const { project: folder, availableNow } = childInput() as SluiceInput;
const stop = new AbortController();
void untilStopped().then(() => {
  stop.abort();
});
const project = await loadProject(folder, {});
const engine = await Engine.open({
  memoryLimit: project.config.engine.memory_limit,
  threads: project.config.engine.threads,
  tempDir: join(project.root, '.spill'),
});
const startMs = performance.now();
let lastMs = startMs;
let commits = 0;
const summary = await runPipeline(project, {
  engine,
  clock: systemClock,
  random: systemRandom,
  signal: stop.signal,
  availableNow,
  onEvent: (event) => {
    if (event.kind !== 'batch_committed') return;
    lastMs = performance.now();
    commits++;
  },
});
const failure = failureOf(summary);
if (failure !== undefined) throw failure;
finish({ runMs: lastMs - startMs, commits, peakMiB: peakMiB() } satisfies SluiceResult);
