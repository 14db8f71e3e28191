/**
 * What a table demands of those who read and write it.
 *
 * Promise: a table that needs more than sluice has is refused with the name of the feature, never read or written wrong; a
 * table of ours demands no more than its columns need.
 * Source: Delta protocol, "Protocol Evolution", "Table Features".
 */
import { SluiceError } from '../../core/errors.ts';
import type { DataType, StructType } from '../../core/schema.ts';
import type { Metadata, Protocol } from './actions.ts';
import { isOn } from './properties.ts';
import { durationMs } from './retention.ts';

/** What sluice does for a reader, and features that ask nothing of one. */
const READABLE = new Set(['timestampNtz', 'columnMapping', 'deletionVectors', 'typeWidening', 'typeWidening-preview', 'v2Checkpoint', 'vacuumProtocolCheck']); // prettier-ignore
/** Features that ask nothing of a writer unless the table's properties or columns use them, which is looked at below. */
const WRITABLE = new Set(['timestampNtz', 'appendOnly', 'invariants', 'checkConstraints', 'generatedColumns', 'identityColumns', 'changeDataFeed', 'columnMapping', 'deletionVectors', 'vacuumProtocolCheck']); // prettier-ignore
const LEGACY_WRITER = 6;
/** What each legacy writer version stands for. Source: Delta protocol, "Table Features", "Writer Version Requirements". */
const LEGACY_FEATURES: readonly (readonly [number, readonly string[]])[] = [
  [2, ['appendOnly', 'invariants']],
  [3, ['checkConstraints']],
  [4, ['changeDataFeed', 'generatedColumns']],
  [5, ['columnMapping']],
  [6, ['identityColumns']],
];
/** Properties that switch on a feature which our protocol does not announce: other engines would then read it wrong. */
const FEATURE_PROPERTIES =
  /^delta\.(feature\.|min(Reader|Writer)Version$|columnMapping\.|constraints\.|enable(?!ExpiredLogCleanup$)|checkpointPolicy$|universalFormat\.)/;

const DURATIONS = new Set([
  'delta.deletedFileRetentionDuration',
  'delta.logRetentionDuration',
  'delta.setTransactionRetentionDuration',
]);

/** The least protocol that a schema needs. */
export function protocolFor(schema: StructType): Protocol {
  if (!usesTimestampNtz(schema)) return { minReaderVersion: 1, minWriterVersion: 2 };
  return {
    minReaderVersion: 3,
    minWriterVersion: 7,
    readerFeatures: ['timestampNtz'],
    writerFeatures: ['timestampNtz', 'appendOnly', 'invariants'],
  };
}

/** The protocol after a schema change: the old one where it is enough, else one that lists what the old one implied too. */
export function upgraded(current: Protocol, schema: StructType): Protocol {
  if (!usesTimestampNtz(schema) || current.readerFeatures?.includes('timestampNtz') === true) return current;
  const features = ['timestampNtz'];
  return joined(current, {
    minReaderVersion: 3,
    minWriterVersion: 7,
    readerFeatures: features,
    writerFeatures: features,
  });
}

/** A protocol that demands what each of two demands; the first one itself where that is enough. */
export function joined(a: Protocol, b: Protocol): Protocol {
  const minReaderVersion = Math.max(a.minReaderVersion, b.minReaderVersion);
  const minWriterVersion = Math.max(a.minWriterVersion, b.minWriterVersion);
  if (minWriterVersion < 7) return isSame(a, { minReaderVersion, minWriterVersion });
  const union = (of: (protocol: Protocol) => readonly string[]): string[] => [...new Set([...of(a), ...of(b)])];
  const writerFeatures = union(featuresOf);
  if (minReaderVersion < 3) return isSame(a, { minReaderVersion, minWriterVersion, writerFeatures });
  return isSame(a, { minReaderVersion, minWriterVersion, readerFeatures: union(readerFeaturesOf), writerFeatures });
}

function isSame(a: Protocol, b: Protocol): Protocol {
  const text = (protocol: Protocol): string =>
    [
      protocol.minReaderVersion,
      protocol.minWriterVersion,
      [...(protocol.readerFeatures ?? [])].sort(),
      [...(protocol.writerFeatures ?? [])].sort(),
    ].join(';');
  return text(a) === text(b) ? a : b;
}

