#!/usr/bin/env node
/** The `sluice` command: builds the program, runs it, and turns what was thrown into a message and an exit code. */
import { processIo } from './io.ts';
import { runProgram } from './program.ts';

process.exitCode = await runProgram(process.argv.slice(2), processIo());
