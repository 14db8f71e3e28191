/** The run for a machine: each event as one line of JSON on stdout, the summary as the last one. */
import { stringifyJson, type JsonObject } from '../../core/json.ts';
import type { SluiceError } from '../../core/errors.ts';
import type { Clock } from '../../core/clock.ts';
import type { RunEvent } from '../../transforms/run/events.ts';
import type { Io } from '../io.ts';
import type { Reporter } from './reporter.ts';

export class JsonReporter implements Reporter {
  readonly #io: Io;
  readonly #clock: Clock;

  constructor(io: Io, clock: Clock) {
    this.#io = io;
    this.#clock = clock;
  }

  event(event: RunEvent): void {
    if (event.kind === 'flow_idle') return;
    const at = new Date(this.#clock.nowMs()).toISOString();
    const members = 'error' in event ? { ...event, error: errorJson(event.error) } : event;
    this.#io.stdout.write(`${stringifyJson({ at, ...members })}\n`);
  }

  note(text: string): void {
    this.#io.stderr.write(`${text}\n`);
  }

  close(): void {
    // Nothing is held back.
  }
}

/** An error as JSON: its code, its words, and its facts. */
export function errorJson(error: SluiceError): JsonObject {
  return { code: error.code, message: error.message, advice: error.advice, facts: { ...error.facts } };
}
