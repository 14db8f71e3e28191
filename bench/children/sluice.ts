/** sluice itself: projects as a user would write them, run one after the other as `sluice run` runs them. */
import { join } from 'node:path';
import { collectLessOften } from '../../cli/garbage.ts';
import { systemClock } from '../../core/clock.ts';
import { systemRandom } from '../../core/random.ts';
import { Engine } from '../../engine/engine.ts';
import { loadProject } from '../../transforms/project.ts';
import { failureOf, runPipeline } from '../../transforms/run/run.ts';
import { childInput, finish, peakMiB, resetPeak, untilStopped } from '../child.ts';

export interface SluiceInput {
  /** Their folders. */
  readonly projects: readonly string[];
  /** False: go on until told to stop. */
  readonly availableNow: boolean;
  /** With it, `peaksMiB` has the peak of each so many rows. */
  readonly peakPerRows?: number;
}

export interface SluiceResult {
  readonly runs: readonly SluiceRun[];
}

/** One project from its start to its end. */
export interface SluiceRun {
  /** From just before `runPipeline` is called until the last commit was reported: connecting and joining included. */
  readonly runMs: number;
  readonly commits: number;
  /** The peak of the process during this run. */
  readonly peakMiB: number;
  readonly peaksMiB: readonly number[];
}

collectLessOften();
const { projects, availableNow, peakPerRows = Number.POSITIVE_INFINITY } = childInput() as SluiceInput;
const stop = new AbortController();
void untilStopped().then(() => {
  stop.abort();
});

async function run(folder: string): Promise<SluiceRun> {
  const project = await loadProject(folder, {});
  const engine = await Engine.open({
    memoryLimit: project.config.engine.memory_limit,
    threads: project.config.engine.threads,
    tempDir: join(project.root, '.spill'),
  });
  const startMs = performance.now();
  let lastMs = startMs;
  let commits = 0;
  let rows = 0;
  const peaksMiB: number[] = [];
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
      rows += Number(event.rows);
      if (rows < (peaksMiB.length + 1) * peakPerRows) return;
      peaksMiB.push(peakMiB());
      resetPeak();
    },
  });
  engine.close();
  const failure = failureOf(summary);
  if (failure !== undefined) throw failure;
  return { runMs: lastMs - startMs, commits, peakMiB: Math.max(...peaksMiB, peakMiB()), peaksMiB };
}

const runs: SluiceRun[] = [];
for (const project of projects) {
  runs.push(await run(project));
  resetPeak();
}
finish({ runs } satisfies SluiceResult);
