/** `sluice tables`: what there is in the lake. */
import { SluiceError } from '../../core/errors.ts';
import { stringifyJson } from '../../core/json.ts';
import { formatBytes, formatCount, formatTime } from '../format.ts';
import { write, type Io } from '../io.ts';
import { toSluiceError } from '../report-error.ts';
import { textTable } from '../text-table.ts';
import { withTables } from '../workspace.ts';

export interface TablesOptions {
  readonly project?: string;
  readonly format: 'table' | 'json';
}

interface TableLine {
  readonly name: string;
  readonly version: bigint;
  /** Undefined when some file of the table has no statistics. */
  readonly rows: bigint | undefined;
  readonly files: number;
  readonly bytes: bigint;
  readonly committedMs: number;
}

/**
 * Lists the tables. One that cannot be read does not hide the others: they are listed, then the failure is thrown.
 * @throws SluiceError `CONFIG_INVALID`, `LOG_*`, `UNSUPPORTED_FEATURE`
 */
export async function tables(io: Io, options: TablesOptions): Promise<void> {
  await withTables(io, options.project, async ({ catalog, lake }) => {
    const found: TableLine[] = [];
    const failures: SluiceError[] = [];
    for (const name of await catalog.names()) {
      try {
        const snapshot = await (await catalog.open(name))?.snapshot();
        if (snapshot === undefined) continue;
        const { version, rows, files, bytes, timestampMs } = snapshot;
        found.push({ name, version, rows, files: files.length, bytes, committedMs: timestampMs });
      } catch (error) {
        failures.push(toSluiceError(error));
      }
    }
    await write(io.stdout, options.format === 'json' ? asJson(found) : asText(io, lake, found));
    const [first, ...others] = failures;
    if (first === undefined) return;
    if (others.length === 0) throw first;
    throw new SluiceError(first.code, failures.map((failure) => failure.message).join('\n'), {
      ...(first.advice === undefined ? {} : { advice: first.advice }),
      cause: first,
    });
  });
}

function asJson(found: readonly TableLine[]): string {
  const lines = found.map(({ committedMs, rows, ...line }) => ({
    ...line,
    rows: rows ?? null,
    last_commit: new Date(committedMs).toISOString(),
  }));
  return `[${lines.map((line) => `\n  ${stringifyJson(line)}`).join(',')}${lines.length === 0 ? '' : '\n'}]\n`;
}

function asText(io: Io, lake: string, found: readonly TableLine[]): string {
  if (found.length === 0) return `no tables in ${lake} yet: \`sluice run --available-now\` makes them\n`;
  return textTable(
    [
      { title: 'table' },
      { title: 'version', align: 'right' },
      { title: 'rows', align: 'right' },
      { title: 'files', align: 'right' },
      { title: 'size', align: 'right' },
      { title: 'last commit (UTC)' },
    ],
    found.map((line) => [
      { text: line.name, paint: io.style.bold },
      String(line.version),
      line.rows === undefined ? '?' : formatCount(line.rows),
      formatCount(line.files),
      formatBytes(line.bytes),
      formatTime(line.committedMs),
    ]),
    io.style,
  );
}
