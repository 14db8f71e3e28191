/**
 * Row tracking: each row has an id, and the version that it is from, by the file that it lies in.
 *
 * Promise: pure; no two rows of a version ever get the same id, whoever writes beside; a file that is named again (with another deletion
 * vector, or by a restore) keeps its ids. Rows that sluice writes anew (copy-on-write, OPTIMIZE) get new ids: the commit says so, for those
 * who follow rows by them (`delta.rowTracking.preserved`).
 * Source: Delta protocol, "Row Tracking"; Delta, `RowId.assignFreshRowIds`, `MaterializedRowTrackingColumn`.
 */
import { SluiceError } from '../core/errors.ts';
import { isJsonObject, parseJson, stringifyJson } from '../core/json.ts';
import type { AddFile, DomainMetadata, Metadata, Protocol } from './log/actions.ts';
import { logicalFileKey } from './log/deletion-vector.ts';
import { featuresOf, isActive, type Described } from './log/features.ts';
import { isOn, type Properties } from './log/properties.ts';
import type { LogState } from './log/replay.ts';

const DOMAIN = 'delta.rowTracking';
const SUSPENDED = 'delta.rowTrackingSuspended';
const ENABLED = 'delta.enableRowTracking';
/** The columns in which ids are kept with rows that were written anew, and how they are named. */
const ID_COLUMN = 'delta.rowTracking.materializedRowIdColumnName';
const VERSION_COLUMN = 'delta.rowTracking.materializedRowCommitVersionColumnName';
const NAMES = [ID_COLUMN, VERSION_COLUMN] as const;

export interface Tracked {
  /** The files of the commit, with the ids of their rows. */
  readonly add: readonly AddFile[];
  /** Files that are in the table without ids, to be named again with them. */
  readonly backfilled: readonly AddFile[];
  /** The highest id that was ever given, when it is a new one. */
  readonly domain: DomainMetadata | undefined;
}

/**
 * The files of a commit with ids for their rows, where the table wants them.
 * @param gone files that the commit removes
 * @throws SluiceError `UNSUPPORTED_FEATURE` for a file of which nobody says how many rows it has
 */
export function tracked(
  add: readonly AddFile[],
  described: Described,
  { state, gone, table }: { state: LogState | undefined; gone: readonly AddFile[]; table: string },
): Tracked {
  if (!featuresOf(described.protocol).has('rowTracking')) return { add, backfilled: [], domain: undefined };
  if (isOn(described.metadata.configuration, SUSPENDED))
    return { add: add.map(withoutIds), backfilled: [], domain: undefined };
  const version = (state?.version ?? -1n) + 1n;
  const before = highWaterMark(state);
  let highest = before;
  const withIds = (file: AddFile): AddFile => {
    if (file.baseRowId !== undefined && file.defaultRowCommitVersion !== undefined) return file;
    const { baseRowId = highest + 1n, defaultRowCommitVersion = version } = file;
    if (file.baseRowId === undefined) highest += physicalRows(file, table);
    return { ...file, baseRowId, defaultRowCommitVersion };
  };
  const all = add.map(withIds);
  const backfilled = becomesTracked(described, state)
    ? withoutIdsIn(state, gone).map((file) => ({ ...withIds(file), dataChange: false }))
    : [];
  const configuration = stringifyJson({ rowIdHighWaterMark: highest });
  return {
    add: all,
    backfilled,
    domain: highest === before ? undefined : { domain: DOMAIN, configuration, removed: false },
  };
}

/** A file as it comes to another table: the ids of its rows are those of the table that it was in. */
export function withoutIds(file: AddFile): AddFile {
  const others: { -readonly [key in keyof AddFile]: AddFile[key] } = { ...file };
  delete others.baseRowId;
  delete others.defaultRowCommitVersion;
  return others;
}

function becomesTracked(described: Described, state: LogState | undefined): state is LogState {
  return state !== undefined && isActive('rowTracking', described) && !isActive('rowTracking', state);
}

