/** The stores of a library's user who has nothing to say about storage. */
import type { ObjectStore } from './object-store.ts';
import { Storage } from './storage.ts';

let byDefault: Storage | undefined;

/**
 * Opens the store rooted at a table's folder: a path, a `file://` URI, or `s3://bucket/path`.
 * @param storage with settings of its own; without it what the environment says counts
 * @throws SluiceError `CONFIG_INVALID` for a scheme that sluice has no store for.
 * @example openStore('lake/silver/orders')
 */
export function openStore(location: string, storage?: Storage): ObjectStore {
  return (storage ?? (byDefault ??= new Storage())).open(location);
}
