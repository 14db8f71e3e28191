/**
 * The tables that a query can name.
 *
 * Promise: only folders that hold a Delta log are tables; what else lies in the lake is left alone.
 */
import { atOnce } from '../core/at-once.ts';
import { DeltaTable, locationBelow, openStore, type ObjectStore, type TableParts } from '../tables/index.ts';

export interface Catalog {
  /** Every table as `schema.table`, sorted. */
  names(): Promise<string[]>;
  /** The table of that exact name, or undefined when there is none. */
  open(name: string): Promise<DeltaTable | undefined>;
}

/** How many folders are looked into at once. */
const AT_ONCE = 32;

/**
 * Every Delta table of a lake, at `<lake>/<schema>/<table>`.
 * @param lake a folder, or a URI
 * @throws SluiceError (from both methods) `STORAGE_*` when the lake cannot be read; one that is not there is empty.
 * @example const catalog = lakeCatalog('lake', { engine, clock, random }); await catalog.names() // ['bronze.orders']
 */
export function lakeCatalog(lake: string, parts: TableParts): Catalog {
  const opened = new Map<string, DeltaTable>();
  let opening: ObjectStore | undefined;
  const store = (): ObjectStore => (opening ??= openStore(lake, parts.storage));
  return {
    names: async () => {
      const schemas = (await store().folders('')).filter(isName);
      const found = await atOnce(schemas, AT_ONCE, async (schema) => {
        const tables = (await store().folders(schema)).filter(isName);
        return tables.map((table) => [schema, table] as const);
      });
      const names = await atOnce(found.flat(), AT_ONCE, async ([schema, table]) =>
        (await holdsLog(store(), schema, table)) ? [`${schema}.${table}`] : [],
      );
      return names.flat().sort();
    },
    open: async (name) => {
      const known = opened.get(name);
      if (known !== undefined) return known;
      const [schema = '', table = '', ...rest] = name.split('.');
      const bad =
        rest.length > 0 || [schema, table].some((part) => part === '' || /[/\\\0]/.test(part) || !isName(part));
      if (bad || !(await holdsLog(store(), schema, table))) return undefined;
      const delta = DeltaTable.at(locationBelow(lake, schema, table), parts);
      opened.set(name, delta);
      return delta;
    },
  };
}

/** Hidden folders, and names that no statement can say, are no schemas and no tables. */
function isName(folder: string): boolean {
  return !/^[._]/.test(folder) && !folder.includes('.');
}

function holdsLog(store: ObjectStore, schema: string, table: string): Promise<boolean> {
  return store.isFolder(`${schema}/${table}/_delta_log`);
}
