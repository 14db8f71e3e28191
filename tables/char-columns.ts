/**
 * Texts of a fixed length, CHAR(n): a table has them as plain texts whose metadata says how they were declared.
 *
 * Promise: pure; a text that is shorter than its column's length is read with spaces up to it, as Spark reads it, at any depth;
 * a declaration that is not understood changes nothing.
 */
import type { DataType, Field } from '../core/schema.ts';
import { quoteIdent, quoteString } from '../engine/quoting.ts';

const DECLARED = '__CHAR_VARCHAR_TYPE_STRING';

/** The lengths of a type's texts, in its own shape; undefined where it has none. */
type Lengths = number | readonly (Lengths | undefined)[] | undefined;

/** Whether values are read other than data files and statistics have them. */
export function isPadded({ metadata }: Field): boolean {
  const declared = metadata[DECLARED];
  return typeof declared === 'string' && /\bchar\(/i.test(declared);
}

/**
 * SQL for a column as it is read, from one as it is stored.
 * @param value SQL with the names of the schema; it is repeated
 */
export function padded(value: string, field: Field): string {
  const declared = field.metadata[DECLARED];
  if (typeof declared !== 'string' || !isPadded(field)) return value;
  const [lengths, rest] = lengthsOf(field.type, declared);
  return rest === '' ? paddedTo(value, field.type, lengths, 0) : value;
}

/** @returns also what comes after the type */
function lengthsOf(type: DataType, declared: string): [Lengths, string] {
  switch (type.kind) {
    case 'array':
      return inner(declared, 'array', [(text) => lengthsOf(type.element, text)]);
    case 'map':
      return inner(declared, 'map', [(text) => lengthsOf(type.key, text), (text) => lengthsOf(type.value, text)]);
    case 'struct':
      return inner(
        declared,
        'struct',
        type.fields.map((one) => (text) => lengthsOf(one.type, afterName(text, one.name))),
      );
    case 'decimal':
    case 'primitive': {
      const [all = '', length] = /^(?:char\((\d+)\)|[a-z_]+(?:\([\d,]*\))?)/i.exec(declared) ?? [];
      return [length === undefined ? undefined : Number(length), declared.slice(all.length)];
    }
  }
}

function inner(
  declared: string,
  name: string,
  parts: readonly ((text: string) => [Lengths, string])[],
): [Lengths, string] {
  const lengths: Lengths[] = [];
  let rest = declared.slice(name.length);
  for (const part of parts) {
    const [length, after] = part(rest.slice(1));
    lengths.push(length);
    rest = after;
  }
  return [lengths.some((one) => one !== undefined) ? lengths : undefined, rest.slice(1)];
}

function afterName(text: string, name: string): string {
  const spelled = [name, `\`${name.replaceAll('`', '``')}\``].find((one) => text.startsWith(`${one}:`));
  return text.slice((spelled?.length ?? text.indexOf(':')) + 1);
}

function paddedTo(value: string, type: DataType, lengths: Lengths, depth: number): string {
  if (lengths === undefined) return value;
  if (typeof lengths === 'number') {
    const length = String(lengths);
    return `CASE WHEN length(${value}) < ${length} THEN rpad(${value}, ${length}, ' ') ELSE ${value} END`;
  }
  const [first, second] = lengths;
  const item = `c${String(depth)}`;
  const inside = (part: string, partType: DataType, own: Lengths): string => paddedTo(part, partType, own, depth + 1);
  switch (type.kind) {
    case 'array':
      return `list_transform(${value}, lambda ${item}: ${inside(item, type.element, first)})`;
    case 'map': {
      const entry = `struct_pack(k := ${inside(`${item}.key`, type.key, first)}, v := ${inside(`${item}.value`, type.value, second)})`;
      return `CASE WHEN ${value} IS NOT NULL THEN map_from_entries(list_transform(map_entries(${value}), lambda ${item}: ${entry})) END`;
    }
    case 'struct': {
      const fields = type.fields.map(({ name, type: own }, i) => {
        return `${quoteIdent(name)} := ${inside(`struct_extract(${value}, ${quoteString(name)})`, own, lengths[i])}`;
      });
      return `CASE WHEN ${value} IS NOT NULL THEN struct_pack(${fields.join(', ')}) END`;
    }
    case 'decimal':
    case 'primitive':
      return value;
  }
}
