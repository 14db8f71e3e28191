/**
 * What a table demands of those who read and write it.
 *
 * Promise: a table that needs more than sluice has is refused with the name of the feature, never read or written wrong; a
 * table of ours demands no more than its columns need.
 * Source: Delta protocol, "Protocol Evolution", "Table Features".
 */
import { SluiceError } from '../../core/errors.ts';
import type { Metadata, Protocol } from './actions.ts';
import { featureNamed, featuresOf, unreadable, unwritable, withFeatures } from './features.ts';
import { isOn, type Properties } from './properties.ts';
import { durationMs } from './retention.ts';

/** Properties that ask for something that sluice does not do, beside those that need a feature (`features.ts`). */
const NOT_SET =
  /^delta\.(columnMapping\.(?!mode$)|rowTracking\.|constraints\.|universalFormat\.|coordinatedCommits\.|enable(?!ExpiredLogCleanup$|ChangeDataFeed$|DeletionVectors$|TypeWidening$|RowTracking$|InCommitTimestamps$|IcebergCompat))/;
/** Properties that speak of the protocol. They are no part of the table's own. Source: Delta, `isTableProtocolProperty`. */
const FEATURE = 'delta.feature.';

const MAX_COLUMN_ID = 'delta.columnMapping.maxColumnId';

const DURATIONS = new Set([
  'delta.deletedFileRetentionDuration',
  'delta.logRetentionDuration',
  'delta.setTransactionRetentionDuration',
]);

/** What a user asks of a table by its properties: some are kept with it, others name features. */
export interface Asked {
  readonly configuration: Properties;
  readonly features: readonly string[];
}

/**
 * Properties that a user sets, told apart.
 * @throws SluiceError `UNSUPPORTED_FEATURE` for those that a user may not set through sluice, `CONFIG_INVALID` for values that mean nothing
 */
export function askedBy(properties: Properties, table: string): Asked {
  checkProperties(properties, table);
  const own: [string, string][] = [];
  const features: string[] = [];
  let [minReaderVersion, minWriterVersion] = [1, 2];
  for (const [key, value] of Object.entries(properties)) {
    if (key.startsWith(FEATURE)) features.push(featureAsked(key, value, table));
    else if (key === 'delta.minReaderVersion') minReaderVersion = versionAsked(key, value, 3, table);
    else if (key === 'delta.minWriterVersion') minWriterVersion = versionAsked(key, value, 7, table);
    else own.push([key, value]);
  }
  const named = minWriterVersion === 7 ? [] : featuresOf({ minReaderVersion, minWriterVersion });
  return { configuration: Object.fromEntries(own), features: [...named, ...features] };
}

function featureAsked(key: string, value: string, table: string): string {
  const facts = { table, property: key };
  const name = key.slice(FEATURE.length);
  const feature = featureNamed(name);
  if (feature === undefined) {
    throw new SluiceError('UNSUPPORTED_FEATURE', `${table}: sluice knows no table feature ${name}`, {
      advice: 'docs/delta-support.md lists them.',
      facts: { ...facts, features: [name] },
    });
  }
  if (['supported', 'enabled'].includes(value.toLowerCase())) return feature;
  throw new SluiceError('CONFIG_INVALID', `${table}: ${key} is ${value}: a feature can only be set to supported`, {
    advice: `Write ${FEATURE}${feature} = supported.`,
    facts,
  });
}

function versionAsked(key: string, value: string, highest: number, table: string): number {
  const version = Number(value);
  if (Number.isInteger(version) && version >= 1 && version <= highest) return version;
  throw new SluiceError(
    'CONFIG_INVALID',
    `${table}: ${key} is ${value}: it is a whole number from 1 to ${String(highest)}`,
    {
      advice: `Leave it out: sluice takes the least that the table needs.`,
      facts: { table, property: key },
    },
  );
}

/** A protocol that demands what each of two demands; the first one itself where that is enough. */
export function joined(a: Protocol, b: Protocol): Protocol {
  return withFeatures(a, featuresOf(b));
}

function checkProperties(properties: Properties, table: string): void {
  for (const [key, value] of Object.entries(properties)) checkValue(key, value, table);
  if (Object.hasOwn(properties, MAX_COLUMN_ID)) throw notTheUsers(MAX_COLUMN_ID, table);
  const needed = Object.entries(properties).filter(
    ([key, value]) => NOT_SET.test(key) && !['false', 'none'].includes(value.toLowerCase()),
  );
  if (needed.length === 0) return;
  const features = needed.map(([key]) => key);
  throw new SluiceError('UNSUPPORTED_FEATURE', `${table}: sluice cannot set the properties ${features.join(', ')}`, {
    advice: 'Leave them out: they ask writers for something that sluice does not do.',
    facts: { table, features },
  });
}

