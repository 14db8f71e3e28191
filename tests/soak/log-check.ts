/** Whether the log of a table is whole: every entry there, and the same state with checkpoints as without them. */
import type { Engine } from '../../engine/engine.ts';
import type { LogState } from '../../tables/log/replay.ts';
import { loadState } from '../../tables/log/load.ts';
import type { ByteRange, ObjectMeta, ObjectStore, PutMode, PutResult } from '../../tables/store/object-store.ts';

/** A store in which nobody finds a checkpoint. */
class WithoutCheckpoints implements ObjectStore {
  readonly location: string;
  readonly #store: ObjectStore;

  constructor(store: ObjectStore) {
    this.#store = store;
    this.location = store.location;
  }

  get(path: string, range?: ByteRange): Promise<Uint8Array> {
    return this.#store.get(path.endsWith('_last_checkpoint') ? 'hidden' : path, range);
  }

  async *list(prefix: string, after?: string): AsyncIterable<ObjectMeta> {
    for await (const meta of this.#store.list(prefix, after)) if (!meta.path.includes('checkpoint')) yield meta;
  }

  put(path: string, bytes: Uint8Array, mode: PutMode): Promise<PutResult> {
    return this.#store.put(path, bytes, mode);
  }

  delete(path: string): Promise<void> {
    return this.#store.delete(path);
  }

  head(path: string): Promise<ObjectMeta | undefined> {
    return this.#store.head(path);
  }

  localFile(path: string): Promise<string> {
    return this.#store.localFile(path);
  }

  folders(path: string): Promise<string[]> {
    return this.#store.folders(path);
  }

  isFolder(path: string): Promise<boolean> {
    return this.#store.isFolder(path);
  }

  putFile<T>(path: string, write: (localPath: string) => Promise<T>): Promise<T> {
    return this.#store.putFile(path, write);
  }
}

/** What is wrong with the log; empty when nothing is. */
export async function logProblems(engine: Engine, store: ObjectStore): Promise<string[]> {
  const fast = await loadState({ store, engine });
  const slow = await loadState({ store: new WithoutCheckpoints(store), engine }, fast?.version);
  if (fast === undefined || slow === undefined) return ['there is no table'];
  const described = (state: LogState): string =>
    JSON.stringify([
      String(state.version),
      [...state.files.values()]
        .map(({ path, deletionVector }) => `${path} ${deletionVector?.pathOrInlineDv ?? ''}`)
        .sort(),
      state.protocol,
    ]);
  return described(fast) === described(slow) ? [] : [`version ${String(fast.version)} differs without checkpoints`];
}
