/**
 * The text of a log entry: one action a line, each a JSON object.
 *
 * Promise: an entry that is not whole is refused with its file and line. Source: Delta protocol, "Delta Log Entries".
 */
import { messageOf, SluiceError } from '../../core/errors.ts';
import { isJsonObject, parseJson, stringifyJson } from '../../core/json.ts';
import { actionFromJson, actionToJson } from './action-json.ts';
import type { Action } from './actions.ts';

/**
 * Reads one log entry.
 * @param where the table's location and the entry's path, for messages
 * @throws SluiceError `LOG_CORRUPT` naming file and line.
 */
export function parseEntry(text: string, where: { table: string; file: string }): Action[] {
  const lines = text.split('\n');
  const actions: Action[] = [];
  for (const [i, line] of lines.entries()) {
    if (line.trim() === '') continue;
    try {
      const json = parseJson(line);
      if (!isJsonObject(json)) throw new SyntaxError('not a JSON object');
      const action = actionFromJson(json);
      if (action !== undefined) actions.push(action);
    } catch (error) {
      if (error instanceof SluiceError && error.code !== 'LOG_CORRUPT') throw inTable(error, where);
      throw corrupt(where, i + 1, error);
    }
  }
  if (actions.length === 0) throw corrupt(where, 1, new SyntaxError('the entry is empty'));
  return actions;
}

/** One log entry as text, one action a line. */
export function formatEntry(actions: readonly Action[]): string {
  return actions.map((action) => `${stringifyJson(actionToJson(action))}\n`).join('');
}

/** What was refused, with the place where it stands. */
export function inTable(error: SluiceError, { table, file }: { table: string; file: string }): SluiceError {
  const { code, message, advice, facts } = error;
  return new SluiceError(code, `${table}/${file}: ${message}`, {
    ...(advice === undefined ? {} : { advice }),
    facts: { ...facts, table, file },
    cause: error,
  });
}

function corrupt(where: { table: string; file: string }, line: number, cause: unknown): SluiceError {
  return new SluiceError(
    'LOG_CORRUPT',
    `${where.table}/${where.file}:${String(line)} is damaged: ${messageOf(cause)}`,
    {
      advice:
        'The log entry was cut off or altered after it was written. Restore that file from a backup; the data files are untouched.',
      facts: { table: where.table, file: where.file, line },
      cause,
    },
  );
}
