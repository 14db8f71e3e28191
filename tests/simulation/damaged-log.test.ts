/**
 * A log whose bytes, lines and values were cut, flipped and swapped: a table is either read, or refused with a documented
 * error that names the table; never with an error of the program's own. What is no JSON any more is never read.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ERROR_CODES, SluiceError } from '../../core/errors.ts';
import { seededRandom, type Random } from '../../core/random.ts';
import type { MemoryStore } from '../../tables/store/memory.ts';
import { Lab, paths, readText, writeText } from '../unit/tables/tables.ts';

const SEED = 20261127;
const ROUNDS = 250;
const ODD = [
  'null',
  '-1',
  '1e400',
  '""',
  '"x"',
  '[]',
  '{}',
  'true',
  '99999999999999999999',
  '"%"',
  '"../../x"',
  '[null]',
  '{"a":null}',
];

let lab: Lab;
beforeAll(async () => {
  lab = await Lab.open();
});
afterAll(() => lab.close());

async function sound(): Promise<MemoryStore> {
  const store = lab.store();
  const table = lab.table(store, { checkpointInterval: 3 });
  for (let i = 0; i < 6; i++) {
    const rows = `SELECT ${String(i)}::BIGINT AS id, {'a': 'x', 'b': [1, 2]} AS s, 'p' || ${String(i % 2)} AS part`;
    await lab.written(table, rows, { partitionColumns: ['part'] });
  }
  return store;
}

function damaged(text: string, random: Random): string {
  const at = random.int(text.length + 1);
  switch (random.int(6)) {
    case 0:
      return text.slice(0, at);
    case 1:
      return text.slice(0, at) + String.fromCharCode(random.int(128)) + text.slice(at + 1);
    case 2:
      return text.slice(0, at) + text.slice(at + 1 + random.int(20));
    case 3: {
      const lines = text.split('\n');
      lines.splice(random.int(lines.length), 1, lines[random.int(lines.length)] ?? '');
      return lines.join('\n');
    }
    default: {
      // Another value under a key.
      const values = [
        ...text.matchAll(/(?<=":)("(?:[^"\\]|\\.)*"|-?[\d.]+|true|false|null|\{\}|\[[^[\]{}]*\]|\{[^{}]*\})/g),
      ];
      const one = values[random.int(values.length)];
      if (one === undefined) return text;
      const odd = ODD[random.int(ODD.length)] ?? '';
      return text.slice(0, one.index) + odd + text.slice(one.index + one[0].length);
    }
  }
}

test(`entries and hints, seed ${String(SEED)}`, async () => {
  const random = seededRandom(SEED);
  const store = await sound();
  const files = (await paths(store, '_delta_log/')).filter(
    (path) => !path.endsWith('.parquet') && !path.endsWith('.crc'),
  );
  const whole = await lab.rows(lab.table(store));
  const answers = { read: 0, refused: 0 };
  for (let round = 0; round < ROUNDS; round++) {
    const path = files[random.int(files.length)] ?? '';
    const old = await readText(store, path);
    const text = damaged(old, random);
    await writeText(store, path, text);
    const version = random.int(2) === 0 ? undefined : BigInt(random.int(6));
    const answer = await lab.rows(lab.table(store), version).catch((error: unknown) => error);
    await writeText(store, path, old);
    const story = `round ${String(round)}: ${path} is\n${text}\nthe answer is ${answer instanceof Error ? (answer.stack ?? '') : JSON.stringify(answer, (_, v: unknown) => (typeof v === 'bigint' ? String(v) : v))}`;
    if (Array.isArray(answer)) {
      answers.read++;
      expect(answer.length, story).toBeLessThanOrEqual(whole.length);
    } else {
      answers.refused++;
      expect(answer, story).toBeInstanceOf(SluiceError);
      const { code, message, facts } = answer as SluiceError;
      // A query names what it did not find, and its caller the table (missing-file.ts).
      if (facts['missingFile'] !== undefined) continue;
      expect(Object.keys(ERROR_CODES), story).toContain(code);
      expect(['INTERNAL', 'QUERY_FAILED', 'STORAGE_FAILED'], story).not.toContain(code);
      expect(message, story).toContain(store.location);
    }
  }
  expect(await lab.rows(lab.table(store))).toEqual(whole);
  expect(answers.read).toBeGreaterThan(0);
  expect(answers.refused).toBeGreaterThan(0);
});
