/** `sluice table`: a family of verbs a file; each declares what it takes, with examples, and does it. */
import type { Command } from 'commander';
import type { Io } from '../io.ts';
import { examples } from '../options.ts';
import { addAlterVerb } from './alter.ts';
import { addCopyVerbs } from './copies.ts';
import { addMergeVerb } from './merge.ts';
import { addPropertiesVerb } from './properties.ts';
import { addRowVerbs } from './rows.ts';
import { addTidyVerbs } from './tidy.ts';
import type { Globals, Verbs } from './verb.ts';
import { addVersionVerbs } from './versions.ts';
import { addWriteVerbs } from './write.ts';

/** Adds the command, with all its verbs. */
export function addTableCommands(program: Command, io: Io, globals: (command: Command) => Globals): void {
  const shown: string[] = [];
  const table = program
    .command('table')
    .description('change a table, keep it tidy, and look at its versions')
    .helpCommand(false)
    .addHelpText('after', () => examples(shown));
  const verbs: Verbs = {
    io,
    globals,
    add: (name, description, lines) => {
      shown.push(...lines.slice(0, 1));
      return table
        .command(name)
        .description(description)
        .argument('<table>', 'as silver.orders, or the path of any Delta table')
        .addHelpText('after', examples(lines));
    },
  };
  addRowVerbs(verbs);
  addMergeVerb(verbs);
  addWriteVerbs(verbs);
  addAlterVerb(verbs);
  addTidyVerbs(verbs);
  addCopyVerbs(verbs);
  addVersionVerbs(verbs);
  addPropertiesVerb(verbs);
}
