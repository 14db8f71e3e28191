/**
 * Deletes what of a log has expired (`delta.logRetentionDuration`), as Delta does after a checkpoint.
 *
 * Promise: no version within the retention time is lost, nor the time that it had; the checkpoint that the log begins with from then on was
 * read before anything is deleted; killed or beside others that clean up, it leaves a log that tells which versions it has. Only what is
 * old is listed, and so many files go at once; the next time takes the others.
 * Source: Delta protocol, "Metadata Cleanup"; Delta, "Checkpoint Protection".
 */
import { atOnce } from '../core/at-once.ts';
import type { Clock } from '../core/clock.ts';
import { SluiceError } from '../core/errors.ts';
import type { Engine } from '../engine/engine.ts';
import { readCheckpoint, sidecarsOf } from './log/checkpoint-read.ts';
import { cutsOf, expiredFiles, isOfCheckpoint } from './log/expired.ts';
import { featuresOf } from './log/features.ts';
import { inCommitSince } from './log/in-commit.ts';
import { listingOf, listLog, type LogCheckpoint, type LogListing } from './log/listing.ts';
import { LOG, logFile, SIDECARS } from './log/paths.ts';
import type { Properties } from './log/properties.ts';
import { replay, type LogState } from './log/replay.ts';
import { DAY_MS, logCutOffMs } from './log/retention.ts';
import { inCommitTime, newestUpTo, timesByFile } from './log/time.ts';
import type { ObjectMeta, ObjectStore } from './store/object-store.ts';

interface CleanUpParts {
  readonly store: ObjectStore;
  readonly engine: Engine;
  readonly clock: Clock;
}

const AT_ONCE = 16;
/** After one commit; more is rare. */
const MOST_FILES = 2000;
/** Of entries that give themselves a time, one in so many is read to see whether those after it are young. */
const LOOKED_AT = 64n;

/** @returns how many files were deleted */
export async function cleanUpLog({ store, engine, clock }: CleanUpParts, state: LogState): Promise<number> {
  const nowMs = clock.nowMs();
  const { configuration } = state.metadata;
  const cutOffMs = logCutOffMs(configuration, nowMs);
  if (cutOffMs === undefined) return 0;
  const old = await oldFiles(store, configuration, cutOffMs);
  const listing = listingOf(old);
  const newest = await newestUpTo(store, listing.commits, configuration, cutOffMs);
  if (newest === undefined) return 0;
  const kept = await soundCut(engine, store, listing, { newest: newest.version, configuration, old, state });
  if (kept === undefined) return 0;
  const gone = await deleteInSteps(store, kept.steps, kept.most);
  if (gone.some(isOfCheckpoint)) await deleteSidecars(engine, store, nowMs);
  return gone.length;
}

/** The files of the log up to the first entry that is younger than the cut-off, and maybe some of those after it. */
async function oldFiles(store: ObjectStore, configuration: Properties, cutOffMs: number): Promise<ObjectMeta[]> {
  const since = inCommitSince(configuration);
  const isYoung = async (version: bigint, modifiedMs: number): Promise<boolean> => {
    if (since === undefined) return modifiedMs > cutOffMs;
    if (cutOffMs < since.timestampMs) return version >= since.version || modifiedMs > cutOffMs;
    if (version < since.version || version % LOOKED_AT !== 0n) return false;
    return ((await inCommitTime(store, { version, modifiedMs }))?.timestampMs ?? 0) > cutOffMs;
  };
  const old: ObjectMeta[] = [];
  for await (const meta of store.list(LOG)) {
    const file = logFile(meta.path);
    if (file?.kind === 'commit' && (await isYoung(file.version, meta.modifiedMs))) break;
    old.push(meta);
  }
  return old;
}

interface Expired {
  readonly newest: bigint;
  readonly configuration: Properties;
  readonly old: readonly ObjectMeta[];
  readonly state: LogState;
}

/** What may be deleted for the log to begin with the newest checkpoint that can be. */
async function soundCut(
  engine: Engine,
  store: ObjectStore,
  listing: LogListing,
  { newest, configuration, old, state }: Expired,
): Promise<{ readonly steps: readonly (readonly string[])[]; readonly most: number } | undefined> {
  const since = inCommitSince(configuration)?.version;
  const times = new Map(timesByFile(listing.commits).map(({ version, timestampMs }) => [version, timestampMs]));
  const own = new Set(listing.commits.filter((commit) => commit.modifiedMs === times.get(commit.version)).map(({ version }) => version)); // prettier-ignore
  const hasOwnTime = (version: bigint): boolean => (since !== undefined && version >= since) || own.has(version);
  const guarded = guardedBefore(state);
  for (const cut of cutsOf(listing, newest, hasOwnTime)) {
    const steps = expiredFiles(old.map(({ path }) => path), cut.version); // prettier-ignore
    // Guarded versions go all at once or not at all.
    if (steps.length === 0 || cut.version < guarded) return undefined;
    const most = (listing.commits[0]?.version ?? 0n) < guarded ? Infinity : MOST_FILES;
    if (await isSound(engine, store, cut)) return { steps, most };
  }
  return undefined;
}

/** The version before which checkpoints hide entries that not everybody can read. Source: Delta, "Checkpoint Protection". */
function guardedBefore({ protocol, metadata }: LogState): bigint {
  const version = metadata.configuration['delta.requireCheckpointProtectionBeforeVersion'] ?? '0';
  return featuresOf(protocol).has('checkpointProtection') && /^\d+$/.test(version) ? BigInt(version) : 0n;
}

/** Whether a checkpoint makes its version without the entries before it. */
async function isSound(engine: Engine, store: ObjectStore, checkpoint: LogCheckpoint): Promise<boolean> {
  const { version, modifiedMs } = checkpoint;
  try {
    const actions = await readCheckpoint(engine, store, checkpoint);
    return replay(undefined, [{ version, timestampMs: modifiedMs, actions }], store.location).version === version;
  } catch (error) {
    if (error instanceof SluiceError && ['LOG_CORRUPT', 'UNSUPPORTED_FEATURE'].includes(error.code)) return false;
    throw error;
  }
}

async function deleteInSteps(
  store: ObjectStore,
  steps: readonly (readonly string[])[],
  most: number,
): Promise<readonly string[]> {
  const gone: string[] = [];
  for (const step of steps) {
    const now = step.slice(0, Math.max(0, most - gone.length));
    await atOnce(now, AT_ONCE, (path) => store.delete(path));
    gone.push(...now);
  }
  return gone;
}

/** Sidecars that no checkpoint refers to any more, but for those of checkpoints that may be under way. */
async function deleteSidecars(engine: Engine, store: ObjectStore, nowMs: number): Promise<void> {
  const before = Math.floor(nowMs / DAY_MS) * DAY_MS - DAY_MS;
  const found: string[] = [];
  for await (const { path, modifiedMs } of store.list(SIDECARS)) if (modifiedMs < before) found.push(path);
  if (found.length === 0) return;
  const { checkpoints } = await listLog(store);
  const needed = new Set<string>();
  for (const checkpoint of checkpoints) {
    for (const path of await sidecarsOf(engine, store, checkpoint)) needed.add(path);
  }
  await atOnce(found.filter((path) => !needed.has(path)), AT_ONCE, (path) => store.delete(path)); // prettier-ignore
}
