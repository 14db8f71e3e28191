/**
 * The SQL prompt: statements over several lines until `;`, a history that is kept, Ctrl-C to start over.
 *
 * Promise: what is typed is never lost to a failing statement: the prompt goes on. Ctrl-C while a statement runs stops that
 * statement; on an empty line it does nothing, and Ctrl-D, `\q` or `.exit` leaves.
 */
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { SluiceError } from '../core/errors.ts';
import { isSymbol, tokenize } from '../core/sql-tokens.ts';
import type { Io } from './io.ts';

const HISTORY_SIZE = 1000;

export interface PromptParts {
  readonly io: Io;
  /** Runs one statement and prints what came of it, failures too. */
  readonly run: (sql: string) => Promise<void>;
  /** Stops the statement that runs. */
  readonly interrupt: () => void;
  /** Where the history is kept; undefined keeps none. */
  readonly historyFile: string | undefined;
}

/** Runs the prompt until the user leaves it. */
export async function prompt(parts: PromptParts): Promise<void> {
  const { io } = parts;
  const { bold, dim } = io.style;
  const lines = createInterface({
    input: io.stdin,
    output: io.stdout,
    terminal: true,
    history: readHistory(parts.historyFile),
    historySize: HISTORY_SIZE,
    removeHistoryDuplicates: true,
    prompt: bold('sluice> '),
  });
  let typed = '';
  let running = false;
  let history: readonly string[] = [];
  const ask = (): void => {
    lines.setPrompt(typed === '' ? bold('sluice> ') : dim('   ...> '));
    lines.prompt();
  };
  lines.on('history', (entries: string[]) => {
    const [newest, before] = entries;
    if (typed === '' && newest !== undefined && isExit(newest)) entries.shift();
    else if (typed !== '' && newest !== undefined && before !== undefined && !typed.includes('--')) {
      entries.splice(0, 2, `${before} ${newest.trim()}`);
    }
    history = entries;
  });
  lines.on('SIGINT', () => {
    if (running) {
      parts.interrupt();
      return;
    }
    typed = '';
    lines.write(null, { ctrl: true, name: 'e' });
    io.stdout.write('^C\n');
    lines.write(null, { ctrl: true, name: 'u' });
    ask();
  });
  ask();
  for await (const line of lines) {
    if (typed === '' && isExit(line)) break;
    typed = typed === '' ? line : `${typed}\n${line}`;
    if (typed.trim() === '') typed = '';
    else if (isComplete(typed)) {
      const statement = typed;
      typed = '';
      running = true;
      await parts.run(statement);
      running = false;
    }
    ask();
  }
  lines.close();
  if (parts.historyFile !== undefined && history.length > 0) await writeHistory(parts.historyFile, history);
}

/** Whether a text ends a statement: its last token is a semicolon, and nothing is left open. */
export function isComplete(text: string): boolean {
  try {
    return isSymbol(tokenize(text).at(-1), ';');
  } catch (error) {
    if (error instanceof SluiceError && error.code === 'SQL_SYNTAX') return false;
    throw error;
  }
}

function isExit(line: string): boolean {
  return /^\s*(\\q|\.exit|\.quit|exit|quit)\s*;?\s*$/i.test(line);
}

function readHistory(file: string | undefined): string[] {
  if (file === undefined) return [];
  try {
    return readFileSync(file, 'utf8')
      .split('\n')
      .filter((line) => line !== '');
  } catch {
    return [];
  }
}

/** Statements may hold data, so the file is for its owner only; a history that cannot be kept is no reason to fail. */
async function writeHistory(file: string, entries: readonly string[]): Promise<void> {
  await writeFile(file, `${entries.join('\n')}\n`, { mode: 0o600 }).catch(() => undefined);
}