/** The features of a writer, also those that a legacy version implies. */
function featuresOf({ minWriterVersion, writerFeatures }: Protocol): readonly string[] {
  if (writerFeatures !== undefined) return writerFeatures;
  return LEGACY_FEATURES.flatMap(([version, features]) => (minWriterVersion >= version ? features : []));
}

function readerFeaturesOf({ minReaderVersion, readerFeatures }: Protocol): readonly string[] {
  return readerFeatures ?? (minReaderVersion === 2 ? ['columnMapping'] : []);
}

/** @throws SluiceError `UNSUPPORTED_FEATURE` for table properties that a user may not set through sluice, `CONFIG_INVALID` for values that mean nothing */
export function checkProperties(properties: Readonly<Record<string, string>>, table: string): void {
  for (const [key, value] of Object.entries(properties)) checkValue(key, value, table);
  const needed = Object.entries(properties).filter(
    ([key, value]) => FEATURE_PROPERTIES.test(key) && !['false', 'none', 'classic'].includes(value.toLowerCase()),
  );
  if (needed.length === 0) return;
  const features = needed.map(([key]) => key);
  throw new SluiceError('UNSUPPORTED_FEATURE', `${table}: sluice cannot set the properties ${features.join(', ')}`, {
    advice: 'Leave them out: they ask writers for something that sluice does not do.',
    facts: { table, features },
  });
}

/** A duration that nobody understands would keep files for ever, silently. */
function checkValue(key: string, value: string, table: string): void {
  if (!DURATIONS.has(key) || durationMs(value) !== undefined) return;
  throw new SluiceError('CONFIG_INVALID', `${table}: ${key} is no duration: ${value}`, {
    advice: 'Write it as `interval 30 days`.',
    facts: { table, property: key },
  });
}

/** @throws SluiceError `UNSUPPORTED_FEATURE` naming each feature that a reader would need. */
export function checkReadable(protocol: Protocol, table: string): void {
  const needed = (protocol.readerFeatures ?? []).filter((feature) => !READABLE.has(feature));
  if (protocol.minReaderVersion > 3) needed.push(`reader version ${String(protocol.minReaderVersion)}`);
  if (needed.length > 0) throw unsupported(table, 'read', needed);
}

/** @throws SluiceError `UNSUPPORTED_FEATURE` naming what a writer would have to do and sluice does not. */
export function checkWritable(protocol: Protocol, metadata: Metadata, table: string): void {
  const needed = (protocol.writerFeatures ?? []).filter((feature) => !WRITABLE.has(feature));
  if (
    protocol.minWriterVersion > 7 ||
    (protocol.minWriterVersion > LEGACY_WRITER && protocol.writerFeatures === undefined)
  ) {
    needed.push(`writer version ${String(protocol.minWriterVersion)}`);
  }
  const { configuration, schema, hasVoid } = metadata;
  if (hasVoid) needed.push('columns of type void');
  if ((configuration['delta.columnMapping.mode'] ?? 'none').toLowerCase() !== 'none') needed.push('columnMapping');
  if (isOn(configuration, 'delta.enableChangeDataFeed')) needed.push('changeDataFeed');
  for (const { metadata: column } of schema.fields) {
    if (column['delta.generationExpression'] !== undefined) needed.push('generatedColumns');
    if (Object.keys(column).some((key) => key.startsWith('delta.identity.'))) needed.push('identityColumns');
  }
  if (needed.length > 0) throw unsupported(table, 'written', [...new Set(needed)]);
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

function usesTimestampNtz(type: DataType): boolean {
  switch (type.kind) {
    case 'primitive':
      return type.name === 'timestamp_ntz';
    case 'decimal':
      return false;
    case 'array':
      return usesTimestampNtz(type.element);
    case 'map':
      return usesTimestampNtz(type.key) || usesTimestampNtz(type.value);
    case 'struct':
      return type.fields.some((field) => usesTimestampNtz(field.type));
  }
}
