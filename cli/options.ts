/** What commands have in common on the command line. */
import { Option } from 'commander';

export type MachineFormat = 'table' | 'json';

export function machineFormat(): Option {
  return new Option('--format <format>', 'for people or for programs').choices(['table', 'json']).default('table');
}

/** The end of a command's help. */
export function examples(lines: readonly string[]): string {
  return `\nExamples:\n${lines.map((line) => `  ${line}\n`).join('')}`;
}
