/**
 * What the verbs of `sluice table` have in common: how they are declared, run and interrupted, and how they tell what they did.
 *
 * Promise: what is printed was done; stdout has the result alone, progress goes to stderr.
 */
import type { Command } from 'commander';
import { stringifyJson, type JsonObject } from '../../core/json.ts';
import type { Session } from '../../engine/session.ts';
import { watch } from '../../query/index.ts';
import { write, type Io } from '../io.ts';
import { withTable, type OpenTable } from '../open-table.ts';
import { progressLines } from '../progress/lines.ts';
import { QueryProgress } from '../progress/query.ts';
import { StepProgress, type Step } from '../progress/steps.ts';
import { stopOnSignals } from '../stop.ts';

/** What every command takes. */
export interface Globals {
  readonly project?: string;
}

/** Where a family of verbs is added. */
export interface Verbs {
  readonly io: Io;
  readonly globals: (command: Command) => Globals;
  /** A verb with a table as its first argument; the first example is shown in the help of `sluice table` too. */
  readonly add: (name: string, description: string, examples: readonly string[]) => Command;
}

export interface TableOptions extends Globals {
  /** `silver.orders`, or a path. */
  readonly name: string;
  readonly format: 'table' | 'json';
}

export interface Running {
  readonly signal: AbortSignal;
  /** For work that counts itself how far it is. */
  readonly onProgress?: (percent: number) => void;
  /** For work that says what it is at: how far that is, the session tells. */
  readonly onStep: (step: Step) => void;
}

/** A table that a verb works with, and how the work is watched. */
export interface AtWork extends OpenTable {
  readonly session: Session;
  readonly running: Running;
  /** Writes to stdout, in place of the progress line. */
  readonly print: (text: string) => Promise<void>;
}

/** Runs work with a table and a session, which the first Ctrl-C interrupts, and prints what the work says. */
export async function withSession(
  io: Io,
  options: Pick<TableOptions, 'project' | 'name'>,
  work: (open: OpenTable, session: Session, running: Running) => Promise<string>,
): Promise<void> {
  await atWork(io, options, async ({ print, session, running, ...open }) => print(await work(open, session, running)));
}

/** As `withSession`, for work that prints as it goes. */
export async function atWork(
  io: Io,
  options: Pick<TableOptions, 'project' | 'name'>,
  work: (at: AtWork) => Promise<void>,
): Promise<void> {
  await withTable(io, options, async (open) => {
    const session = await open.parts.engine.session();
    const progress = new QueryProgress(io);
    const { clock } = open.parts;
    const told = io.stderr.isTTY ? progress.callback() : { onProgress: progressLines(io, clock, options.name) };
    const steps = new StepProgress();
    const onStep = steps.begin.bind(steps);
    const watching = await watch(session, {
      clock,
      onLook: (percent, statement) => {
        const shown = steps.at(percent, statement);
        if (shown !== undefined) told.onProgress?.(shown.percent, shown.text);
      },
    });
    const stop = stopOnSignals(() => {
      session.interrupt();
    }, open.cleanUp);
    const print = async (text: string): Promise<void> => {
      progress.clear();
      await write(io.stdout, text);
    };
    try {
      await work({ ...open, session, running: { signal: stop.signal, onStep, ...told }, print });
    } finally {
      progress.clear();
      await watching.stop();
      stop.release();
      session.close();
    }
  });
}

/** What was done, for people in one line, for programs as one object. */
export function told(
  { name, format }: Pick<TableOptions, 'name' | 'format'>,
  version: bigint | undefined,
  facts: JsonObject,
  text: string,
): string {
  if (format === 'json') return `${stringifyJson({ table: name, version: version ?? null, ...facts })}\n`;
  return `${name}${version === undefined ? '' : `@${String(version)}`}: ${text}\n`;
}

/** Counts as a callback for percents takes them. */
export function percents(onProgress: Running['onProgress']): (done: number | bigint, all: number | bigint) => void {
  return (done, all) => onProgress?.(Number(all) === 0 ? 100 : (Number(done) / Number(all)) * 100);
}
