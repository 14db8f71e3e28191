/**
 * The command line: which commands there are, what they take, and what becomes of a failure.
 *
 * Promise: a wrong command line is exit code 2 and runs nothing; every other failure has the exit code of its error.
 */
import { Command, CommanderError, Option } from 'commander';
import { EXIT_CODES, SluiceError } from '../core/errors.ts';
import { EXPORT_FORMATS, type ExportFormat } from '../features/index.ts';
import { FORMATS, type Format } from '../query/index.ts';
import { check } from './commands/check.ts';
import { exportFeatures, listFeatures } from './commands/features.ts';
import { addHistoryOptions, history, type HistoryFlags } from './commands/history.ts';
import { init } from './commands/init.ts';
import { run } from './commands/run.ts';
import { sql } from './commands/sql.ts';
import { tables } from './commands/tables.ts';
import type { Io } from './io.ts';
import { examples, machineFormat, type MachineFormat } from './options.ts';
import { packageVersion } from './package.ts';
import { addTableCommands } from './table/program.ts';
import { errorText, exitCodeOf, ToldError, toSluiceError } from './report-error.ts';

/** What every command takes. */
interface Globals {
  readonly project?: string;
  readonly debug?: boolean;
}

/**
 * Runs one command line.
 * @returns the exit code; failures are printed to stderr, never thrown.
 * @example process.exitCode = await runProgram(['tables'], processIo());
 */
export async function runProgram(argv: readonly string[], io: Io): Promise<number> {
  const debug = argv.includes('--debug');
  try {
    await buildProgram(io).parseAsync([...argv], { from: 'user' });
    return EXIT_CODES.ok;
  } catch (thrown) {
    if (thrown instanceof ToldError && !debug) return exitCodeOf(thrown.error);
    const error = thrown instanceof CommanderError ? usageError(thrown) : toSluiceError(thrown);
    if (error === undefined) return EXIT_CODES.ok;
    io.stderr.write(errorText(error, { style: io.errorStyle, debug }));
    return exitCodeOf(error);
  }
}

