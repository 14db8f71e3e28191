/** Locations as users write them: a path on this machine, or a URI. */
import { join, resolve } from 'node:path';

/** The scheme of a URI, in small letters; undefined for a path. */
export function schemeOf(location: string): string | undefined {
  return /^([a-z][a-z0-9+.-]+):\/\//i.exec(location)?.[1]?.toLowerCase();
}

/**
 * A location that may be a path relative to a folder.
 * @example locationFrom('/project', 'lake') // '/project/lake'
 * @example locationFrom('/project', 's3://lake/prod') // 's3://lake/prod'
 */
export function locationFrom(folder: string, location: string): string {
  return schemeOf(location) === undefined ? resolve(folder, location) : location;
}

/** @example locationBelow('s3://lake/prod', 'silver', 'orders') // 's3://lake/prod/silver/orders' */
export function locationBelow(location: string, ...names: readonly string[]): string {
  if (schemeOf(location) === undefined) return join(location, ...names);
  return [location.replace(/\/+$/, ''), ...names].join('/');
}
