/**
 * The shape of raw records inside the engine, the same for Kafka and for generated ones: what a decoder starts from, and
 * what quarantine keeps of a record that could not be read.
 */

/** Column definitions, for CREATE TABLE. The value is bytes, since not every record is valid UTF-8. */
export const RECORD_COLUMNS = [
  'topic VARCHAR',
  '"partition" INTEGER',
  '"offset" BIGINT',
  '"timestamp" TIMESTAMPTZ',
  '"key" BLOB',
  '"value" BLOB',
  'headers STRUCT("key" VARCHAR, "value" BLOB)[]',
] as const;

/** A source that has looked at its records has this column too: true for those that are not certain to fit, else NULL. */
export const UNSURE_COLUMN = 'unsure';

/** The name of a source partition in positions. @example partitionName('orders', 0) // 'orders/0' */
export function partitionName(topic: string, partition: number): string {
  return `${topic}/${String(partition)}`;
}
