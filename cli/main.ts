#!/usr/bin/env node
/** The `sluice` command: builds the program, runs it, and turns what was thrown into a message and an exit code. */
import { endOnUncaughtErrors } from './exit.ts';
import { collectLessOften } from './garbage.ts';
import { processIo } from './io.ts';
import { runProgram } from './program.ts';

collectLessOften();
endOnUncaughtErrors();

/** kafkajs asks for timers in the past, which newer versions of Node warn of and fire at once, as it means them to. */
process.removeAllListeners('warning');
process.on('warning', ({ name, message }) => {
  if (name !== 'TimeoutNegativeWarning') process.stderr.write(`${name}: ${message}\n`);
});

process.exitCode = await runProgram(process.argv.slice(2), processIo());
