/**
 * Which conditions of a WHERE let files of a table be left unread, found in DuckDB's tree.
 *
 * Promise: pure, and every condition given holds for each row of the table that can have a part in the result: only conjuncts of
 * the WHERE of the very SELECT that reads the table are taken, and only where the table's rows are not filled up with NULLs
 * or matched one against another (inner joins and the left side of left, semi and anti joins; no sample). Where DuckDB
 * compares in another type than the column's (casts, a number with a text) a condition is left out. (Rounding, NaN and cut
 * statistics are minded in prune.ts.)
 */
import { isJsonObject, type Json } from '../core/json.ts';
import type { DataType, StructType } from '../core/schema.ts';
import type { TreeNode } from '../engine/tree.ts';
import { walk } from '../engine/tree.ts';
import type { Condition } from './prune.ts';

type Op = Condition['op'];

/** `column op literal`, before the column's type is known. */
export interface Predicate {
  readonly column: string;
  /** The name before the column, if it has one. */
  readonly qualifier: string | undefined;
  readonly op: Op;
  readonly literal: Literal;
}

export type Literal =
  | { readonly kind: 'integer'; readonly value: bigint }
  | { readonly kind: 'decimal'; readonly text: string }
  | { readonly kind: 'text'; readonly value: string; readonly cast: string | undefined };

interface Leaf {
  readonly node: TreeNode;
  /** What its columns may be qualified with, in lower case. */
  readonly names: readonly string[];
  readonly safe: boolean;
}

/** The predicates for each table of a tree, by its node (BASE_TABLE or TABLE_FUNCTION). */
export function findPredicates(tree: Json): Map<TreeNode, Predicate[]> {
  const found = new Map<TreeNode, Predicate[]>();
  walk(tree, new Set(), (select) => {
    if (select['type'] !== 'SELECT_NODE' || isJsonObject(select['sample'])) return;
    const leaves = leavesOf(select['from_table'], true);
    for (const conjunct of conjunctsOf(select['where_clause'])) {
      for (const predicate of predicatesOf(conjunct)) {
        const leaf = leafOf(leaves, predicate.qualifier);
        if (leaf?.safe !== true) continue;
        found.set(leaf.node, [...(found.get(leaf.node) ?? []), predicate]);
      }
    }
  });
  return found;
}

/** What the predicates say about a table with this schema, in a form that statistics can answer. */
export function toConditions(predicates: readonly Predicate[], schema: StructType): Condition[] {
  return predicates.flatMap(({ column, qualifier, op, literal }) => {
    const isStruct = schema.fields.some(({ name }) => name.toLowerCase() === qualifier);
    const field = schema.fields.find(({ name }) => name.toLowerCase() === column);
    const typed = field === undefined || isStruct ? undefined : typedCondition(field.type, op, literal);
    return field === undefined || typed === undefined ? [] : [{ column: field.name, ...typed }];
  });
}

function typedCondition(type: DataType, op: Op, literal: Literal): Omit<Condition, 'column'> | undefined {
  const number = literal.kind === 'text' ? undefined : literal.kind === 'integer' ? literal.value : literal.text;
  if (type.kind === 'decimal') return number === undefined ? undefined : { op, value: number };
  if (type.kind !== 'primitive') return undefined;
  switch (type.name) {
    case 'long':
    case 'integer':
    case 'short':
    case 'byte':
      return literal.kind === 'integer' ? { op, value: literal.value } : undefined;
    case 'float':
    case 'double':
      return number === undefined ? undefined : { op, value: number };
    case 'date': {
      const isDate = literal.kind === 'text' && /^\d{4}-\d\d-\d\d$/.test(literal.value);
      return isDate && [undefined, 'DATE'].includes(literal.cast) ? { op, value: literal.value } : undefined;
    }
    case 'timestamp':
    case 'timestamp_ntz': {
      if (literal.kind !== 'text') return undefined;
      const match = /^(\d{4}-\d\d-\d\d)(?:[ T](\d\d:\d\d:\d\d(?:\.\d{1,6})?))?$/.exec(literal.value);
      if (match === null || (literal.cast === 'DATE' && match[2] !== undefined)) return undefined;
      const [, day = '', time = '00:00:00'] = match;
      return { op, value: `${day} ${time}${type.name === 'timestamp' ? '+00' : ''}` };
    }
    case 'string':
      return literal.kind === 'text' && literal.cast === undefined ? { op, value: literal.value } : undefined;
    case 'boolean':
    case 'binary':
      return undefined;
  }
}

function leavesOf(from: Json | undefined, safe: boolean): Leaf[] {
  if (!isJsonObject(from)) return [];
  if (from['type'] === 'JOIN') {
    const plain = from['ref_type'] === 'REGULAR' || from['ref_type'] === 'CROSS';
    const kind = textOf(from['join_type']);
    return [
      ...leavesOf(from['left'], safe && plain && ['INNER', 'LEFT', 'SEMI', 'ANTI'].includes(kind)),
      ...leavesOf(from['right'], safe && plain && kind === 'INNER'),
    ];
  }
  const renamed = Array.isArray(from['column_name_alias']) && from['column_name_alias'].length > 0;
  const isTable = from['type'] === 'BASE_TABLE' || from['type'] === 'TABLE_FUNCTION';
  const call = from['function'];
  const own =
    from['type'] === 'BASE_TABLE' ? from['table_name'] : isJsonObject(call) ? call['function_name'] : undefined;
  const alias = textOf(from['alias']) || textOf(own);
  const usable = safe && isTable && !renamed && !isJsonObject(from['sample']);
  return [{ node: from, names: alias === '' ? [] : [alias.toLowerCase()], safe: usable }];
}

