/**
 * Columns of a new table that get values by themselves: whether sluice could write them.
 */
import type { Clock } from '../../core/clock.ts';
import type { StructType } from '../../core/schema.ts';
import type { Engine } from '../../engine/engine.ts';
import { defaultOf } from './columns.ts';
import { checkGenerated } from './generated.ts';
import { defaultValues } from './values.ts';

/** @throws SluiceError `UNSUPPORTED_FEATURE` naming the column */
export async function checkDeclared(
  { engine, clock }: { readonly engine: Engine; readonly clock: Clock },
  { fields }: StructType,
  table: string,
): Promise<void> {
  if (fields.every((field) => defaultOf(field) === undefined)) return;
  const session = await engine.session();
  try {
    await defaultValues(session, fields, { table, nowMs: clock.nowMs() });
    await checkGenerated(session, { kind: 'struct', fields }, table);
  } finally {
    session.close();
  }
}
