/**
 * The table features of the protocol: what each asks of whom, and what of it sluice has.
 *
 * Promise: pure; a protocol lists a feature together with those that it requires, says so in a legacy version where one stands for exactly the
 * same features (most engines read those), and is never less than before.
 * Source: Delta protocol, "Table Features", "Writer Version Requirements"; Delta, `TableFeature`, `Protocol.normalized`.
 */
import { typesIn, type DataType } from '../../core/schema.ts';
import type { Metadata, Protocol } from './actions.ts';
import { constraintName, isOn, mappingSetting } from './properties.ts';

interface Feature {
  /** The writer version, and the reader version, that stand for it (among others) without naming it. */
  readonly legacyWriter?: number;
  readonly legacyReader?: number;
  /** Whether readers must know it too. @default false */
  readonly readers?: true;
  readonly requires?: readonly string[];
  /** Whether a table that says this of itself needs the feature. */
  readonly neededBy?: (metadata: Metadata) => boolean;
  /** Whether sluice reads tables that have it. Those that ask nothing of readers are read whatever this says. @default false */
  readonly read?: true;
  /** Whether sluice writes such tables. @default no */
  readonly write?: 'always';
}

const property =
  (key: string) =>
  ({ configuration }: Metadata): boolean =>
    isOn(configuration, key);
const columns =
  (has: (key: string) => boolean) =>
  ({ schema }: Metadata): boolean =>
    schema.fields.some(({ metadata }) => Object.keys(metadata).some(has));

const FEATURES: Readonly<Record<string, Feature>> = {
  appendOnly: { legacyWriter: 2, neededBy: property('delta.appendOnly'), write: 'always' },
  invariants: { legacyWriter: 2, neededBy: columns((key) => key === 'delta.invariants'), write: 'always' },
  checkConstraints: {
    legacyWriter: 3,
    neededBy: ({ configuration }) => Object.keys(configuration).some((key) => constraintName(key) !== undefined),
    write: 'always',
  },
  changeDataFeed: { legacyWriter: 4, neededBy: property('delta.enableChangeDataFeed'), write: 'always' },
  generatedColumns: { legacyWriter: 4, neededBy: columns((key) => key === 'delta.generationExpression'), write: 'always' }, // prettier-ignore
  columnMapping: {
    legacyWriter: 5,
    legacyReader: 2,
    readers: true,
    neededBy: ({ configuration }) => mappingSetting(configuration) !== 'none',
    read: true,
    write: 'always',
  },
  identityColumns: { legacyWriter: 6, neededBy: columns((key) => key.startsWith('delta.identity.')), write: 'always' },
  timestampNtz: {
    readers: true,
    neededBy: ({ schema }) => [...typesIn(schema)].some(isTimestampNtz),
    read: true,
    write: 'always',
  },
  deletionVectors: { readers: true, neededBy: property('delta.enableDeletionVectors'), read: true, write: 'always' },
  typeWidening: { readers: true, neededBy: property('delta.enableTypeWidening'), read: true, write: 'always' },
  'typeWidening-preview': { readers: true, read: true },
  v2Checkpoint: {
    readers: true,
    neededBy: ({ configuration }) => configuration['delta.checkpointPolicy']?.toLowerCase() === 'v2',
    read: true,
    write: 'always',
  },
  vacuumProtocolCheck: { readers: true, read: true, write: 'always' },
  domainMetadata: { write: 'always' },
  rowTracking: { requires: ['domainMetadata'], neededBy: property('delta.enableRowTracking'), write: 'always' },
  clustering: { requires: ['domainMetadata'], write: 'always' },
  inCommitTimestamp: { neededBy: property('delta.enableInCommitTimestamps'), write: 'always' },
  allowColumnDefaults: { neededBy: columns((key) => key === 'CURRENT_DEFAULT'), write: 'always' },
  icebergCompatV1: { requires: ['columnMapping'], neededBy: property('delta.enableIcebergCompatV1') },
  icebergCompatV2: { requires: ['columnMapping'], neededBy: property('delta.enableIcebergCompatV2') },
  checkpointProtection: { write: 'always' },
  materializePartitionColumns: {},
  variantType: { readers: true },
  'variantType-preview': { readers: true },
  catalogManaged: { readers: true, requires: ['inCommitTimestamp', 'vacuumProtocolCheck'] },
};

