/**
 * A V1 checkpoint's actions, read through DuckDB, and the hint that tells where the last one is.
 *
 * Promise: columns and fields that a writer left out, or added, do not matter; the hint is never believed, only tried.
 * Source: Delta protocol, "Checkpoint Schema", "Last Checkpoint File Schema".
 */
import { messageOf, SluiceError } from '../../core/errors.ts';
import { isJsonObject, parseJson } from '../../core/json.ts';
import type { Engine } from '../../engine/engine.ts';
import { quoteString } from '../../engine/quoting.ts';
import type { ObjectStore } from '../store/object-store.ts';
import { actionFromJson, type Action } from './actions.ts';
import type { LogCheckpoint } from './listing.ts';
import { LAST_CHECKPOINT } from './paths.ts';

/** @throws SluiceError `LOG_CORRUPT` naming the file when it cannot be read; `UNSUPPORTED_FEATURE` */
export async function readCheckpoint(
  engine: Engine,
  store: ObjectStore,
  { version, paths }: Pick<LogCheckpoint, 'version' | 'paths'>,
): Promise<Action[]> {
  const session = await engine.session();
  try {
    const files = await Promise.all(paths.map((path) => store.localFile(path)));
    const stream = await session.stream(
      `SELECT CAST(to_json(t) AS VARCHAR) FROM read_parquet([${files.map(quoteString).join(', ')}], hive_partitioning=false, union_by_name=true) AS t`,
    );
    const actions: Action[] = [];
    for await (const batch of stream.batches()) {
      for (const [text] of batch) {
        const row = typeof text === 'string' ? parseJson(text) : null;
        const action = isJsonObject(row) ? actionFromJson(row) : undefined;
        if (action !== undefined) actions.push(action);
      }
    }
    return actions;
  } catch (error) {
    if (error instanceof SluiceError && error.code === 'UNSUPPORTED_FEATURE') throw error;
    const [file = ''] = paths;
    throw new SluiceError('LOG_CORRUPT', `${store.location}/${file} cannot be read: ${messageOf(error)}`, {
      advice: 'The checkpoint is damaged and the log entries before it are gone: restore `_delta_log` from a backup.',
      facts: { table: store.location, file, version },
      cause: error,
    });
  } finally {
    session.close();
  }
}

/** The version of `_last_checkpoint`; undefined when there is none or it is no JSON that says one. */
export async function readHint(store: ObjectStore): Promise<bigint | undefined> {
  try {
    const json = parseJson(new TextDecoder().decode(await store.get(LAST_CHECKPOINT)));
    const version = isJsonObject(json) ? json['version'] : undefined;
    return (typeof version === 'number' && Number.isSafeInteger(version) && version >= 0) || typeof version === 'bigint'
      ? BigInt(version)
      : undefined;
  } catch (error) {
    const harmless = error instanceof SyntaxError || (error instanceof SluiceError && error.code === 'FILE_MISSING');
    if (harmless) return undefined;
    throw error;
  }
}
