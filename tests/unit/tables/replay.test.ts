/** The state of a log is the same however its entries are cut into runs of replay, and the one that a plain model has. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { struct } from '../../../core/schema.ts';
import type { Action } from '../../../tables/log/actions.ts';
import { replay, type LogEntry, type LogState } from '../../../tables/log/replay.ts';

const START: readonly Action[] = [
  { kind: 'protocol', protocol: { minReaderVersion: 1, minWriterVersion: 2 } },
  { kind: 'metaData', metaData: { id: 'id', schema: struct([]), partitionColumns: [], configuration: {} } },
];

const path = fc.integer({ min: 0, max: 12 }).map((i) => `file-${String(i)}`);
const action: fc.Arbitrary<Action> = fc.oneof(
  fc.tuple(path, fc.integer({ min: 0, max: 99 })).map(([name, modificationMs]): Action => {
    return { kind: 'add', add: { path: name, partitionValues: {}, bytes: 1n, modificationMs, dataChange: true } };
  }),
  fc.tuple(path, fc.integer({ min: 0, max: 99 })).map(([name, deletionMs]): Action => {
    return { kind: 'remove', remove: { path: name, deletionMs, dataChange: true } };
  }),
  fc.tuple(fc.constantFrom('a', 'b'), fc.bigInt({ min: 0n, max: 9n })).map(([appId, version]): Action => {
    return { kind: 'txn', txn: { appId, version } };
  }),
);
const log = fc.array(fc.array(action, { maxLength: 6 }), { maxLength: 40 });

function contents({ version, files, removed, txn }: LogState): object {
  const sizes = [files.size, removed.size, txn.size];
  const unordered = (entries: Iterable<[string, unknown]>): Map<string, unknown> => new Map(entries);
  return {
    version,
    sizes,
    files: [...files.entries()],
    removed: unordered(removed.entries()),
    txn: unordered(txn.entries()),
  };
}

function model(entries: readonly LogEntry[]): object {
  const files = new Map<string, unknown>();
  const removed = new Map<string, unknown>();
  const txn = new Map<string, unknown>();
  for (const one of entries.flatMap(({ actions }) => actions)) {
    if (one.kind === 'add') {
      files.delete(one.add.path);
      files.set(one.add.path, one.add);
      removed.delete(one.add.path);
    } else if (one.kind === 'remove') {
      files.delete(one.remove.path);
      removed.set(one.remove.path, one.remove);
    } else if (one.kind === 'txn') txn.set(one.txn.appId, one.txn);
  }
  const sizes = [files.size, removed.size, txn.size];
  return { version: BigInt(entries.length - 1), sizes, files: [...files], removed, txn };
}

test('any log, cut anywhere', () => {
  fc.assert(
    fc.property(log, fc.integer({ min: 1, max: 8 }), fc.nat({ max: 40 }), (actions, size, cut) => {
      const entries = [START, ...actions].map((some, i) => ({ version: BigInt(i), timestampMs: i, actions: some }));
      const expected = model(entries);
      expect(contents(replay(undefined, entries, 'table'))).toEqual(expected);

      const first = entries.slice(0, 1 + Math.min(cut, actions.length));
      let state = replay(undefined, first, 'table');
      const before = contents(state);
      const kept = state;
      for (let i = first.length; i < entries.length; i += size) {
        state = replay(state, entries.slice(i, i + size), 'table');
      }
      expect(contents(state)).toEqual(expected);
      expect(contents(kept)).toEqual(before);
    }),
  );
});
