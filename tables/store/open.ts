/** From what a user writes as a table's location to the store that serves it. */
import { fileURLToPath } from 'node:url';
import { messageOf, SluiceError } from '../../core/errors.ts';
import { LocalStore } from './local.ts';
import type { ObjectStore } from './object-store.ts';

/**
 * Opens the store rooted at a table's folder: a path, or a `file://` URI.
 * @throws SluiceError `CONFIG_INVALID` for a scheme that sluice has no store for.
 * @example openStore('lake/silver/orders')
 */
export function openStore(location: string): ObjectStore {
  const scheme = /^([a-z][a-z0-9+.-]+):\/\//i.exec(location)?.[1]?.toLowerCase();
  if (scheme === undefined) {
    if (location !== '') return new LocalStore(location);
    throw new SluiceError('CONFIG_INVALID', 'the location of a table is empty', { advice: 'Name a folder.' });
  }
  if (scheme === 'file') {
    try {
      return new LocalStore(fileURLToPath(location));
    } catch (error) {
      throw new SluiceError('CONFIG_INVALID', `not a file on this machine: ${location} (${messageOf(error)})`, {
        advice: 'Write three slashes: file:///path/to/table.',
        facts: { location },
        cause: error,
      });
    }
  }
  throw new SluiceError('CONFIG_INVALID', `no object store for ${scheme}:// in this version: ${location}`, {
    advice: 'Keep the lake on a local or mounted disk: a path, or a file:// URI.',
    facts: { location, scheme },
  });
}