/** @throws SluiceError `UNSUPPORTED_FEATURE` for properties that only writers may take away. */
export function checkUnset(keys: readonly string[], table: string): void {
  if (keys.includes(MAX_COLUMN_ID)) throw notTheUsers(MAX_COLUMN_ID, table);
}

function notTheUsers(key: string, table: string): SluiceError {
  return new SluiceError('UNSUPPORTED_FEATURE', `${table}: ${key} is no property for users`, {
    advice: 'Writers keep it up as columns are added.',
    facts: { table, features: [key] },
  });
}

/** A duration that nobody understands would keep files for ever, silently. */
function checkValue(key: string, value: string, table: string): void {
  if (key === 'delta.columnMapping.mode' && !['none', 'name', 'id'].includes(value.toLowerCase())) {
    throw new SluiceError('CONFIG_INVALID', `${table}: ${key} is ${value}: it is none, name or id`, {
      advice: 'Write name.',
      facts: { table, property: key },
    });
  }
  if (key === 'delta.checkpointPolicy' && !['classic', 'v2'].includes(value.toLowerCase())) {
    throw new SluiceError('CONFIG_INVALID', `${table}: ${key} is ${value}: it is classic or v2`, {
      advice: 'Write classic, or v2.',
      facts: { table, property: key },
    });
  }
  if (!DURATIONS.has(key) || durationMs(value) !== undefined) return;
  throw new SluiceError('CONFIG_INVALID', `${table}: ${key} is no duration: ${value}`, {
    advice: 'Write it as `interval 30 days`.',
    facts: { table, property: key },
  });
}

/** @throws SluiceError `UNSUPPORTED_FEATURE` naming each feature that a reader would need. */
export function checkReadable(protocol: Protocol, table: string): void {
  const needed = unreadable(protocol);
  if (protocol.minReaderVersion > 3) needed.push(`reader version ${String(protocol.minReaderVersion)}`);
  if (needed.length > 0) throw unsupported(table, 'read', needed);
}

/** @throws SluiceError `UNSUPPORTED_FEATURE` naming what a writer would have to do and sluice does not. */
export function checkWritable(protocol: Protocol, metadata: Metadata, table: string): void {
  const needed = neededOfWriters(protocol, metadata);
  if (needed.length > 0) throw unsupported(table, 'written', needed);
}

/** As `checkWritable`, for what a table is about to become. */
export function checkStaysWritable(protocol: Protocol, metadata: Metadata, table: string): void {
  const features = neededOfWriters(protocol, metadata);
  if (features.length === 0) return;
  throw new SluiceError(
    'UNSUPPORTED_FEATURE',
    `${table}: sluice could not write the table then: it would need ${features.join(', ')}`,
    {
      advice:
        'Leave out the property or column that asks for it (docs/delta-support.md), or make the change with Spark.',
      facts: { table, features },
    },
  );
}

function neededOfWriters(protocol: Protocol, metadata: Metadata): string[] {
  const needed = unwritable({ protocol, metadata });
  if (protocol.minWriterVersion > 7 || (protocol.minWriterVersion === 7 && protocol.writerFeatures === undefined)) {
    needed.push(`writer version ${String(protocol.minWriterVersion)}`);
  }
  if (metadata.hasVoid) needed.push('columns of type void');
  return needed;
}

/** @throws SluiceError `TABLE_APPEND_ONLY`. Source: Delta protocol, "Append-only Tables" */
export function checkNotAppendOnly(configuration: Metadata['configuration'], table: string): void {
  if (!isOn(configuration, 'delta.appendOnly')) return;
  throw new SluiceError('TABLE_APPEND_ONLY', `${table} only takes appends (delta.appendOnly), and rows were to go`, {
    advice: "Set the table property delta.appendOnly to 'false' if rows may be removed.",
    facts: { table },
  });
}

function unsupported(table: string, verb: string, features: readonly string[]): SluiceError {
  return new SluiceError('UNSUPPORTED_FEATURE', `${table} cannot be ${verb}: it needs ${features.join(', ')}`, {
    advice: 'Use an engine that has these features, or drop them there (ALTER TABLE … DROP FEATURE).',
    facts: { table, features },
  });
}
