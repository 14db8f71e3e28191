/** From raw records to columns. */
import { SluiceError } from '../../core/errors.ts';
import { field, primitive, struct, type Field, type StructType } from '../../core/schema.ts';
import type { Session } from '../../engine/session.ts';
import { RECORD_FIELDS } from '../quarantine.ts';

/** The name that Databricks gives the rescued data column. */
export const RESCUED_DATA_COLUMN = '_rescued_data';
/** The hidden column: there when it is named, left out of `SELECT *`. */
export const METADATA_COLUMN = '_metadata';

export type DecodeSpec =
  | {
      readonly format: 'json';
      readonly schema: StructType;
      /** Undefined: a record with anything to rescue goes to quarantine. */
      readonly rescuedDataColumn: string | undefined;
    }
  | { readonly format: 'string' }
  | { readonly format: 'binary' };

export interface Decoded {
  /** A relation with the user's columns and `_metadata`, as `decodedColumns` lists them. */
  readonly good: string;
  /** A relation with the columns of quarantine; undefined when no record of this batch is bad. */
  readonly bad: string | undefined;
  /** Drops what was made for this batch. Idempotent. */
  release(): Promise<void>;
}

/** The columns that decoding gives, without any data; the last one is the hidden `_metadata`. */
export function decodedColumns(spec: DecodeSpec): Field[] {
  const metadata = field(METADATA_COLUMN, struct(RECORD_FIELDS.filter((f) => f.name !== 'value')));
  if (spec.format !== 'json') {
    const value = field('value', primitive(spec.format));
    const order = ['key', 'value', 'topic', 'partition', 'offset', 'timestamp'];
    const own = order.flatMap((name) => RECORD_FIELDS.filter((f) => f.name === name));
    return [...own.map((f) => (f.name === 'value' ? value : f)), metadata];
  }
  const { schema, rescuedDataColumn } = spec;
  const rescued = rescuedDataColumn === undefined ? [] : [field(rescuedDataColumn, primitive('string'))];
  return [...schema.fields, ...rescued, metadata];
}

export async function decodeBatch(session: Session, relation: string, spec: DecodeSpec): Promise<Decoded> {
  await session.run(`FROM ${relation} LIMIT 0`);
  throw new SluiceError('INTERNAL', spec.format);
}