/** The name of a feature as the protocol spells it; undefined for one that sluice has never heard of. */
export function featureNamed(name: string): string | undefined {
  return Object.keys(FEATURES).find((known) => known.toLowerCase() === name.toLowerCase());
}

/** All features of a protocol: those that it names, and those that its versions stand for. */
export function featuresOf(protocol: Protocol): ReadonlySet<string> {
  const { minReaderVersion, minWriterVersion, readerFeatures = [], writerFeatures } = protocol;
  const names = new Set([...(writerFeatures ?? []), ...readerFeatures]);
  for (const [name, { legacyWriter, legacyReader = 1 }] of Object.entries(FEATURES)) {
    if (legacyWriter === undefined) continue;
    // A reader version of 2 is only ever that of columnMapping; a writer that lists its features lists that one too.
    const implied = writerFeatures === undefined && minWriterVersion >= legacyWriter;
    if (implied && (minReaderVersion >= legacyReader || legacyReader === 1)) names.add(name);
  }
  return names;
}

/** What readers of a protocol must know. */
function readerFeaturesOf({ minReaderVersion, readerFeatures }: Protocol): readonly string[] {
  return readerFeatures ?? (minReaderVersion === 2 ? ['columnMapping'] : []);
}

/** What a table needs that says this of itself, in the order of the protocol's text. */
export function neededFeatures(metadata: Metadata): string[] {
  return Object.entries(FEATURES).flatMap(([name, { neededBy }]) => (neededBy?.(metadata) === true ? [name] : []));
}

/** Whether a feature is both announced and used: what is only used binds nobody. Source: Delta protocol, "Active Features". */
export function isActive(feature: string, { protocol, metadata }: Described): boolean {
  return featuresOf(protocol).has(feature) && FEATURES[feature]?.neededBy?.(metadata) === true;
}

export interface Described {
  readonly protocol: Protocol;
  readonly metadata: Metadata;
}

/**
 * The protocol of a table that needs these features too; the same object where it has them already.
 * @param current undefined for a table that is to be created
 */
export function withFeatures(current: Protocol | undefined, features: Iterable<string>): Protocol {
  const before = featuresOf(current ?? { minReaderVersion: 1, minWriterVersion: 2 });
  const wanted = new Set(before);
  const want = (name: string): void => {
    wanted.add(name);
    FEATURES[name]?.requires?.forEach(want);
  };
  for (const name of features) want(name);
  return current !== undefined && wanted.size === before.size ? current : protocolOf([...wanted]);
}

function protocolOf(names: readonly string[]): Protocol {
  const least = (of: (feature: Feature) => number): number =>
    Math.max(1, ...names.map((name) => of(FEATURES[name] ?? { readers: true })));
  const minReaderVersion = least(({ readers, legacyReader }) => (readers === true ? (legacyReader ?? 3) : 1));
  const minWriterVersion = least(({ legacyWriter }) => legacyWriter ?? 7);
  const legacy: Protocol = { minReaderVersion, minWriterVersion };
  if (minWriterVersion < 7 && minReaderVersion < 3 && featuresOf(legacy).size === names.length) return legacy;
  if (minReaderVersion < 3) return { minReaderVersion, minWriterVersion: 7, writerFeatures: names };
  const readerFeatures = names.filter((name) => FEATURES[name]?.readers !== undefined || FEATURES[name] === undefined);
  return { minReaderVersion, minWriterVersion: 7, readerFeatures, writerFeatures: names };
}

/** The features of a protocol that a reader needs and sluice does not have. */
export function unreadable(protocol: Protocol): string[] {
  return readerFeaturesOf(protocol).filter((name) => FEATURES[name]?.read !== true);
}

/** The features of a table that a writer needs and sluice does not have. */
export function unwritable({ protocol, metadata }: Described): string[] {
  // A property that is set without its feature binds nobody, and whoever announces the feature later would find what was left out.
  const all = new Set([...featuresOf(protocol), ...neededFeatures(metadata)]);
  return [...all].filter((name) => FEATURES[name]?.write === undefined);
}

function isTimestampNtz(type: DataType): boolean {
  return type.kind === 'primitive' && type.name === 'timestamp_ntz';
}
