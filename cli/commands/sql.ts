/**
 * `sluice sql`: queries over the tables of the project, from the command line, a file, stdin or a prompt.
 *
 * Promise: stdout has the results and nothing else; rows are written as they come. Without a project `delta_scan('path')`
 * still works.
 */
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { text as textOf } from 'node:stream/consumers';
import { messageOf, SluiceError } from '../../core/errors.ts';
import type { Session } from '../../engine/session.ts';
import { lakeCatalog, openQueries, writeResult, type Catalog, type Format } from '../../query/index.ts';
import { schemeOf, type TableParts } from '../../tables/index.ts';
import { formatDuration } from '../format.ts';
import { resultLimits, write, type Io } from '../io.ts';
import { NO_TABLES } from '../open-table.ts';
import { packageVersion } from '../package.ts';
import { prompt } from '../prompt.ts';
import { QueryProgress } from '../progress/query.ts';
import { errorText, toSluiceError } from '../report-error.ts';
import { stopOnSignals } from '../stop.ts';
import { findProject, withEngine, type ProjectFolder } from '../workspace.ts';

export interface SqlOptions {
  readonly project?: string;
  readonly query?: string;
  readonly file?: string;
  readonly format: Format;
}

/** A way to the tables, and how to show what comes of them. */
interface Desk {
  readonly io: Io;
  readonly session: Session;
  readonly catalog: Catalog;
  readonly parts: TableParts;
  readonly format: Format;
}

/**
 * @throws SluiceError `USAGE` for a query given twice; `SQL_*`, `UNKNOWN_*`, `QUERY_FAILED`; `INTERRUPTED`. In the prompt
 *   failures are printed and the prompt goes on.
 */
export async function sql(io: Io, options: SqlOptions): Promise<void> {
  if (options.query !== undefined && options.file !== undefined) {
    throw new SluiceError('USAGE', 'there is a query on the command line and a file too', {
      advice: 'Give one of them.',
    });
  }
  const project = await findProject(io, options.project);
  const asked = options.query ?? (options.file === undefined ? undefined : await readQuery(io, options.file));
  const interactive = asked === undefined && io.stdin.isTTY && io.stdout.isTTY;
  const statements = asked ?? (interactive ? '' : await textOf(io.stdin));
  const file = options.file ?? (options.query === undefined ? 'stdin' : 'query');
  await withEngine(io, project, async (parts, cleanUp) => {
    const session = await parts.engine.session();
    const catalog = project === undefined ? NO_TABLES : lakeCatalog(project.lake, parts);
    const desk: Desk = { io, session, catalog, parts, format: options.format };
    try {
      if (interactive) {
        await converse(desk, project);
        return;
      }
      const stop = stopOnSignals(() => undefined, cleanUp);
      try {
        await answer(desk, statements, file, stop.signal);
      } finally {
        stop.release();
      }
    } finally {
      session.close();
    }
  });
}

/** Runs statements and writes what they give. */
async function answer(desk: Desk, statements: string, file: string, signal: AbortSignal): Promise<void> {
  const { io, session, catalog, parts, format } = desk;
  const progress = new QueryProgress(io);
  try {
    const queries = openQueries(session, statements, catalog, {
      ...parts,
      file,
      signal,
      ...progress.callback(),
    });
    for await (const query of queries) {
      const print = (text: string): Promise<void> => {
        progress.clear();
        return write(io.stdout, text);
      };
      await writeResult(query, format, print, resultLimits(io));
    }
  } catch (error) {
    if (!signal.aborted) throw error;
    throw new SluiceError('INTERRUPTED', 'the query was stopped', { cause: error });
  } finally {
    progress.clear();
  }
}

async function converse(desk: Desk, project: ProjectFolder | undefined): Promise<void> {
  const { io, parts, catalog } = desk;
  const { dim, bold } = io.style;
  const count = (await catalog.names()).length;
  const where =
    project === undefined
      ? "no project here: SELECT … FROM delta_scan('path') works"
      : `${String(count)} tables in ${schemeOf(project.lake) === undefined ? relative(io.cwd, project.lake) || '.' : project.lake}`;
  await write(
    io.stdout,
    `${bold(`sluice ${packageVersion()}`)}  ${dim(`${where}; a statement ends with ;  \\q leaves`)}\n`,
  );
  let running = new AbortController();
  await prompt({
    io,
    historyFile: join(io.env['HOME'] ?? homedir(), '.sluice_history'),
    interrupt: () => {
      running.abort();
    },
    run: async (statement) => {
      running = new AbortController();
      const startMs = parts.clock.nowMs();
      try {
        await answer(desk, statement, 'query', running.signal);
        io.stdout.write(`${dim(formatDuration(parts.clock.nowMs() - startMs))}\n`);
      } catch (error) {
        io.stderr.write(errorText(toSluiceError(error), { style: io.errorStyle, debug: false }));
      }
    },
  });
}

async function readQuery(io: Io, file: string): Promise<string> {
  try {
    return await readFile(resolve(io.cwd, file), 'utf8');
  } catch (error) {
    throw new SluiceError('USAGE', `cannot read ${file}: ${messageOf(error)}`, {
      advice: 'Name a file with SQL in it after -f.',
      facts: { file },
      cause: error,
    });
  }
}
