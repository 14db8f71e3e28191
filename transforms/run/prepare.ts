/** A streaming table before its first batch: there, with the properties and the comment that its statement gives. */
import type { StructType } from '../../core/schema.ts';
import { QUARANTINE_SCHEMA } from '../../ingest/quarantine.ts';
import type { DeltaTable } from '../../tables/index.ts';
import type { Flow } from '../project.ts';

/**
 * Creates the table, or brings its properties up to date; a table that is right already is left alone. A race that is lost
 * to another worker is no matter: that one has done the same.
 * @throws SluiceError `SCHEMA_INCOMPATIBLE`, `STORAGE_*`, `LOG_*`
 */
export async function prepareTable(table: DeltaTable, flow: Flow, schema: StructType): Promise<void> {
  const { properties, comment, partitionedBy } = flow;
  const described = { properties, ...(comment === undefined ? {} : { comment }) };
  if (!(await table.exists())) {
    await create(table, schema, { partitionColumns: [...partitionedBy], ...described });
    return;
  }
  const now = await table.snapshot();
  const same = Object.entries(properties).every(([key, value]) => now.properties[key] === value);
  if (same && (comment === undefined || comment === now.comment)) return;
  await table.commit({ operation: 'SET TBLPROPERTIES', mode: 'append', add: [], ...described });
}

/** Creates the quarantine table of a flow whose records may be malformed, so that it can be read before any is. */
export async function prepareQuarantine(table: DeltaTable): Promise<void> {
  if (!(await table.exists())) await create(table, QUARANTINE_SCHEMA, {});
}

async function create(table: DeltaTable, schema: StructType, more: object): Promise<void> {
  await table.commit({ operation: 'CREATE TABLE', mode: 'append', add: [], schema, ...more });
}
