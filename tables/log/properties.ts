/** Table properties as Delta reads them. */
export type Properties = Readonly<Record<string, string>>;

/** Whether a property is on: Spark keeps `TRUE` as the user wrote it, and takes it for true. */
export function isOn(properties: Properties, key: string): boolean {
  return properties[key]?.trim().toLowerCase() === 'true';
}
