/**
 * The tables that a query can name.
 *
 * Promise: only folders that hold a Delta log are tables; what else lies in the lake is left alone.
 */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf, SluiceError, systemCodeOf } from '../core/errors.ts';
import { DeltaTable, type TableParts } from '../tables/index.ts';

export interface Catalog {
  /** Every table as `schema.table`, sorted. */
  names(): Promise<string[]>;
  /** The table of that exact name, or undefined when there is none. */
  open(name: string): Promise<DeltaTable | undefined>;
}

/**
 * Every Delta table under a lake folder, at `<folder>/<schema>/<table>`.
 * @throws SluiceError (from both methods) `STORAGE_FAILED` when the folder cannot be read; a folder that is not there is empty.
 * @example const catalog = lakeCatalog('lake', { engine, clock, random }); await catalog.names() // ['bronze.orders']
 */
export function lakeCatalog(folder: string, parts: TableParts): Catalog {
  const opened = new Map<string, DeltaTable>();
  return {
    names: async () => {
      const names: string[] = [];
      for (const schema of await subfolders(folder)) {
        for (const table of await subfolders(join(folder, schema))) {
          if (await holdsLog(join(folder, schema, table))) names.push(`${schema}.${table}`);
        }
      }
      return names.sort();
    },
    open: async (name) => {
      const known = opened.get(name);
      if (known !== undefined) return known;
      const [schema = '', table = '', ...rest] = name.split('.');
      const bad = [schema, table].some((part) => part === '' || /^\.|[/\\\0]/.test(part)) || rest.length > 0;
      const location = join(folder, schema, table);
      if (bad || !(await holdsLog(location))) return undefined;
      const delta = DeltaTable.at(location, parts);
      opened.set(name, delta);
      return delta;
    },
  };
}

async function subfolders(folder: string): Promise<string[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    const names: string[] = [];
    for (const entry of entries) {
      if (/[._]/.test(entry.name[0] ?? '.') || entry.name.includes('.')) continue;
      if (entry.isDirectory() || (entry.isSymbolicLink() && (await isFolder(join(folder, entry.name))))) {
        names.push(entry.name);
      }
    }
    return names;
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return [];
    throw new SluiceError('STORAGE_FAILED', `cannot list ${folder}: ${messageOf(error)}`, {
      advice: 'Check the lake folder in sluice.yaml, and that it can be read.',
      facts: { folder },
      cause: error,
    });
  }
}

function holdsLog(table: string): Promise<boolean> {
  return isFolder(join(table, '_delta_log'));
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch {
    return false;
  }
}
