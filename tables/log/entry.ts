/**
 * Log entries read from a store.
 *
 * Promise: an entry that is not there is `undefined`; one that is there is read whole or refused with file and line.
 */
import { SluiceError } from '../../core/errors.ts';
import type { ObjectStore } from '../store/object-store.ts';
import { parseEntry } from './entry-text.ts';
import { commitPath } from './paths.ts';
import type { LogEntry } from './replay.ts';

/** How many entries are read at once. */
const AT_ONCE = 32;

/**
 * One entry; undefined when it is not there.
 * @param modifiedMs the entry's time where a listing has told it already
 * @throws SluiceError `LOG_CORRUPT`, `STORAGE_FAILED`
 */
export async function readEntry(
  store: ObjectStore,
  version: bigint,
  modifiedMs?: number,
): Promise<LogEntry | undefined> {
  const file = commitPath(version);
  const bytes = await store.get(file).catch((error: unknown) => {
    if (error instanceof SluiceError && error.code === 'FILE_MISSING') return undefined;
    throw error;
  });
  if (bytes === undefined) return undefined;
  const timestampMs = modifiedMs ?? (await store.head(file))?.modifiedMs ?? 0;
  const text = new TextDecoder('utf-8', { fatal: false }).decode(bytes);
  return { version, timestampMs, actions: parseEntry(text, { table: store.location, file }) };
}

/** The entries after a version, up to the first that is not there. */
export async function readEntriesAfter(store: ObjectStore, version: bigint): Promise<LogEntry[]> {
  const entries: LogEntry[] = [];
  for (let next = version + 1n; ; next++) {
    const entry = await readEntry(store, next);
    if (entry === undefined) return entries;
    entries.push(entry);
  }
}

/** Reads many entries, a bounded number at once, and hands them over in order. */
export async function* readEntries(
  store: ObjectStore,
  wanted: readonly { readonly version: bigint; readonly modifiedMs?: number }[],
): AsyncIterable<readonly (LogEntry | undefined)[]> {
  for (let i = 0; i < wanted.length; i += AT_ONCE) {
    const some = wanted.slice(i, i + AT_ONCE);
    yield await Promise.all(some.map(({ version, modifiedMs }) => readEntry(store, version, modifiedMs)));
  }
}
