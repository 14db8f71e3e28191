import { expect, test } from 'vitest';
import { isComplete } from '../../../cli/prompt.ts';

test('a statement ends at a semicolon that is one', () => {
  for (const text of ['SELECT 1;', "SELECT ';';", 'SELECT 1; -- done', 'SELECT 1; /* ; */', 'SELECT 1;\n\n']) {
    expect([text, isComplete(text)]).toEqual([text, true]);
  }
});

test('what is open goes on', () => {
  for (const text of [
    'SELECT 1',
    "SELECT ';",
    'SELECT 1 -- ;',
    'SELECT 1 /* ;',
    'SELECT "a;',
    'SELECT $$;',
    '',
    ';;x',
  ]) {
    expect([text, isComplete(text)]).toEqual([text, false]);
  }
});
