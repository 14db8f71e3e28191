/** `sluice run`: the pipeline, until it is stopped or, with --available-now, until everything there is has been read. */
import { SluiceError } from '../../core/errors.ts';
import { stringifyJson } from '../../core/json.ts';
import { loadProject } from '../../transforms/project.ts';
import type { FlowSummary, RunEvent, RunSummary } from '../../transforms/run/events.ts';
import { failureOf, runPipeline } from '../../transforms/run/run.ts';
import { formatCount, formatDuration, plural } from '../format.ts';
import { write, type Io } from '../io.ts';
import { errorJson, JsonReporter } from '../progress/json.ts';
import { LiveReporter } from '../progress/live.ts';
import { PlainReporter } from '../progress/plain.ts';
import type { Reporter } from '../progress/reporter.ts';
import { RunState } from '../progress/state.ts';
import { stopOnSignals } from '../stop.ts';
import { textTable } from '../text-table.ts';
import { ToldError } from '../report-error.ts';
import { requireProject, withEngine } from '../workspace.ts';

export interface RunCommandOptions {
  readonly project?: string;
  readonly availableNow: boolean;
  readonly format: 'table' | 'json';
}

/**
 * Runs the pipeline of a project and shows how it goes.
 * @throws SluiceError what the project or its flows failed with; `INTERRUPTED` when --available-now was stopped before its end
 */
export async function run(io: Io, options: RunCommandOptions): Promise<void> {
  const folder = await requireProject(io, options.project);
  const project = await loadProject(folder.root, io.env);
  await withEngine(io, folder, async (parts, cleanUp) => {
    const { clock } = parts;
    const state = new RunState(clock);
    const reporter = reporterFor(io, options, state, parts.clock);
    const stop = stopOnSignals(() => {
      reporter.note('stopping: what is being written is let through (again to force)');
    }, cleanUp);
    const startMs = clock.nowMs();
    let summary: RunSummary;
    try {
      summary = await runPipeline(project, {
        ...parts,
        signal: stop.signal,
        availableNow: options.availableNow,
        onEvent: (event: RunEvent) => {
          state.apply(event);
          reporter.event(event);
        },
      });
    } finally {
      reporter.close();
      stop.release();
    }
    await write(
      io.stdout,
      options.format === 'json' ? summaryJson(summary) : summaryText(io, summary, state, clock.nowMs() - startMs),
    );
    throwFailure(summary, options.format);
    if (options.availableNow && summary.flows.some((flow) => flow.status === 'stopped')) {
      throw new SluiceError('INTERRUPTED', 'stopped before everything there is had been read', {
        advice: 'Nothing is lost: run again, and it goes on where it stopped.',
      });
    }
  });
}

/** Failures of one kind have the exit code of that kind, however many flows they stopped. */
function throwFailure(summary: RunSummary, format: RunCommandOptions['format']): void {
  const [first, ...others] = summary.flows.flatMap(({ error }) => error ?? []);
  if (first === undefined) return;
  const ofOneKind = others.every(({ exitCode }) => exitCode === first.exitCode);
  const failure = ofOneKind ? first : (failureOf(summary) ?? first);
  throw ofOneKind && format === 'table' ? new ToldError(failure) : failure;
}

function reporterFor(
  io: Io,
  options: RunCommandOptions,
  state: RunState,
  clock: ConstructorParameters<typeof RunState>[0],
): Reporter {
  if (options.format === 'json') return new JsonReporter(io, clock);
  return io.stderr.isTTY ? new LiveReporter(io, state) : new PlainReporter(io, state, clock);
}

function summaryJson(summary: RunSummary): string {
  const flows = summary.flows.map(({ error, ...flow }) => ({
    ...flow,
    ...(error === undefined ? {} : { error: errorJson(error) }),
  }));
  return `${stringifyJson({ kind: 'summary', flows })}\n`;
}

function summaryText(io: Io, summary: RunSummary, state: RunState, totalMs: number): string {
  const { style } = io;
  const paint: Readonly<Record<FlowSummary['status'], (text: string) => string>> = {
    completed: style.green,
    failed: style.red,
    stopped: style.yellow,
  };
  const table = textTable(
    [
      { title: 'flow' },
      { title: 'status' },
      { title: 'rows', align: 'right' },
      { title: 'quarantined', align: 'right' },
      { title: 'commits', align: 'right' },
      { title: 'time', align: 'right' },
    ],
    summary.flows.map((flow) => {
      const known = state.flows.get(flow.flow);
      const status = flow.error === undefined ? flow.status : `${flow.status} (${flow.error.code})`;
      return [
        { text: flow.flow, paint: style.bold },
        { text: status, paint: paint[flow.status] },
        formatCount(flow.rows),
        formatCount(flow.quarantined),
        formatCount(flow.commits),
        known === undefined ? '' : formatDuration(known.lastMs - known.startedMs),
      ];
    }),
    style,
  );
  return `${table}${style.dim(`${plural(summary.flows.length, 'flow')} in ${formatDuration(totalMs)}`)}\n`;
}
