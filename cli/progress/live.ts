/**
 * The run on a terminal: one line for each flow, drawn again in place a few times a second.
 *
 * Promise: whatever else is told in between (a retry, a failure) stays above the lines and is not overdrawn; the cursor and
 * the line wrapping are given back at the end.
 */
import type { Io } from '../io.ts';
import { errorText } from '../report-error.ts';
import { formatCount } from '../format.ts';
import { textTable, type Cell, type TextColumn } from '../text-table.ts';
import type { Reporter } from './reporter.ts';
import type { FlowState, RunState } from './state.ts';
import type { RunEvent } from '../../transforms/run/events.ts';

const REDRAW_MS = 150;
const [WRAP_OFF, WRAP_ON, CLEAR_BELOW] = ['\u001b[?7l', '\u001b[?7h', '\u001b[J'];

const COLUMNS: readonly TextColumn[] = [
  { title: '' },
  { title: 'flow' },
  { title: 'rows', align: 'right' },
  { title: 'rows/s', align: 'right' },
  { title: 'dropped', align: 'right' },
  { title: 'quarantined', align: 'right' },
  { title: 'version', align: 'right' },
  { title: 'state' },
];

export class LiveReporter implements Reporter {
  readonly #io: Io;
  readonly #state: RunState;
  readonly #timer: NodeJS.Timeout;
  #drawn = 0;

  constructor(io: Io, state: RunState) {
    this.#io = io;
    this.#state = state;
    this.#timer = setInterval(() => {
      this.#draw();
    }, REDRAW_MS);
    this.#timer.unref();
  }

  event(event: RunEvent): void {
    const { errorStyle: style } = this.#io;
    if (event.kind === 'flow_retrying') {
      this.note(
        `${style.yellow(`${event.flow}: trying again in ${(event.inMs / 1000).toFixed(1)} s`)}\n` +
          errorText(event.error, { style, debug: false }).trimEnd(),
      );
    }
    if (event.kind === 'compaction_failed') {
      this.note(
        `${style.yellow(`${event.table}: compaction failed; its rows are as they were`)}\n${errorText(event.error, { style, debug: false }).trimEnd()}`,
      );
    }
    if (event.kind === 'flow_failed') {
      this.note(`${style.red(`${event.flow} failed`)}\n${errorText(event.error, { style, debug: false }).trimEnd()}`);
    }
  }

  note(text: string): void {
    this.#erase();
    this.#io.stderr.write(`${text}\n`);
    this.#draw();
  }

  close(): void {
    clearInterval(this.#timer);
    this.#draw();
  }

  #draw(): void {
    const { stderr, errorStyle } = this.#io;
    const room = Math.max(1, stderr.rows - 3);
    const flows = [...this.#state.flows.values()];
    const rows = flows.slice(0, room).map((flow) => this.#row(flow));
    const left = flows.length - rows.length;
    const lines = textTable(COLUMNS, rows, errorStyle) + (left > 0 ? `… and ${String(left)} more\n` : '');
    this.#erase();
    stderr.write(`${WRAP_OFF}${lines}${WRAP_ON}`);
    this.#drawn = lines.split('\n').length - 1;
  }

  #erase(): void {
    if (this.#drawn > 0) this.#io.stderr.write(`\u001b[${String(this.#drawn)}A\r${CLEAR_BELOW}`);
    this.#drawn = 0;
  }

  #row(flow: FlowState): (string | Cell)[] {
    const style = this.#io.errorStyle;
    const mark = {
      starting: { text: '○', paint: style.dim },
      running: { text: '●', paint: style.green },
      idle: { text: '○', paint: style.green },
      retrying: { text: '●', paint: style.yellow },
      failed: { text: '✗', paint: style.red },
      done: { text: '✓', paint: style.green },
    }[flow.phase];
    const rate = this.#state.rate(flow);
    const count = (value: bigint): string => (value === 0n ? '' : formatCount(value));
    return [
      mark,
      flow.flow,
      formatCount(flow.rows),
      flow.phase === 'done' || rate === 0 ? '' : formatCount(Math.round(rate)),
      count(flow.dropped),
      { text: count(flow.quarantined), paint: style.yellow },
      flow.version === undefined ? '' : String(flow.version),
      { text: flow.phase, paint: mark.paint },
    ];
  }
}
