/** A table that a command names: one of the project's, or any by its path. */
import { SluiceError } from '../core/errors.ts';
import { nameAdvice } from '../core/suggest.ts';
import { lakeCatalog, type Catalog } from '../query/index.ts';
import { DeltaTable, locationFrom, type TableParts } from '../tables/index.ts';
import type { Io } from './io.ts';
import { findProject, requireProject, withEngine } from './workspace.ts';

export interface OpenTable {
  readonly table: DeltaTable;
  readonly parts: TableParts;
  /** For an end by force. */
  readonly cleanUp: () => void;
}

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
  const isPath = name.includes('/') || name === '.' || name === '..';
  const project = isPath ? await findProject(io, named) : await requireProject(io, named);
  return withEngine(io, project, async (parts, cleanUp) => {
    if (isPath) {
      return work({ table: DeltaTable.at(locationFrom(io.cwd, name), parts), parts, cleanUp });
    }
    return work({ table: await openNamed(lakeCatalog(project?.lake ?? '', parts), name), parts, cleanUp });
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
