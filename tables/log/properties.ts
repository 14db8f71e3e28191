/** Table properties as Delta reads them. */
export type Properties = Readonly<Record<string, string>>;

const CONSTRAINT = 'delta.constraints.';
export const MAPPING_MODE = 'delta.columnMapping.mode';

/** How columns are named in data files, as the property says it: `none`, `name`, `id`, or something that nobody knows. */
export function mappingSetting(properties: Properties): string {
  return properties[MAPPING_MODE]?.toLowerCase() ?? 'none';
}

/** The name of the CHECK constraint that a property is; undefined for other properties. */
export function constraintName(key: string): string | undefined {
  return key.toLowerCase().startsWith(CONSTRAINT) ? key.slice(CONSTRAINT.length) : undefined;
}

/** The property that a CHECK constraint is. Source: Delta, `Constraints` (names are kept in lower case). */
export function constraintKey(name: string): string {
  return `${CONSTRAINT}${name.toLowerCase()}`;
}

/** Whether a property is on: Spark keeps `TRUE` as the user wrote it, and takes it for true. */
export function isOn(properties: Properties, key: string): boolean {
  return properties[key]?.trim().toLowerCase() === 'true';
}
