/**
 * What an export was cut from, beside its data: enough to check the file and to make it again.
 *
 * Promise: a manifest never lies beside data that it does not describe.
 */
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { messageOf, SluiceError } from '../core/errors.ts';

export const EXPORT_FORMATS = ['parquet', 'csv'] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

export interface Manifest {
  readonly name: string;
  readonly data: {
    readonly file: string;
    readonly format: ExportFormat;
    readonly rows: number;
    readonly bytes: number;
    /** Of the data file, in hexadecimal. */
    readonly sha256: string;
  };
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  readonly tables: Readonly<
    Record<string, { readonly version: number; readonly id: string; readonly rows: number | null }>
  >;
  /** For `sluice sql`: gives the rows of the data again, in the same order. */
  readonly query: string;
  readonly definitionSha256: string;
  readonly sluiceVersion: string;
  /** ISO 8601, UTC. Not in the data, which is the same whenever it is made. */
  readonly createdAt: string;
}

const Pins = z.object({ tables: z.record(z.string(), z.object({ version: z.int().min(0) })) });

/** @example manifestFile('churn') // 'churn.manifest.json' */
export function manifestFile(name: string): string {
  return `${name}.manifest.json`;
}

export function manifestJson(manifest: Manifest): string {
  const { definitionSha256, sluiceVersion, createdAt, ...rest } = manifest;
  const snake = { definition_sha256: definitionSha256, sluice_version: sluiceVersion, created_at: createdAt };
  return `${JSON.stringify({ ...rest, ...snake }, undefined, 2)}\n`;
}

/**
 * The table versions of a manifest, to export from the same ones again.
 * @throws SluiceError `FEATURE_SET_INVALID` when the file is no manifest or cannot be read.
 * @example await exportFeatures(set, { ...parts, versions: await pinnedVersions('out/churn.manifest.json') })
 */
export async function pinnedVersions(file: string): Promise<Map<string, bigint>> {
  try {
    const { tables } = Pins.parse(JSON.parse(await readFile(file, 'utf8')));
    return new Map(Object.entries(tables).map(([table, { version }]) => [table, BigInt(version)]));
  } catch (error) {
    throw new SluiceError('FEATURE_SET_INVALID', `${file} is no manifest of an export: ${messageOf(error)}`, {
      advice: 'Give the .manifest.json that lies beside the exported file.',
      facts: { file },
      cause: error,
    });
  }
}
