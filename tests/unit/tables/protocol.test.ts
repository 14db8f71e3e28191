/** Every feature that the protocol has a name for is either understood or refused by that name, for reading and for writing. */
import { expect, test } from 'vitest';
import { field, primitive, struct, type Field } from '../../../core/schema.ts';
import type { Metadata, Protocol } from '../../../tables/log/actions.ts';
import { featuresOf, withFeatures } from '../../../tables/log/features.ts';
import { askedBy, checkReadable, checkWritable } from '../../../tables/log/protocol.ts';

const metadata = (configuration: Record<string, string> = {}, fields: readonly Field[] = [field('a', primitive('long'))]): Metadata =>
  ({ id: 'x', schema: struct(fields), partitionColumns: [], configuration }); // prettier-ignore
const having = (...features: string[]): Protocol =>
  ({ minReaderVersion: 3, minWriterVersion: 7, readerFeatures: features, writerFeatures: features }); // prettier-ignore

/** Whether a table that has the feature, but does not use it, can be read and written. Source: Delta protocol, "Valid Feature Names". */
const FEATURES: readonly (readonly [name: string, isReaders: boolean, read: boolean, written: boolean])[] = [
  ['appendOnly', false, true, true],
  ['invariants', false, true, true],
  ['checkConstraints', false, true, true],
  ['generatedColumns', false, true, true],
  ['allowColumnDefaults', false, true, true],
  ['changeDataFeed', false, true, true],
  ['columnMapping', true, true, true],
  ['identityColumns', false, true, true],
  ['deletionVectors', true, true, true],
  ['rowTracking', false, true, true],
  ['timestampNtz', true, true, true],
  ['domainMetadata', false, true, true],
  ['v2Checkpoint', true, true, true],
  ['catalogManaged', true, false, false],
  ['icebergCompatV1', false, true, false],
  ['icebergCompatV2', false, true, false],
  ['clustering', false, true, true],
  ['vacuumProtocolCheck', true, true, true],
  ['inCommitTimestamp', false, true, true],
  ['checkpointProtection', false, true, true],
  ['typeWidening', true, true, true],
  ['typeWidening-preview', true, true, false],
  ['variantType', true, false, false],
  ['variantShredding', true, false, false],
  ['a feature of the future', true, false, false],
];

test.each(FEATURES)('%s', (feature, isReaders, read, written) => {
  const protocol: Protocol = { ...having(feature), readerFeatures: isReaders ? [feature] : [] };
  const refused = expect.objectContaining({
    code: 'UNSUPPORTED_FEATURE',
    message: expect.stringContaining(feature) as string,
    facts: { table: 'lake/t', features: [feature] },
  }) as Error;
  const reading = (): void => { checkReadable(protocol, 'lake/t'); }; // prettier-ignore
  const writing = (): void => { checkWritable(protocol, metadata(), 'lake/t'); }; // prettier-ignore
  if (read) reading();
  else expect(reading).toThrow(refused);
  if (written) writing();
  else expect(writing).toThrow(refused);
});

test('versions that nobody knows yet are refused', () => {
  expect(() => { checkReadable({ minReaderVersion: 4, minWriterVersion: 7 }, 'lake/t'); }).toThrow(/reader version 4/); // prettier-ignore
  expect(() => { checkWritable({ minReaderVersion: 1, minWriterVersion: 8 }, metadata(), 'lake/t'); }).toThrow(/writer version 8/); // prettier-ignore
});

test('a protocol that grows names all that the old one implied', () => {
  expect(withFeatures({ minReaderVersion: 2, minWriterVersion: 5 }, ['timestampNtz'])).toEqual({
    minReaderVersion: 3,
    minWriterVersion: 7,
    readerFeatures: ['columnMapping', 'timestampNtz'],
    writerFeatures: ['appendOnly', 'invariants', 'checkConstraints', 'changeDataFeed', 'generatedColumns', 'columnMapping', 'timestampNtz'],
  }); // prettier-ignore
  const enough = having('timestampNtz');
  expect(withFeatures(enough, ['timestampNtz'])).toBe(enough);
});

test('a protocol is a legacy version only where that stands for exactly the same features', () => {
  const legacy = (minReaderVersion: number, minWriterVersion: number): Protocol => ({ minReaderVersion, minWriterVersion });
  expect(withFeatures(undefined, [])).toEqual(legacy(1, 2));
  expect(withFeatures(legacy(1, 2), ['checkConstraints'])).toEqual(legacy(1, 3));
  expect(withFeatures(legacy(1, 2), ['changeDataFeed'])).toEqual({
    minReaderVersion: 1,
    minWriterVersion: 7,
    writerFeatures: ['appendOnly', 'invariants', 'changeDataFeed'],
  });
  expect(withFeatures(legacy(1, 4), ['columnMapping'])).toEqual(legacy(2, 5));
  expect(withFeatures(legacy(1, 2), ['columnMapping'])).toEqual({
    minReaderVersion: 2,
    minWriterVersion: 7,
    writerFeatures: ['appendOnly', 'invariants', 'columnMapping'],
  });
  expect(withFeatures(legacy(1, 2), ['rowTracking']).writerFeatures).toEqual(['appendOnly', 'invariants', 'rowTracking', 'domainMetadata']);
}); // prettier-ignore

test('what a protocol stands for comes back as the same protocol', () => {
  for (const version of [2, 3, 4]) {
    const protocol = { minReaderVersion: 1, minWriterVersion: version };
    expect(withFeatures(undefined, featuresOf(protocol))).toEqual(protocol);
  }
});

test('properties that speak of the protocol are told apart from those of the table', () => {
  expect(
    askedBy({ 'delta.feature.TIMESTAMPNTZ': 'Supported', 'delta.minReaderVersion': '2', 'delta.minWriterVersion': '5', a: 'b' }, 'lake/t'), // prettier-ignore
  ).toEqual({
    configuration: { a: 'b' },
    features: ['appendOnly', 'invariants', 'checkConstraints', 'changeDataFeed', 'generatedColumns', 'columnMapping', 'timestampNtz'], // prettier-ignore
  });
  expect(() => askedBy({ 'delta.feature.warp': 'supported' }, 'lake/t')).toThrow(/lake\/t: sluice knows no table feature warp/); // prettier-ignore
  expect(() => askedBy({ 'delta.feature.timestampNtz': 'on' }, 'lake/t')).toThrow(/can only be set to supported/);
  expect(() => askedBy({ 'delta.minWriterVersion': '8' }, 'lake/t')).toThrow(/a whole number from 1 to 7/);
});
