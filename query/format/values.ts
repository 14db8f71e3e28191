/**
 * Values of a result as JSON and as plain text.
 *
 * Promise: no digit is lost (64-bit integers and decimals are raw digits in JSON), times are ISO 8601 (`Z` for UTC), and the
 * same value is always written the same way. JSON has no bytes, NaN or infinity: bytes become base64, the others their names
 * as strings. In plain text bytes are `\x` and hexadecimal, and nested values are JSON.
 */
import type { DataType } from '../../core/schema.ts';
import type { Value } from '../../engine/values.ts';

/**
 * One value as JSON.
 * @param type the column's Delta type; undefined for types that Delta does not have
 * @example toJson(12n, primitive('long')) // '12'
 */
export function toJson(value: Value, type: DataType | undefined): string {
  if (value === null) return 'null';
  if (typeof value === 'bigint') return value.toString();
  if (typeof value === 'number') return Number.isFinite(value) ? JSON.stringify(value) : JSON.stringify(String(value));
  if (typeof value === 'boolean') return String(value);
  if (typeof value === 'string') {
    return type?.kind === 'decimal' ? decimalDigits(value) : JSON.stringify(isoTime(value, type));
  }
  if (value instanceof Uint8Array) return JSON.stringify(Buffer.from(value).toString('base64'));
  if (isList(value)) {
    if (type?.kind === 'map') return mapToJson(value, type.key, type.value);
    const element = type?.kind === 'array' ? type.element : undefined;
    return `[${value.map((item) => toJson(item, element)).join(',')}]`;
  }
  const fields = type?.kind === 'struct' ? type.fields : [];
  const members = Object.entries(value).map(([name, member]) => {
    const own = fields.find((field) => field.name === name)?.type;
    return `${JSON.stringify(name)}:${toJson(member, own)}`;
  });
  return `{${members.join(',')}}`;
}

/** One value as plain text; NULL is for the caller to show. */
export function toText(value: Exclude<Value, null>, type: DataType | undefined): string {
  if (typeof value === 'string') return isoTime(value, type);
  if (value instanceof Uint8Array) return `\\x${Buffer.from(value).toString('hex')}`;
  return typeof value === 'object' ? toJson(value, type) : String(value);
}

/** A map is an object whose names are the keys as text. */
function mapToJson(entries: readonly Value[], keyType: DataType, valueType: DataType): string {
  const members = entries.flatMap((entry) => {
    if (entry === null || typeof entry !== 'object' || entry instanceof Uint8Array || isList(entry)) return [];
    const [key = null, value = null] = [entry['key'], entry['value']];
    return [`${JSON.stringify(key === null ? 'null' : toText(key, keyType))}:${toJson(value, valueType)}`];
  });
  return `{${members.join(',')}}`;
}

/** DuckDB writes a fraction without its zero (`.5`) in some casts; JSON wants it. */
function decimalDigits(text: string): string {
  return text.replace(/^(-?)\./, '$10.');
}

/** `2026-01-02 03:04:05.678+00` → `2026-01-02T03:04:05.678Z` */
function isoTime(text: string, type: DataType | undefined): string {
  if (type?.kind !== 'primitive' || (type.name !== 'timestamp' && type.name !== 'timestamp_ntz')) return text;
  return text.replace(/^(-?\d+-\d\d-\d\d) (\d\d:\d\d:\d\d(?:\.\d+)?)(\+00)?$/, (_, day: string, time: string, zone) =>
    zone === undefined ? `${day}T${time}` : `${day}T${time}Z`,
  );
}

function isList(value: Value): value is readonly Value[] {
  return Array.isArray(value);
}