function withoutIdsIn(state: LogState, gone: readonly AddFile[]): AddFile[] {
  const left = new Set(gone.map(logicalFileKey));
  return [...state.files.values()].filter(
    (file) =>
      !left.has(logicalFileKey(file)) && (file.baseRowId === undefined || file.defaultRowCommitVersion === undefined),
  );
}

/** -1 where no row has an id yet. */
function highWaterMark(state: LogState | undefined): bigint {
  const text = state?.domains.get(DOMAIN)?.configuration;
  const json = text === undefined ? undefined : parseJson(text);
  const mark = isJsonObject(json) ? json['rowIdHighWaterMark'] : undefined;
  return typeof mark === 'number' || typeof mark === 'bigint' ? BigInt(mark) : -1n;
}

/** Rows that are deleted count too: ids go by the place in the file. */
function physicalRows({ path, rows, deletionVector }: AddFile, table: string): bigint {
  if (rows !== undefined) return rows + (deletionVector?.cardinality ?? 0n);
  throw new SluiceError('UNSUPPORTED_FEATURE', `${table}: the log does not say how many rows ${path} has, and each needs an id (rowTracking)`, {
    advice: 'Write the table anew, with statistics (OPTIMIZE … ZORDER BY, or an overwrite), before rows are tracked.',
    facts: { table, file: path, features: ['rowTracking'] },
  }); // prettier-ignore
}

/**
 * What the table says of itself, with names for the columns that keep ids: its own, never those of a table that it was cloned from.
 * @param id makes names that no other column has
 * @throws SluiceError `CONFIG_INVALID` for tracking that is on and suspended, `SCHEMA_INCOMPATIBLE` for a column of such a name
 */
export function withTrackingNames(
  metadata: Metadata,
  protocol: Protocol,
  { state, id, table }: { state: LogState | undefined; id: string; table: string },
): Metadata {
  const { configuration } = metadata;
  const wanted = featuresOf(protocol).has('rowTracking') ? namesOf(state?.metadata.configuration ?? {}, id) : {};
  if (wanted[ID_COLUMN] !== undefined && isOn(configuration, ENABLED) && isOn(configuration, SUSPENDED)) {
    throw new SluiceError('CONFIG_INVALID', `${table}: ${ENABLED} and ${SUSPENDED} cannot both be true`, {
      advice: `Set ${ENABLED} to false first.`,
      facts: { table, property: SUSPENDED },
    });
  }
  const taken = metadata.schema.fields.find(({ name }) => Object.values(wanted).includes(name));
  if (taken !== undefined) {
    throw new SluiceError('SCHEMA_INCOMPATIBLE', `${table}: row tracking needs the column name ${taken.name}`, {
      advice: 'Give the column another name.',
      facts: { table, column: taken.name },
    });
  }
  if (NAMES.every((key) => configuration[key] === wanted[key])) return metadata;
  const others = Object.entries(configuration).filter(([key]) => !(NAMES as readonly string[]).includes(key));
  return { ...metadata, configuration: Object.fromEntries([...others, ...Object.entries(wanted)]) };
}

function namesOf(own: Properties, id: string): Properties {
  return {
    [ID_COLUMN]: own[ID_COLUMN] ?? `_row-id-col-${id}`,
    [VERSION_COLUMN]: own[VERSION_COLUMN] ?? `_row-commit-version-col-${id}`,
  };
}

/**
 * Whether all rows of a table have the ids that they had, after a commit: none was written anew.
 * @returns undefined where nobody asks
 */
export function keepsIds(add: readonly AddFile[], gone: readonly AddFile[], described: Described): boolean | undefined {
  if (!isActive('rowTracking', described)) return undefined;
  const before = new Set(gone.map(({ path }) => path));
  return gone.length === 0 || add.every(({ path, baseRowId }) => before.has(path) || baseRowId !== undefined);
}
