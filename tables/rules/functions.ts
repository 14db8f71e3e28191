/**
 * Functions that both engines have: what they take, and what they give.
 *
 * Promise: pure; one that is not known to give the same for every value is refused with its name and what it was given.
 */
import type { Json, JsonObject } from '../../core/json.ts';
import { constantFamily, constantOf, isText, isTime, textOf, type Family } from './families.ts';
import { refuse } from './respelled.ts';

export function functionFamily(name: string, parts: readonly Family[], children: readonly Json[]): Family {
  const [first = 'other', second] = parts;
  const isSum = parts.every((part) => part === 'integer') || parts.every((part) => part === 'double');
  if (['+', '-', '*'].includes(name) && isSum) return first;
  const [, given] = children;
  if (name === '%' && isSum && first === 'integer' && isWritten(given, (value) => value !== 0)) return first;
  if (['~~', '!~~'].includes(name) && isText(first) && second !== undefined && isText(second)) {
    if (constantOf(given) !== undefined) return 'boolean';
  }
  if (name === '||' && parts.every((part) => isText(part) || part === 'null')) return 'text';
  if (name === 'length' && parts.length === 1 && isText(first)) return 'integer';
  if (name === 'abs' && parts.length === 1 && (first === 'integer' || first === 'double')) return first;
  if (['substring', 'substr'].includes(name) && isText(first)) {
    const [, start, length] = children;
    if (isWritten(start, (value) => value > 0) && (length === undefined || isWritten(length, () => true)))
      return 'text';
  }
  return timeFamily(name, parts, children) ?? refuse(`${name}(${parts.join(', ')})`);
}

const DATE_PARTS = new Set(['year', 'quarter', 'month', 'day', 'dayofyear']);

/** Whether a function gives a part of a date or time as a number. */
export function isPart(name: string): boolean {
  return DATE_PARTS.has(name) || name === 'hour' || name === 'minute';
}

/** Parts of dates and of times. */
function timeFamily(name: string, parts: readonly Family[], children: readonly Json[]): Family | undefined {
  const [first = 'other', second = 'other'] = parts;
  if (isPart(name) && parts.length === 1 && isTime(first) && (first !== 'date' || DATE_PARTS.has(name)))
    return 'integer';
  if (name === 'strftime' && isTime(first)) return 'text';
  const unit = textOf(constantOf(children[0])).toLowerCase();
  const isUnit = name === 'date_trunc' && ['year', 'month', 'day', 'hour', 'minute'].includes(unit);
  return isUnit && second === 'timestamp' ? second : undefined;
}

/** Whether it is a whole number that is written out, and no sum. */
function isWritten(node: Json | undefined, is: (value: number) => boolean): boolean {
  const value = constantOf(node);
  return typeof value === 'number' && Number.isInteger(value) && constantFamily((node as JsonObject)['value']) === 'integer' && is(value); // prettier-ignore
}