/** An unqualified column belongs to the only table there is; with several it is not looked into. */
function leafOf(leaves: readonly Leaf[], qualifier: string | undefined): Leaf | undefined {
  const candidates = qualifier === undefined ? leaves : leaves.filter(({ names }) => names.includes(qualifier));
  return candidates.length === 1 ? candidates[0] : undefined;
}

function conjunctsOf(where: Json | undefined): TreeNode[] {
  if (!isJsonObject(where)) return [];
  if (where['type'] !== 'CONJUNCTION_AND') return [where];
  return childrenOf(where).flatMap(conjunctsOf);
}

const COMPARISONS: Readonly<Record<string, readonly [Op, Op]>> = {
  COMPARE_EQUAL: ['=', '='],
  COMPARE_LESSTHAN: ['<', '>'],
  COMPARE_LESSTHANOREQUALTO: ['<=', '>='],
  COMPARE_GREATERTHAN: ['>', '<'],
  COMPARE_GREATERTHANOREQUALTO: ['>=', '<='],
};

function predicatesOf(node: TreeNode): Predicate[] {
  const comparison = COMPARISONS[textOf(node['type'])];
  if (comparison !== undefined) {
    const [op, flipped] = comparison;
    return [...predicate(node['left'], op, node['right']), ...predicate(node['right'], flipped, node['left'])];
  }
  if (node['type'] === 'COMPARE_BETWEEN') {
    return [...predicate(node['input'], '>=', node['lower']), ...predicate(node['input'], '<=', node['upper'])];
  }
  if (node['type'] === 'COMPARE_IN') {
    const [column, ...items] = childrenOf(node);
    return rangeOf(items).flatMap(([op, item]) => predicate(column, op, item));
  }
  return [];
}

/** `IN (1, 5)` lies between 1 and 5. Only for lists of integers. */
function rangeOf(items: readonly TreeNode[]): [Op, Json][] {
  const sorted = items.flatMap((node) => {
    const literal = literalOf(node);
    return literal?.kind === 'integer' ? [{ node, value: literal.value }] : [];
  });
  sorted.sort((a, b) => (a.value < b.value ? -1 : a.value > b.value ? 1 : 0));
  const [least, most] = [sorted[0], sorted.at(-1)];
  if (least === undefined || most === undefined || sorted.length < items.length) return [];
  return [['>=', least.node], ['<=', most.node]]; // prettier-ignore
}

function predicate(column: Json | undefined, op: Op, value: Json | undefined): Predicate[] {
  const literal = literalOf(value);
  if (!isJsonObject(column) || column['class'] !== 'COLUMN_REF' || literal === undefined) return [];
  const names = Array.isArray(column['column_names']) ? (column['column_names'] as readonly Json[]).map(String) : [];
  const [last, before, ...more] = names.map((name) => name.toLowerCase()).reverse();
  if (last === undefined || more.length > 0) return [];
  return [{ column: last, qualifier: before, op, literal }];
}

function literalOf(node: Json | undefined): Literal | undefined {
  if (!isJsonObject(node)) return undefined;
  if (node['type'] === 'OPERATOR_CAST' && node['try_cast'] !== true) {
    const inner = literalOf(node['child']);
    const to = isJsonObject(node['cast_type']) ? textOf(node['cast_type']['id']) : '';
    const isTime = ['DATE', 'TIMESTAMP', 'TIMESTAMP WITH TIME ZONE'].includes(to);
    return inner?.kind === 'text' && inner.cast === undefined && isTime ? { ...inner, cast: to } : undefined;
  }
  const constant = node['type'] === 'VALUE_CONSTANT' ? node['value'] : undefined;
  if (!isJsonObject(constant) || constant['is_null'] === true || !isJsonObject(constant['type'])) return undefined;
  const { id, type_info: info } = constant['type'];
  const value = constant['value'];
  if (id === 'VARCHAR' && typeof value === 'string') return { kind: 'text', value, cast: undefined };
  const digits =
    typeof value === 'bigint' || (typeof value === 'number' && Number.isSafeInteger(value)) ? BigInt(value) : undefined;
  if (digits === undefined) return undefined;
  if (id === 'TINYINT' || id === 'SMALLINT' || id === 'INTEGER' || id === 'BIGINT')
    return { kind: 'integer', value: digits };
  if (id !== 'DECIMAL' || !isJsonObject(info) || typeof info['scale'] !== 'number') return undefined;
  const length = digits.toString().replace('-', '').length;
  return length > 15 ? undefined : { kind: 'decimal', text: decimalText(digits, info['scale']) };
}

function decimalText(digits: bigint, scale: number): string {
  const sign = digits < 0n ? '-' : '';
  const padded = digits
    .toString()
    .replace('-', '')
    .padStart(scale + 1, '0');
  const whole = padded.slice(0, padded.length - scale);
  return scale === 0 ? `${sign}${whole}` : `${sign}${whole}.${padded.slice(padded.length - scale)}`;
}

function childrenOf(node: { readonly [key: string]: Json | undefined }): TreeNode[] {
  const children = node['children'];
  return Array.isArray(children) ? (children as readonly Json[]).filter(isJsonObject) : [];
}

function textOf(json: Json | undefined): string {
  return typeof json === 'string' ? json : '';
}
