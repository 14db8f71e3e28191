/**
 * A relation's columns, types and checksums as tests/interop/arrow_digest.py makes them of what another engine read: equal
 * digests mean equal names, types and values, in whatever order the rows came.
 */
import { createHash } from 'node:crypto';
import { typeName, type DataType } from '../../core/schema.ts';
import type { Column, Session } from '../../engine/session.ts';
import type { Value } from '../../engine/values.ts';

export interface Digest {
  readonly columns: readonly { readonly name: string; readonly type: string; readonly checksum: string }[];
  readonly count: number;
  /** The checksum over whole rows. */
  readonly rows: string;
}

type Text = null | string | readonly Text[];

/** @example await digest(session, `SELECT * FROM ${await snapshot.relation()}`) */
export async function digest(session: Session, query: string): Promise<Digest> {
  const result = await session.stream(query);
  const types = result.columns.map(typeOf);
  const sums = result.columns.map(() => 0n);
  let [count, rows] = [0, 0n];
  for await (const batch of result.batches()) {
    for (const row of batch) {
      const texts = types.map((type, i) => text(row[i] ?? null, type));
      for (const [i, one] of texts.entries()) sums[i] = (sums[i] ?? 0n) + hash(one);
      rows += hash(texts);
      count++;
    }
  }
  const columns = result.columns.map(({ name }, i) => ({
    name,
    type: types[i] === undefined ? '' : typeName(types[i]),
    checksum: hex(sums[i] ?? 0n),
  }));
  return { columns, count, rows: hex(rows) };
}

function typeOf({ name, type, duckdbType }: Column): DataType {
  if (type === undefined) throw new Error(`${name} is ${duckdbType}, which no Delta table has`);
  return type;
}

function hash(value: Text): bigint {
  return createHash('sha256').update(JSON.stringify(value)).digest().readBigUInt64BE(0);
}

function hex(sum: bigint): string {
  return BigInt.asUintN(64, sum).toString(16).padStart(16, '0');
}

function text(value: Value, type: DataType): Text {
  if (value === null) return null;
  switch (type.kind) {
    case 'array':
      return (value as readonly Value[]).map((item) => text(item, type.element));
    case 'map':
      return (value as unknown as readonly { key: Value; value: Value }[])
        .map((entry) => [text(entry.key, type.key), text(entry.value, type.value)])
        .sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
    case 'struct':
      return type.fields.map((field) => text((value as Record<string, Value>)[field.name] ?? null, field.type));
    case 'decimal':
      return plain(value);
    case 'primitive':
      if (type.name === 'binary') return Buffer.from(value as Uint8Array).toString('hex');
      if (type.name === 'float' || type.name === 'double') return double(Number(value));
      if (type.name === 'timestamp' || type.name === 'timestamp_ntz') return timestamp(plain(value));
      return plain(value);
  }
}

function plain(value: Value): string {
  if (typeof value === 'object') throw new Error(`a nested value where none was expected: ${JSON.stringify(value)}`);
  return String(value);
}

function double(value: number): string {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleBE(value);
  return Number.isNaN(value) ? 'nan' : bytes.toString('hex');
}

/** `2026-01-02 03:04:05.6+00` → `2026-01-02 03:04:05.600000` */
function timestamp(value: string): string {
  const [seconds = '', fraction = ''] = value.replace(/\+00$/, '').split('.');
  return `${seconds}.${fraction.padEnd(6, '0')}`;
}
