/**
 * Rows for a table, in the way that the table asks for now: its codec, the names and ids of its columns in data files, its rules, and its
 * defaults for columns that the rows lack.
 *
 * Promise: each file says what it was written for (`written-for.ts`), so that a commit after the table was altered knows it.
 */
import { struct, type Field, type StructType } from '../core/schema.ts';
import type { Session } from '../engine/session.ts';
import { withColumnIds } from './assign-columns.ts';
import { clusteredBy } from './clustering.ts';
import { mappingModeOf } from './column-mapping.ts';
import { columnsToFill } from './defaults/columns.ts';
import { checkNotBrought, marksAfter } from './defaults/identity.ts';
import { replaced } from './evolve.ts';
import type { AddFile, Metadata } from './log/actions.ts';
import type { Properties } from './log/properties.ts';
import type { LogState } from './log/replay.ts';
import { writeFiles, type Shape, type WriteParts } from './write.ts';
import { writtenFor } from './written-for.ts';

/** @param state undefined where there is no table yet */
export async function stageRows(
  parts: Pick<WriteParts, 'store' | 'clock' | 'random'>,
  state: LogState | undefined,
  session: Session,
  query: string,
  shape: Shape,
): Promise<AddFile[]> {
  const base = { ...parts, ...shape, compression: compressionOf(state?.metadata.configuration) };
  if (state === undefined) return writeFiles(session, query, { ...base, mapping: 'none' });
  const { protocol, metadata } = shape.madeFor ?? state;
  const table = parts.store.location;
  const mapping = mappingModeOf(protocol, metadata, table);
  const own = mapping === 'none' ? shape.schema : mapped(shape, metadata);
  const after = shape.areWhole === true ? replaced(metadata.schema, own, { table, anyName: true }) : metadata.schema;
  const missing = hasAll(shape) ? [] : columnsToFill(after, own);
  if (!hasAll(shape) && shape.keepsIdentities !== true) checkNotBrought(broughtBy(own, after), table);
  const files = await writeFiles(session, query, {
    ...base,
    metadata: { ...metadata, schema: after },
    mapping,
    clusteredBy: clusteredBy(state.domains),
    writtenFor: writtenFor(protocol, metadata, table),
    schema: struct([...own.fields, ...missing]),
    missing,
  });
  const rows = files.reduce((sum, file) => sum + (file.rows ?? 0n), 0n);
  const identities = shape.identities ?? marksAfter(missing, rows);
  return identities.size === 0 ? files : files.map((file) => ({ ...file, identities }));
}

/** The columns of the table that rows have. */
function broughtBy({ fields }: StructType, after: StructType): Field[] {
  const names = new Set(fields.map(({ name }) => name.toLowerCase()));
  return after.fields.filter(({ name }) => names.has(name.toLowerCase()));
}

function hasAll({ areItsOwn = false, areChanges = false }: Shape): boolean {
  return areItsOwn || areChanges;
}

/** The codec that a table asks for, where sluice has it. Source: Delta protocol, "Table Properties". */
function compressionOf(configuration: Properties = {}): WriteParts['compression'] {
  return configuration['delta.parquet.compression.codec']?.toLowerCase() === 'snappy' ? 'snappy' : 'zstd';
}

/** What says how a row changed is no column of the table, and has no id. */
function mapped({ schema: { fields }, areChanges = false }: Shape, metadata: Metadata): StructType {
  const own = fields.slice(0, areChanges ? -1 : undefined);
  return struct([...withColumnIds(struct(own), metadata).fields, ...fields.slice(own.length)]);
}
