/** Short tables for people: a heading, columns that line up, numbers to the right. */
import { displayWidth } from '../query/format/width.ts';
import type { Paint, Style } from './style.ts';

export interface TextColumn {
  readonly title: string;
  readonly align?: 'left' | 'right';
}

export interface Cell {
  readonly text: string;
  readonly paint: Paint;
}

/**
 * Lines of a table, each with its end of line. Colour is laid on after the widths are known.
 * @example textTable([{ title: 'name' }, { title: 'rows', align: 'right' }], [['gold.day', '31']], style)
 */
export function textTable(
  columns: readonly TextColumn[],
  rows: readonly (readonly (string | Cell)[])[],
  style: Style,
): string {
  const widths = columns.map(({ title }, i) =>
    Math.max(title.length, ...rows.map((row) => displayWidth(textOf(row[i] ?? '')))),
  );
  const line = (cells: readonly (string | Cell)[], paintAll?: Paint): string => {
    const padded = columns.map(({ align }, i) => {
      const cell = cells[i] ?? '';
      const text = textOf(cell);
      const space = ' '.repeat(Math.max(0, (widths[i] ?? 0) - displayWidth(text)));
      const painted = typeof cell === 'string' ? text : cell.paint(text);
      if (align === 'right') return space + painted;
      return i === columns.length - 1 ? painted : painted + space;
    });
    const joined = padded.join('  ').trimEnd();
    return `${paintAll === undefined ? joined : paintAll(joined)}\n`;
  };
  const heading = columns.map(({ title }) => title);
  return line(heading, style.dim) + rows.map((row) => line(row)).join('');
}

function textOf(cell: string | Cell): string {
  return typeof cell === 'string' ? cell : cell.text;
}
