/** Which files lie in the partitions that a condition names. */
import { SluiceError } from '../../core/errors.ts';
import { quoteIdent } from '../../engine/quoting.ts';
import type { Session } from '../../engine/session.ts';
import type { AddFile } from '../log/actions.ts';
import { partitionLiteral } from '../partitions.ts';
import type { Snapshot } from '../snapshot.ts';

/**
 * @param where SQL over partition columns
 * @throws SluiceError `SQL_INVALID` when it names another column
 * @example await filesWhere(session, snapshot, "day >= '2026-01-01'")
 */
export async function filesWhere(session: Session, snapshot: Snapshot, where: string): Promise<readonly AddFile[]> {
  const { files, schema, partitionColumns, location } = snapshot;
  const fields = partitionColumns.flatMap((name) => schema.fields.find((field) => field.name === name) ?? []);
  if (fields.length === 0) {
    throw new SluiceError('SQL_INVALID', `${location} is not partitioned, so WHERE can name no part of it`, {
      advice: 'Leave WHERE out: the whole table is looked at.',
      facts: { table: location },
    });
  }
  const rows = files.map((file, i) => {
    const values = fields.map((field) => partitionLiteral(snapshot.partitionValue(file, field), field));
    return `(${[String(i), ...values].join(', ')})`;
  });
  const nothing = `SELECT 0, ${fields.map((field) => partitionLiteral(null, field)).join(', ')} WHERE false`;
  const names = ['__sluice_place', ...partitionColumns.map(quoteIdent)].join(', ');
  const query = `SELECT __sluice_place AS place FROM (${rows.length === 0 ? nothing : `VALUES ${rows.join(', ')}`}) AS p(${names}) WHERE (${where}\n)`;
  try {
    const found = new Set((await session.rows(query)).map(({ place }) => Number(place)));
    return files.filter((_, i) => found.has(i));
  } catch (error) {
    if (!(error instanceof SluiceError && ['SQL_INVALID', 'SQL_SYNTAX'].includes(error.code))) throw error;
    throw new SluiceError(error.code, `${location}: WHERE ${where}: ${error.message}`, {
      advice: `It may name partition columns only: ${partitionColumns.join(', ')}.`,
      facts: { table: location },
      cause: error,
    });
  }
}
