import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isKeyword, isSymbol, splitStatements, tokenize } from '../../../core/sql-tokens.ts';

const texts = (sql: string): string[] => tokenize(sql).map((token) => token.text);

test('cuts words, names, numbers, strings, parameters and operators', () => {
  expect(texts(`SELECT a.b, "q ""x""", \`w\`, 1.5e-3, .5, 0xFF, 'it''s' FROM t WHERE x>=1 AND y<>$2 AND z::INT->>'k'`)).toEqual([
    'SELECT', 'a', '.', 'b', ',', '"q ""x"""', ',', '`w`', ',', '1.5e-3', ',', '.5', ',', '0xFF', ',', "'it''s'",
    'FROM', 't', 'WHERE', 'x', '>=', '1', 'AND', 'y', '<>', '$2', 'AND', 'z', '::', 'INT', '->>', "'k'",
  ]); // prettier-ignore
  const [word, name, string, escaped, dollar] = tokenize(`größe "a""b" 'it''s' E'a\\n\\'b' $x$ ';' $x$`);
  expect(word).toMatchObject({ kind: 'word', value: 'größe' });
  expect(name).toMatchObject({ kind: 'name', value: 'a"b' });
  expect(string).toMatchObject({ kind: 'string', value: "it's" });
  expect(escaped).toMatchObject({ kind: 'string', value: "a\n'b" });
  expect(dollar).toMatchObject({ kind: 'string', value: " ';' " });
});

test('every token lies in the text where it says, whatever the text', () => {
  const piece = fc.oneof(
    fc.constantFrom(
      'SELECT',
      "'a;b'",
      '"n;m"',
      '-- c;\n',
      '/* ; /* ; */ */',
      ';',
      '$$;$$',
      '1',
      'é',
      '=>',
      '😀',
      '$1',
      '?',
      '(',
      "E'\\';'",
    ),
    fc.stringMatching(/^[a-z_ .,()+*<>=!|:-]{0,6}$/),
  );
  fc.assert(
    fc.property(fc.array(piece), (pieces) => {
      const sql = pieces.join(' ');
      let end = 0;
      for (const token of tokenize(sql)) {
        expect(token.start).toBeGreaterThanOrEqual(end);
        expect(sql.slice(token.start, token.end)).toBe(token.text);
        expect(token.text).not.toBe('');
        end = token.end;
      }
    }),
    { numRuns: 300 },
  );
});

test('semicolons inside strings, names and comments end no statement', () => {
  const statements = [
    "SELECT ';'",
    'SELECT ";" FROM `a;b`',
    'SELECT 1 -- no; end\n + 2',
    'SELECT /* ; /* ; */ ; */ $$ ; $$',
  ];
  const script = `;; ${statements.join(';\n')} ; -- the end;`;
  const split = splitStatements(script);
  expect(split.map(({ text }) => text)).toEqual(statements);
  for (const { text, start } of split) expect(script.slice(start, start + text.length)).toBe(text);
});

test('what has no end is refused with its place', () => {
  for (const [sql, position] of [
    ["SELECT 'a", 7],
    ['SELECT "a', 7],
    ['x /* /* */', 2],
    ['$a$ x', 0],
    ['`', 0],
  ] as const) {
    expect(() => tokenize(sql), sql).toThrow(expect.objectContaining({ code: 'SQL_SYNTAX', facts: { position } }));
  }
});

test('keywords are words in any case, never strings or names', () => {
  const [word, name, symbol] = tokenize('sElEcT "SELECT" =>');
  expect(isKeyword(word, 'SELECT')).toBe(true);
  expect(isKeyword(name, 'SELECT')).toBe(false);
  expect(isKeyword(undefined, 'SELECT')).toBe(false);
  expect(isSymbol(symbol, '=>')).toBe(true);
  expect(isSymbol(word, 'sElEcT')).toBe(false);
});
