/** The contract that every object store keeps; written down in tables/store/object-store.ts. */
import { readFile, writeFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { compareUtf8, type ObjectStore } from '../../tables/store/object-store.ts';

interface OpenedStore {
  readonly store: ObjectStore;
  close(): Promise<void>;
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (data: Uint8Array): string => new TextDecoder().decode(data);

async function paths(store: ObjectStore, prefix: string, after?: string): Promise<string[]> {
  const found: string[] = [];
  for await (const meta of store.list(prefix, after)) found.push(meta.path);
  return found;
}

/** Names that file systems and URIs treat oddly, in one folder each. */
const ODD = [
  'a b', '%20', 'x=1', 'ü', '😀', "it's", 'q"q', 'back\\slash', '#', '?', '*', '[1]', '{1,2}', '.hidden', '-', '~', '+', '&', ':', '..a', 'a..', 'new\nline', 'n'.repeat(240),
]; // prettier-ignore

/** @param unknown names that the service itself, and not the store, has no way to take */
export function objectStoreContract(
  name: string,
  open: () => Promise<OpenedStore>,
  unknown: readonly string[] = [],
): void {
  describe(`an object store: ${name}`, () => {
    let opened: OpenedStore;
    let store: ObjectStore;
    beforeEach(async () => {
      opened = await open();
      store = opened.store;
    });
    afterEach(() => opened.close());

    test('of 50 writers racing to create one object, exactly one wins and its bytes stay', async () => {
      const writers = Array.from({ length: 50 }, (_, i) => i);
      const results = await Promise.all(
        writers.map((i) => store.put('log/0.json', bytes(`writer ${String(i)}`), 'create')),
      );
      const winners = writers.filter((i) => results[i] === 'written');
      expect(winners).toHaveLength(1);
      expect(results.filter((result) => result === 'exists')).toHaveLength(49);
      expect(text(await store.get('log/0.json'))).toBe(`writer ${String(winners[0])}`);
      expect(await paths(store, '')).toEqual(['log/0.json']);
    });

    test('what exists is never written over by create, and always by replace', async () => {
      expect(await store.put('a', bytes('1'), 'create')).toBe('written');
      expect(await store.put('a', bytes('2'), 'create')).toBe('exists');
      expect(text(await store.get('a'))).toBe('1');
      expect(await store.put('a', bytes('3'), 'replace')).toBe('written');
      expect(text(await store.get('a'))).toBe('3');
      expect(await store.put('b', bytes('new'), 'replace')).toBe('written');
    });

    test('the bytes of a caller can change afterwards without changing the object', async () => {
      const data = bytes('before');
      await store.put('a', data, 'create');
      data.fill(0);
      expect(text(await store.get('a'))).toBe('before');
      (await store.get('a')).fill(0);
      expect(text(await store.get('a'))).toBe('before');
    });

    test('an object that is not there is FILE_MISSING, and has no head', async () => {
      await expect(store.get('nothing')).rejects.toMatchObject({ code: 'FILE_MISSING', facts: { path: 'nothing' } });
      expect(await store.head('nothing')).toBeUndefined();
      await store.put('folder/a', bytes('1'), 'create');
      expect(await store.head('folder')).toBeUndefined();
      await expect(store.get('folder/a/b')).rejects.toMatchObject({ code: 'FILE_MISSING' });
    });

    test('ranges are cut at the end of the object', async () => {
      await store.put('a', bytes('0123456789'), 'create');
      expect(text(await store.get('a', { start: 2, end: 5 }))).toBe('234');
      expect(text(await store.get('a', { start: 8, end: 50 }))).toBe('89');
      expect(text(await store.get('a', { start: 50, end: 60 }))).toBe('');
      expect(await store.head('a')).toMatchObject({ path: 'a', bytes: 10 });
    });

    test('delete is idempotent, for objects and for folders that never were', async () => {
      await store.put('x/a', bytes('1'), 'create');
      await store.delete('x/a');
      await store.delete('x/a');
      await store.delete('never/was');
      expect(await paths(store, '')).toEqual([]);
      expect(await store.put('x/a', bytes('2'), 'create')).toBe('written');
      await store.delete('x/a/below-a-file');
    });

    test('lists in UTF-8 byte order, which is not the order of JavaScript', async () => {
      const names = ['\u{1F600}', '\uFF5E', 'z', 'Z', 'a', 'ä', '10', '9', 'a-b', 'a/b', 'a0'];
      for (const path of names) if (path !== 'a') await store.put(`d/${path}`, bytes(path), 'create');
      const expected = names
        .filter((path) => path !== 'a')
        .map((path) => `d/${path}`)
        .sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
      expect(await paths(store, 'd/')).toEqual(expected);
      expect(expected.indexOf('d/\uFF5E')).toBeLessThan(expected.indexOf('d/\u{1F600}'));
      expect([...expected].sort(compareUtf8)).toEqual(expected);
      expect([...expected].sort()).not.toEqual(expected);
      for (const [i, path] of expected.entries()) {
        expect(await paths(store, 'd/', path), `after ${path}`).toEqual(expected.slice(i + 1));
      }
    });

    test('lists by prefix, into folders, and a folder that is not there as empty', async () => {
      for (const path of ['_delta_log/1.json', '_delta_log/2.json', '_delta_logs/x', 'part-1', 'p=1/part-2']) {
        await store.put(path, bytes(path), 'create');
      }
      expect(await paths(store, '_delta_log/')).toEqual(['_delta_log/1.json', '_delta_log/2.json']);
      expect(await paths(store, '_delta_log/', '_delta_log/1')).toEqual(['_delta_log/1.json', '_delta_log/2.json']);
      expect(await paths(store, '_delta_log/', '_delta_log/1.json')).toEqual(['_delta_log/2.json']);
      expect(await paths(store, 'p')).toEqual(['p=1/part-2', 'part-1']);
      expect(await paths(store, 'nowhere/')).toEqual([]);
    });

    test('takes odd names, and lists them as they were given', async () => {
      const names = ODD.filter((name) => !unknown.includes(name));
      for (const name of names) await store.put(`odd/${name}/${name}`, bytes(name), 'create');
      const all = names.map((name) => `odd/${name}/${name}`).sort(compareUtf8);
      expect(await paths(store, 'odd/')).toEqual(all);
      for (const path of all) expect(path).toBe(`odd/${text(await store.get(path))}/${text(await store.get(path))}`);
    });

    test('refuses paths that would leave the folder', async () => {
      for (const path of ['', '/etc/passwd', '../up', 'a/../../b', 'a//b', './a', 'a/', 'a\0b']) {
        await expect(store.put(path, bytes('x'), 'create'), JSON.stringify(path)).rejects.toMatchObject({
          code: 'STORAGE_FAILED',
        });
      }
    });

    test('a file that was filled on this machine becomes an object, and its result is handed on', async () => {
      const result = await store.putFile('deep/er/file', async (local) => {
        await writeFile(local, 'from here');
        return 42;
      });
      expect(result).toBe(42);
      expect(text(await store.get('deep/er/file'))).toBe('from here');
      expect(await readFile(await store.localFile('deep/er/file'), 'utf8')).toBe('from here');
      await store.put('plain', bytes('put'), 'create');
      expect(await readFile(await store.localFile('plain'), 'utf8')).toBe('put');
    });

    test('knows the folders right below one, and no others', async () => {
      for (const path of ['z/_delta_log/0', 'a/b/c', 'a/d/e/f', 'file', 'a/file', 'ä=1/x', '\uFF5E/x', '\u{1F600}/x']) {
        await store.put(path, bytes(path), 'create');
      }
      expect(await store.folders('')).toEqual(['a', 'z', 'ä=1', '\uFF5E', '\u{1F600}']);
      expect(await store.folders('a')).toEqual(['b', 'd']);
      for (const path of ['a/b', 'nowhere', 'file']) expect(await store.folders(path), path).toEqual([]);
      for (const path of ['z', 'z/_delta_log', 'a/d/e']) expect(await store.isFolder(path), path).toBe(true);
      for (const path of ['z/_delta', 'nowhere', 'file', 'a/d/e/f'])
        expect(await store.isFolder(path), path).toBe(false);
    });

    test('a file that could not be filled leaves nothing, and the error comes through', async () => {
      const failing = store.putFile('half', async (local) => {
        await writeFile(local, 'half of it');
        throw new RangeError('the query failed');
      });
      await expect(failing).rejects.toThrow('the query failed');
      expect(await paths(store, '')).toEqual([]);
      expect(await store.head('half')).toBeUndefined();
    });
  });
}
