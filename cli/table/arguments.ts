/** Values of options, checked as they are parsed: versions, times, lists. */
import { SluiceError } from '../../core/errors.ts';

/** For options that may be repeated. */
export function collected(text: string, before: readonly string[] | undefined): string[] {
  return [...(before ?? []), text];
}

/** Names with commas between them; one with other characters stands in double quotes. */
export function columns(text: string): string[] {
  const names = [...text.matchAll(/\s*(?:"((?:[^"]|"")+)"|([^",\s][^",]*))\s*(,|$)/gy)];
  const whole = names.map(([match]) => match).join('');
  if (whole === text && names.at(-1)?.[3] === '') {
    return names.map(([, quoted, plain = '']) => quoted?.replaceAll('""', '"') ?? plain.trim());
  }
  throw new SluiceError('USAGE', `not a list of columns: ${text}`, {
    advice: `Write it as customer_id,ts; a name with other characters as '"odd, name"'.`,
  });
}

export function hours(text: string): number {
  if (/^\d{1,7}(\.\d+)?$/.test(text)) return Number(text);
  throw new SluiceError('USAGE', `not a number of hours: ${text}`, { advice: 'Write it as --retain-hours 168.' });
}

export function version(text: string): bigint {
  const found = asVersion(text);
  if (found !== undefined) return found;
  throw new SluiceError('USAGE', `not a version: ${text}`, { advice: 'Write it as --version-as-of 3.' });
}

/** ISO 8601; without a zone it is UTC, as everywhere in sluice. */
export function timestamp(text: string): Date {
  const found = asTime(text);
  if (found !== undefined) return found;
  throw new SluiceError('USAGE', `not a time: ${text}`, {
    advice: 'Write it as --timestamp-as-of 2026-01-02T03:04:05Z.',
  });
}

/** A version by its number, or a time. */
export function versionOrTime(text: string): bigint | Date {
  const found = asVersion(text) ?? asTime(text);
  if (found !== undefined) return found;
  throw new SluiceError('USAGE', `neither a version nor a time: ${text}`, {
    advice: 'Write a version as 3, and a time as 2026-01-02T03:04:05Z.',
  });
}

function asVersion(text: string): bigint | undefined {
  return /^\d{1,18}$/.test(text) ? BigInt(text) : undefined;
}

function asTime(text: string): Date | undefined {
  const [, day = '', time = '00:00:00', zone = 'Z'] =
    /^(\d{4}-\d\d-\d\d)(?:[ T](\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?)\s?(Z|[+-]\d\d:\d\d)?)?$/i.exec(text) ?? [];
  const date = new Date(`${day}T${time}${zone.toUpperCase()}`);
  return isCalendarDay(day) && !Number.isNaN(date.getTime()) ? date : undefined;
}

/** The 31st of February is none, though JavaScript counts on from there. */
function isCalendarDay(day: string): boolean {
  const midnight = new Date(`${day}T00:00:00Z`);
  return !Number.isNaN(midnight.getTime()) && midnight.toISOString().startsWith(day);
}
