/**
 * Files that are there and not yet durable, by the folder of their table.
 *
 * Promise: all stores of this process that are rooted at one folder see the same files. One that could not be synced stays among
 * them until it is deleted: nothing that may name it is ever put.
 */
const folders = new Map<string, Map<string, Promise<void>>>();

/** @param syncing rejects when the file is not durable */
export function addUnsynced(folder: string, path: string, syncing: Promise<void>): void {
  const files = folders.get(folder) ?? new Map<string, Promise<void>>();
  folders.set(folder, files.set(path, syncing));
  syncing.then(
    () => {
      if (files.get(path) === syncing) forgetUnsynced(folder, path);
    },
    // Whoever waits for it is told.
    () => undefined,
  );
}

/** Resolves when every file is durable; rejects when one cannot be. */
export async function untilSynced(folder: string): Promise<void> {
  const files = folders.get(folder);
  if (files !== undefined) await Promise.all(files.values());
}

export function forgetUnsynced(folder: string, path: string): void {
  const files = folders.get(folder);
  files?.delete(path);
  if (files?.size === 0) folders.delete(folder);
}