function buildProgram(io: Io): Command {
  const program = new Command('sluice');
  program
    .description('Kafka streams as Delta Lake tables, refined by SQL, queried with DuckDB.')
    .version(packageVersion(), '-V, --version', 'print the version')
    .option('--project <dir>', 'the project folder (default: the nearest folder upwards with a sluice.yaml)')
    .option('--debug', 'print causes and stack traces of a failure')
    .configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: (text) => io.stderr.write(text),
      outputError: () => undefined,
    })
    .helpCommand(false)
    .showSuggestionAfterError()
    .exitOverride()
    .addHelpText('after', examples(EXAMPLES.program));
  const globals = (command: Command): Globals => command.optsWithGlobals<Globals>();

  program
    .command('init')
    .description('make a working project in a new or empty folder')
    .argument('<dir>', 'the folder')
    .addHelpText('after', examples(EXAMPLES.init))
    .action(async (directory: string) => {
      await init(io, directory);
    });

  program
    .command('run')
    .description('run the pipeline: keep running, or with --available-now until everything there is has been read')
    .option('--available-now', 'read what there is, refresh what depends on it, stop')
    .addOption(machineFormat())
    .addHelpText('after', examples(EXAMPLES.run))
    .action(async (options: { availableNow?: boolean; format: MachineFormat }, command: Command) => {
      await run(io, { ...globals(command), availableNow: options.availableNow === true, format: options.format });
    });

  program
    .command('sql')
    .description('query the tables; without a query: a prompt on a terminal, else statements from stdin')
    .argument('[query]', 'one or more SELECT statements, with ; between them')
    .option('-f, --file <file>', 'read the statements from a file')
    .addOption(
      new Option('--format <format>', 'how results are written')
        .choices([...FORMATS])
        .default('table' satisfies Format),
    )
    .addHelpText('after', examples(EXAMPLES.sql))
    .action(async (query: string | undefined, options: { file?: string; format: Format }, command: Command) => {
      await sql(io, { ...globals(command), ...options, ...(query === undefined ? {} : { query }) });
    });

  program
    .command('tables')
    .description('list the tables: version, rows, files, bytes, last commit')
    .addOption(machineFormat())
    .addHelpText('after', examples(EXAMPLES.tables))
    .action(async (options: { format: MachineFormat }, command: Command) => {
      await tables(io, { ...globals(command), ...options });
    });

  addHistoryOptions(
    program
      .command('history')
      .description('list the commits of a table, newest first')
      .argument('<table>', 'as silver.orders')
      .addHelpText('after', examples(EXAMPLES.history)),
  ).action(async (table: string, options: HistoryFlags, command: Command) => {
    await history(io, { ...globals(command), ...options, table });
  });

  addTableCommands(program, io, globals);

  const features = program
    .command('features')
    .description('list and export feature sets (features/*.yaml)')
    .helpCommand(false)
    .addHelpText('after', examples(EXAMPLES.features));
  features
    .command('list')
    .description('list the feature sets of the project')
    .addOption(machineFormat())
    .action(async (options: { format: MachineFormat }, command: Command) => {
      await listFeatures(io, { ...globals(command), ...options });
    });
  features
    .command('export')
    .description('write a training set that is correct as of each label, and its manifest')
    .argument('<name>', 'the feature set')
    .requiredOption('-o, --out <dir>', 'the folder to write to')
    .addOption(new Option('--format <format>', 'the file format').choices([...EXPORT_FORMATS]).default('parquet'))
    .option('--pin <manifest>', 'cut it from the table versions of an earlier export')
    .addHelpText('after', examples(EXAMPLES.export))
    .action(async (name: string, options: { out: string; format: ExportFormat; pin?: string }, command: Command) => {
      await exportFeatures(io, { ...globals(command), ...options, name });
    });

  program
    .command('check')
    .description('parse, resolve and type-check the project without running it')
    .addOption(machineFormat())
    .addHelpText('after', examples(EXAMPLES.check))
    .action(async (options: { format: MachineFormat }, command: Command) => {
      await check(io, { ...globals(command), ...options });
    });
  return program;
}

const EXAMPLES = {
  program: [
    'sluice init my-lake && cd my-lake',
    'sluice run --available-now',
    'sluice sql "SELECT * FROM gold.revenue_by_day ORDER BY 1"',
  ],
  init: ['sluice init my-lake'],
  run: ['sluice run --available-now', 'sluice run', 'sluice run --available-now --format json'],
  sql: [
    'sluice sql "SELECT * FROM gold.revenue_by_day ORDER BY 1"',
    'sluice sql "SELECT count(*) FROM silver.orders VERSION AS OF 3"',
    'sluice sql "SELECT * FROM delta_scan(\'path/to/any/delta/table\')"',
    'sluice sql -f report.sql --format csv',
  ],
  tables: ['sluice tables', 'sluice tables --format json'],
  history: ['sluice history gold.revenue_by_day --limit 5'],
  features: ['sluice features list', 'sluice features export churn -o out/'],
  export: [
    'sluice features export churn -o out/',
    'sluice features export churn -o out/ --format csv',
    'sluice features export churn -o again/ --pin out/churn.manifest.json',
  ],
  check: ['sluice check', 'sluice check --format json'],
};

/** @returns undefined when nothing failed: help and version are thrown too. */
function usageError(error: CommanderError): SluiceError | undefined {
  if (error.exitCode === 0) return undefined;
  if (error.code === 'commander.help') {
    return new SluiceError('USAGE', 'no command was named', { advice: 'Name one of the commands above.' });
  }
  return new SluiceError('USAGE', error.message.replace(/^error: /, ''), {
    advice: 'See `sluice --help`.',
    cause: error,
  });
}
