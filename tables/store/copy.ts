/** Copies an object from one store into another, whatever the two are. */
import { copyFile } from 'node:fs/promises';
import { FileLease } from './lease.ts';
import type { Place } from './place.ts';

/**
 * The copy is durable and whole when this resolves; it takes the place of what was there.
 * @throws SluiceError `FILE_MISSING`, `STORAGE_*`
 */
export async function copyObject(from: Place, to: Place): Promise<void> {
  // A path on a disk comes without a promise that there is a file: asking for its bytes names the one that is missing.
  if ((await from.store.head(from.path)) === undefined) await from.store.get(from.path);
  await FileLease.during(async () => {
    const source = await from.store.localFile(from.path);
    await to.store.putFile(to.path, (local) => copyFile(source, local));
  });
}
