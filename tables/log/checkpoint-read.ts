/**
 * A checkpoint's actions, read through DuckDB, and the hint that tells where the last one is.
 *
 * Promise: columns and fields that a writer left out, or added, do not matter; nor does whether the files of the table lie
 * in the checkpoint itself (V1) or in sidecars (V2); the hint is never believed, only tried.
 * Source: Delta protocol, "Checkpoint Schema", "V2 Spec", "Last Checkpoint File Schema".
 */
import { messageOf, SluiceError } from '../../core/errors.ts';
import { isJsonObject, parseJson, type JsonObject } from '../../core/json.ts';
import type { Engine } from '../../engine/engine.ts';
import { quoteFile } from '../../engine/quoting.ts';
import type { Session } from '../../engine/session.ts';
import { FileLease } from '../store/lease.ts';
import type { ObjectStore } from '../store/object-store.ts';
import { actionFromJson } from './action-json.ts';
import type { Action } from './actions.ts';
import { readCheckpointRows } from './checkpoint-rows.ts';
import { inTable } from './entry-text.ts';
import type { LogCheckpoint } from './listing.ts';
import { LAST_CHECKPOINT, SIDECARS } from './paths.ts';

/** @throws SluiceError `LOG_CORRUPT` naming the file when it cannot be read; `UNSUPPORTED_FEATURE` */
export async function readCheckpoint(
  engine: Engine,
  store: ObjectStore,
  { version, paths }: Pick<LogCheckpoint, 'version' | 'paths'>,
): Promise<Action[]> {
  const session = await engine.session();
  const actions: Action[] = [];
  const sidecars: string[] = [];
  const take = (row: JsonObject): void => {
    const { sidecar } = row;
    if (isJsonObject(sidecar)) sidecars.push(sidecarPath(sidecar));
    const action = actionFromJson(row);
    if (action !== undefined) actions.push(action);
  };
  try {
    for (const path of paths) await readRows(session, store, path, take);
    // Its list grows no further: a sidecar has no sidecars.
    for (const path of sidecars) await readRows(session, store, path, take);
    return actions;
  } catch (error) {
    const [file = ''] = paths;
    if (error instanceof SluiceError && error.code === 'UNSUPPORTED_FEATURE')
      throw inTable(error, { table: store.location, file });
    throw new SluiceError('LOG_CORRUPT', `${store.location}/${file} cannot be read: ${messageOf(error)}`, {
      advice: 'The checkpoint is damaged and the log entries before it are gone: restore `_delta_log` from a backup.',
      facts: { table: store.location, file, version },
      cause: error,
    });
  } finally {
    session.close();
  }
}

async function readRows(
  session: Session,
  store: ObjectStore,
  path: string,
  take: (row: JsonObject) => void,
): Promise<void> {
  if (path.endsWith('.json')) {
    const text = new TextDecoder().decode(await store.get(path));
    for (const line of text.split('\n')) {
      const row = line.trim() === '' ? null : parseJson(line);
      if (isJsonObject(row)) take(row);
    }
    return;
  }
  await FileLease.during(async () => {
    for await (const rows of readCheckpointRows(session, await store.localFile(path))) rows.forEach(take);
  });
}

/**
 * The paths of the sidecars that a checkpoint refers to.
 * @throws SluiceError when that cannot be told
 */
export async function sidecarsOf(
  engine: Engine,
  store: ObjectStore,
  { paths }: Pick<LogCheckpoint, 'paths'>,
): Promise<string[]> {
  const session = await engine.session();
  const found: string[] = [];
  const take = ({ sidecar }: JsonObject): void => {
    if (isJsonObject(sidecar)) found.push(sidecarPath(sidecar));
  };
  try {
    for (const path of paths) {
      const mayHave = path.endsWith('.json') || (await hasSidecars(session, store, path));
      if (mayHave) await readRows(session, store, path, take);
    }
    return found;
  } finally {
    session.close();
  }
}

async function hasSidecars(session: Session, store: ObjectStore, path: string): Promise<boolean> {
  return FileLease.during(async () => {
    const file = quoteFile(await store.localFile(path));
    return (await session.rows(`SELECT name FROM parquet_schema(${file}) WHERE name = 'sidecar'`)).length > 0;
  });
}

/** A sidecar is named by its file alone, or by a path that ends in its folder. */
function sidecarPath({ path }: JsonObject): string {
  if (typeof path !== 'string') throw new SyntaxError('a sidecar without a path');
  return `${SIDECARS}${decodeURIComponent(path.slice(path.lastIndexOf('/') + 1))}`;
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
