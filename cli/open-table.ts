/** A table that a command names: one of the project's, or any by its path. */
import { SluiceError } from '../core/errors.ts';
import { nameAdvice } from '../core/suggest.ts';
import { lakeCatalog, type Catalog } from '../query/index.ts';
import { DeltaTable, locationBelow, locationFrom, type TableParts } from '../tables/index.ts';
import type { Io } from './io.ts';
import { findProject, requireProject, withEngine } from './workspace.ts';

export interface OpenTable {
  readonly table: DeltaTable;
  readonly parts: TableParts;
  /** The tables of the project; none where there is no project. */
  readonly catalog: Catalog;
  /** Another table by its name or path; it need not be there. */
  readonly other: (name: string) => DeltaTable;
  /** For an end by force. */
  readonly cleanUp: () => void;
}

/** For work outside of a project. */
export const NO_TABLES: Catalog = { names: () => Promise.resolve([]), open: () => Promise.resolve(undefined) };

/**
 * Runs work with a table.
 * @param name `silver.orders`, or a path (what has a `/` in it, or is `.`): then no project is needed
 * @throws SluiceError `UNKNOWN_TABLE`, `TABLE_NOT_FOUND`, `CONFIG_INVALID`
 */
export async function withTable<T>(
  io: Io,
  { project: named, name }: { readonly project?: string; readonly name: string },
  work: (open: OpenTable) => Promise<T>,
): Promise<T> {
  const project = isPath(name) ? await findProject(io, named) : await requireProject(io, named);
  return withEngine(io, project, async (parts, cleanUp) => {
    const opened: DeltaTable[] = [];
    const other = (wanted: string): DeltaTable => {
      const table = DeltaTable.at(locationOf(io, project?.lake, wanted), parts);
      opened.push(table);
      return table;
    };
    const catalog = project === undefined ? NO_TABLES : lakeCatalog(project.lake, parts);
    const table = isPath(name) ? other(name) : await openNamed(catalog, name);
    opened.push(table);
    try {
      return await work({ table, parts, catalog, other, cleanUp });
    } finally {
      // A table may say that it is to be compacted after a commit: the engine stays open for as long.
      for (const one of opened) await one.settle();
    }
  });
}

function isPath(name: string): boolean {
  return name.includes('/') || name === '.' || name === '..';
}

function locationOf(io: Io, lake: string | undefined, name: string): string {
  if (isPath(name)) return locationFrom(io.cwd, name);
  const [, schema = '', table = ''] = /^([\p{L}\p{N}_-]+)\.([\p{L}\p{N}_-]+)$/u.exec(name) ?? [];
  if (lake !== undefined && table !== '') return locationBelow(lake, schema, table);
  throw new SluiceError('USAGE', `not a name for a table: ${name}`, {
    advice:
      lake === undefined
        ? 'Outside of a project name a path: ./copy.'
        : 'Write it as silver.copy, or as a path: ./copy.',
    facts: { table: name },
  });
}

/** @throws SluiceError `UNKNOWN_TABLE` with the name that was meant, or those that there are */
async function openNamed(catalog: Catalog, name: string): Promise<DeltaTable> {
  const table = await catalog.open(name.toLowerCase());
  if (table !== undefined) return table;
  const names = await catalog.names();
  throw new SluiceError('UNKNOWN_TABLE', `no table ${name}`, {
    advice: names.length === 0 ? 'There are no tables yet: run `sluice run`.' : nameAdvice(name, names),
    facts: { table: name },
  });
}
