/** The `schema => '…'` text of a source: column definitions in the DDL of Spark, in Spark's meaning. */
import { SluiceError } from '../../core/errors.ts';
import type { StructType } from '../../core/schema.ts';

export function parseSchema(text: string): StructType {
  throw new SluiceError('INTERNAL', text);
}
