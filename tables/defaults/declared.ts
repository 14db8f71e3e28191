/**
 * Columns of a new table that get values by themselves: whether sluice could write them.
 */
import type { Clock } from '../../core/clock.ts';
import { SluiceError } from '../../core/errors.ts';
import type { StructType } from '../../core/schema.ts';
import type { Engine } from '../../engine/engine.ts';
import { defaultOf } from './columns.ts';
import { checkGenerated } from './generated.ts';
import { defaultValues } from './values.ts';

/** @throws SluiceError `UNSUPPORTED_FEATURE` naming the column */
export async function checkDeclared(
  { engine, clock }: { readonly engine: Engine; readonly clock: Clock },
  { fields }: StructType,
  partitionColumns: readonly string[],
  table: string,
): Promise<void> {
  const wrong = fields.find((field) => defaultOf(field)?.kind === 'identity' && partitionColumns.includes(field.name));
  if (wrong !== undefined) {
    throw new SluiceError(
      'SCHEMA_INCOMPATIBLE',
      `${table}: no table is partitioned by an identity column (${wrong.name})`,
      {
        advice: 'Partition it by another column.',
        facts: { table, column: wrong.name },
      },
    );
  }
  if (fields.every((field) => defaultOf(field) === undefined)) return;
  const session = await engine.session();
  try {
    await defaultValues(session, fields, { table, nowMs: clock.nowMs() });
    await checkGenerated(session, { kind: 'struct', fields }, table);
  } finally {
    session.close();
  }
}
