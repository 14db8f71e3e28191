/**
 * A result as a box for people: types under the names, numbers to the right, NULL shown, the number of rows below.
 *
 * Promise: nothing in a value can break the box or reach the terminal as a control sequence. Widths follow the first rows
 * (1,000, or `maxRows` if fewer); with `maxWidth` the widest columns are cut and then those in the middle left out, and the
 * footer says so.
 */
import type { Column, ResultStream } from '../../engine/session.ts';
import type { Value } from '../../engine/values.ts';
import { toText } from './values.ts';
import { cutToWidth, displayWidth, visible } from './width.ts';
import type { Write } from './write.ts';

export interface TableOptions {
  /** Rows shown; the others are only counted. All by default. */
  readonly maxRows?: number;
  /** Characters in a line of the terminal. No limit by default. */
  readonly maxWidth?: number;
}

const WINDOW_ROWS = 1000;
/** A column is not cut below this. */
const MIN_WIDTH = 8;
const NUMERIC = /^(U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|FLOAT|DOUBLE|DECIMAL\(.*)$/;

interface Layout {
  /** Indexes of the columns that are shown; undefined stands for those left out. */
  readonly shown: readonly (number | undefined)[];
  readonly widths: readonly number[];
  /** Whether a cell that is wider than its column is cut, or else sticks out whole. */
  readonly cut: boolean;
}

export async function writeTable(result: ResultStream, write: Write, options: TableOptions): Promise<number> {
  const { columns } = result;
  const { maxRows = Infinity, maxWidth = Infinity } = options;
  let rows = 0;
  let window: string[][] = [];
  let layout: Layout | undefined;
  const flush = async (): Promise<Layout> => {
    let text = '';
    if (layout === undefined) {
      layout = layOut(columns, window, maxWidth);
      text = heading(columns, layout);
    }
    const known = layout;
    await write(text + window.map((cells) => line(cells, columns, known)).join(''));
    window = [];
    return known;
  };
  for await (const batch of result.batches()) {
    for (const row of batch) {
      if (rows < maxRows) window.push(columns.map((column, i) => cell(row[i] ?? null, column)));
      rows++;
      if (window.length >= WINDOW_ROWS) await flush();
    }
  }
  const last = await flush();
  await write(footer(last, rows, Math.min(rows, maxRows), columns.length));
  return rows;
}

function cell(value: Value, { type }: Column): string {
  return value === null ? 'NULL' : visible(toText(value, type));
}

/** DuckDB's name of the type, in lower case and short. */
function typeText({ duckdbType }: Column): string {
  const short = duckdbType.replaceAll('TIMESTAMP WITH TIME ZONE', 'TIMESTAMPTZ');
  return visible(short.includes('"') || short.includes('(') ? short.replace(/^[A-Z]+/, lower) : short.toLowerCase());
}

function lower(text: string): string {
  return text.toLowerCase();
}

function layOut(columns: readonly Column[], rows: readonly (readonly string[])[], maxWidth: number): Layout {
  const widths = columns.map((column, i) =>
    [visible(column.name), typeText(column), ...rows.map((row) => row[i] ?? '')].reduce(
      (widest, text) => Math.max(widest, displayWidth(text)),
      0,
    ),
  );
  const total = (list: readonly number[]): number => list.reduce((sum, width) => sum + width + 3, 1);
  while (total(widths) > maxWidth) {
    const widest = Math.max(...widths);
    if (widest <= MIN_WIDTH) break;
    const next = Math.max(MIN_WIDTH, ...widths.filter((width) => width < widest));
    const wide = widths.filter((width) => width === widest).length;
    const cut = Math.min(widest - next, Math.ceil((total(widths) - maxWidth) / wide));
    for (const [i, width] of widths.entries()) if (width === widest) widths[i] = width - cut;
  }
  const shown: (number | undefined)[] = columns.map((_, i) => i);
  const shownWidths = [...widths];
  for (let left = columns.length; total(shownWidths) > maxWidth && left > 1; left--) {
    const middle = shown.indexOf(undefined);
    if (middle < 0) {
      const at = Math.floor(left / 2);
      shown[at] = undefined;
      shownWidths[at] = 1;
    } else {
      const at = middle > shown.length - 1 - middle ? middle - 1 : middle + 1;
      shown.splice(at, 1);
      shownWidths.splice(at, 1);
    }
  }
  return { shown, widths: shownWidths, cut: maxWidth < Infinity };
}

function heading(columns: readonly Column[], layout: Layout): string {
  const names = columns.map(({ name }) => visible(name));
  const types = columns.map(typeText);
  return (
    rule('┌', '┬', '┐', layout) +
    line(names, columns, layout) +
    line(types, columns, layout) +
    rule('├', '┼', '┤', layout)
  );
}

function line(cells: readonly string[], columns: readonly Column[], { shown, widths, cut }: Layout): string {
  const padded = shown.map((index, i) => {
    const width = widths[i] ?? 0;
    const whole = index === undefined ? '…' : (cells[index] ?? '');
    const text = cut ? cutToWidth(whole, width) : whole;
    const space = ' '.repeat(Math.max(0, width - displayWidth(text)));
    const numeric = index !== undefined && NUMERIC.test(columns[index]?.duckdbType ?? '');
    return numeric ? space + text : text + space;
  });
  return `│ ${padded.join(' │ ')} │\n`;
}

function footer(layout: Layout, rows: number, shownRows: number, columns: number): string {
  const plural = (count: number, what: string): string =>
    `${count.toLocaleString('en-US')} ${what}${count === 1 ? '' : 's'}`;
  const shownColumns = layout.shown.filter((index) => index !== undefined).length;
  const parts = [
    plural(rows, 'row') + (shownRows < rows ? ` (${shownRows.toLocaleString('en-US')} shown)` : ''),
    ...(shownColumns < columns ? [`${plural(columns, 'column')} (${String(shownColumns)} shown)`] : []),
  ];
  const inside = layout.widths.reduce((sum, width) => sum + width + 3, -1);
  const text = ` ${parts.join(', ')} `;
  if (text.length > inside) return `${rule('└', '┴', '┘', layout)}${text.trim()}\n`;
  return `${rule('├', '┴', '┤', layout)}│${text.padEnd(inside)}│\n└${'─'.repeat(inside)}┘\n`;
}

function rule(left: string, between: string, right: string, { widths }: Layout): string {
  return `${left}${widths.map((width) => '─'.repeat(width + 2)).join(between)}${right}\n`;
}
