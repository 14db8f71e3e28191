/**
 * Feature sets as files: a point-in-time correct training set, and the manifest that says what it was cut from.
 *
 * Promise: the same definition and table versions give the same bytes, on any machine and with any number of threads. A file
 * appears whole or not at all, and the manifest last.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import type { Clock } from '../core/clock.ts';
import { SluiceError } from '../core/errors.ts';
import { typeName } from '../core/schema.ts';
import { copyToParquet } from '../engine/parquet.ts';
import type { Session } from '../engine/session.ts';
import { writeResult, type Catalog } from '../query/index.ts';
import { watch } from '../query/progress.ts';
import { FileLease, openStore, type Storage } from '../tables/index.ts';
import type { FeatureSet } from './feature-set.ts';
import { manifestFile, manifestJson, type ExportFormat, type Manifest } from './manifest.ts';
import { planExport } from './plan.ts';

export interface ExportParts {
  readonly catalog: Catalog;
  /** Busy with the export until it is done. */
  readonly session: Session;
  /** The folder, or the URI of one, for `<name>.parquet` (or `.csv`) and `<name>.manifest.json`; made when it is not there. */
  readonly out: string;
  readonly format: ExportFormat;
  /** Table versions to export from, by name; the others are the latest. */
  readonly versions?: ReadonlyMap<string, bigint>;
  readonly clock: Clock;
  /** Opens `out` when it is not on disk. */
  readonly storage?: Storage | undefined;
  /** Goes into the manifest. */
  readonly sluiceVersion: string;
  readonly signal?: AbortSignal;
  /** Told how far a long export is, in percent. */
  readonly onProgress?: (percent: number) => void;
}

/** A part of what makes the bytes: a change of it changes every export. */
const ROW_GROUP_ROWS = 122_880;

/**
 * Exports a feature set.
 * @throws SluiceError `UNKNOWN_TABLE`, `UNKNOWN_COLUMN`, `FEATURE_SET_INVALID` (with the place in the definition),
 * `VERSION_NOT_FOUND`, `VALUE_OUT_OF_RANGE`, `STORAGE_*`, `INTERRUPTED`; then nothing was written.
 * @example const manifest = await exportFeatures(set, { catalog, session, out: 'out', format: 'parquet', clock, sluiceVersion });
 */
export async function exportFeatures(set: FeatureSet, parts: ExportParts): Promise<Manifest> {
  return FileLease.during(() => exportLeased(set, parts));
}

async function exportLeased(set: FeatureSet, parts: ExportParts): Promise<Manifest> {
  const { session, format, clock } = parts;
  const plan = await planExport(set, parts);
  const store = openStore(parts.out, parts.storage);
  const file = `${set.name}.${format}`;
  let failure: unknown;
  const data = await store
    .putFile(file, async (local) => {
      const watching = await watch(session, parts);
      try {
        const rows =
          format === 'parquet'
            ? await writeParquet(session, plan.sql, local)
            : await writeCsvFile(session, plan.sql, local);
        const { size } = await stat(local);
        const sha256 = await sha256Of(local);
        await store.delete(manifestFile(set.name));
        return { file, format, rows, bytes: size, sha256 };
      } catch (error) {
        failure = queryFailure(set, error);
        throw error;
      } finally {
        await watching.stop();
      }
    })
    .catch((error: unknown) => {
      throw failure ?? error;
    });
  const manifest: Manifest = {
    name: set.name,
    data,
    columns: plan.columns.map(({ name, type }) => ({ name, type: type === undefined ? 'unknown' : typeName(type) })),
    tables: Object.fromEntries(
      [...plan.snapshots].map(([table, { version, tableId, rows }]) => [
        table,
        { version: Number(version), id: tableId, rows: rows === undefined ? null : Number(rows) },
      ]),
    ),
    query: plan.query,
    definitionSha256: set.hash,
    sluiceVersion: parts.sluiceVersion,
    createdAt: new Date(clock.nowMs()).toISOString(),
  };
  try {
    await store.put(manifestFile(set.name), Buffer.from(manifestJson(manifest)), 'replace');
  } catch (error) {
    await store.delete(data.file).catch(() => undefined);
    throw error;
  }
  return manifest;
}

async function writeParquet(session: Session, sql: string, file: string): Promise<number> {
  const written = await copyToParquet(session, sql, file, { compression: 'zstd', rowGroupRows: ROW_GROUP_ROWS });
  return Number(written.rows);
}

async function writeCsvFile(session: Session, sql: string, file: string): Promise<number> {
  const handle = await open(file, 'w');
  try {
    return await writeResult(await session.stream(sql), 'csv', async (text) => {
      await handle.appendFile(text);
    });
  } finally {
    await handle.close();
  }
}

async function sha256Of(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file)) hash.update(chunk as Uint8Array);
  return hash.digest('hex');
}

/** A failure of the query itself, which the store would take for one of the disk. */
function queryFailure(set: FeatureSet, error: unknown): SluiceError | undefined {
  if (!(error instanceof SluiceError) || error.code !== 'QUERY_FAILED' || error.message.startsWith('IO Error')) {
    return undefined;
  }
  const isValue = /^(Conversion|Out of Range|Invalid Input) Error/.test(error.message);
  if (!isValue) return error;
  return new SluiceError('VALUE_OUT_OF_RANGE', `${set.source.file}: a feature cannot be computed: ${error.message}`, {
    advice: 'TRY_CAST and TRY(…) give NULL instead of an error.',
    facts: { file: set.source.file },
    cause: error,
  });
}
