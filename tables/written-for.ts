/**
 * What files were written for: the rules that their rows were held against, the values of columns that they lacked, and the names that their columns have.
 *
 * Promise: pure; the same for two states of a table only if rows that were written for one are right in the other.
 */
import { mappingKey, mappingModeOf } from './column-mapping.ts';
import { defaultsKey } from './defaults/columns.ts';
import type { Metadata, Protocol } from './log/actions.ts';
import { rulesKey } from './rules/rules.ts';

/** Empty for a table that asks nothing of its files. */
export function writtenFor(protocol: Protocol, metadata: Metadata, table: string): string {
  const { schema } = metadata;
  return rulesKey(metadata) + defaultsKey(schema) + mappingKey(schema, mappingModeOf(protocol, metadata, table));
}
