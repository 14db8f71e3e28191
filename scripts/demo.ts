/**
 * `npm run demo`: the shop of examples/shop from its first record to a training set, with the very commands that users type.
 * With `-- --kafka` the same stream goes through a real broker; `-- --rows N` makes it smaller or larger.
 *
 * Promise: the tables stay in `demo-lake/` of this folder, and only a folder that an earlier demo has made is removed for it.
 */
import { existsSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { writeProject } from '../cli/commands/init.ts';
import { formatBytes, formatCount } from '../cli/format.ts';
import { processIo, type Io } from '../cli/io.ts';
import { runProgram } from '../cli/program.ts';
import { errorText, toSluiceError } from '../cli/report-error.ts';
import { messageOf, SluiceError } from '../core/errors.ts';
import { throughKafka } from './demo-kafka.ts';
import { qualityTable } from './demo-quality.ts';

const FOLDER = 'demo-lake';
/** A file that says whose folder it is. */
const MARK = '.sluice-demo';
/** Producing takes as long as reading. */
const DEFAULT_ROWS = { generated: 2_000_000, kafka: 1_000_000 };
const DAYS = 40;

const QUESTIONS = [
  ['What did the shop earn, day by day?', 'SELECT * FROM gold.revenue_by_day ORDER BY order_date DESC LIMIT 7'],
  [
    'What sells, and where?',
    'SELECT product, sum(items)::BIGINT AS items, sum(revenue) AS revenue FROM gold.revenue_by_product GROUP BY product ORDER BY revenue DESC LIMIT 5',
  ],
  [
    'What could not be read, and why? Such records are kept, once, in a table of their own.',
    "SELECT error_code, count(*) AS records, split_part(min(error_message), ':', 1) AS reason FROM bronze.orders_quarantine GROUP BY ALL ORDER BY records DESC",
  ],
] as const;

/** A command failed, and has said so. */
class CommandFailed extends Error {
  readonly exitCode: number;

  constructor(exitCode: number) {
    super(`exit code ${String(exitCode)}`);
    this.exitCode = exitCode;
  }
}

interface DemoOptions {
  readonly rows: number;
  readonly kafka: boolean;
}

const io = processIo();
try {
  await demo(join(io.cwd, FOLDER), demoOptions());
} catch (thrown) {
  if (thrown instanceof CommandFailed) process.exitCode = thrown.exitCode;
  else {
    const error = toSluiceError(thrown);
    io.stderr.write(errorText(error, { style: io.errorStyle, debug: false }));
    process.exitCode = error.exitCode;
  }
}

function demoOptions(): DemoOptions {
  const options = { kafka: { type: 'boolean', default: false }, rows: { type: 'string' } } as const;
  const advice = 'There are --kafka and --rows: `npm run demo -- --kafka --rows 100000`.';
  try {
    const { values } = parseArgs({ options });
    const { kafka, rows = String(DEFAULT_ROWS[kafka ? 'kafka' : 'generated']) } = values;
    if (!/^[1-9]\d{0,9}$/.test(rows))
      throw new SluiceError('USAGE', `not a number of orders: --rows ${rows}`, { advice });
    return { kafka, rows: Number(rows) };
  } catch (error) {
    if (error instanceof SluiceError) throw error;
    throw new SluiceError('USAGE', messageOf(error), { advice, cause: error });
  }
}

async function demo(folder: string, { rows, kafka }: DemoOptions): Promise<void> {
  await removeEarlier(folder);
  await writeProject(folder);
  await writeFile(join(folder, MARK), '');
  await enlarge(join(folder, 'pipelines', '01_bronze.sql'), rows);
  say(io, `\nA shop's ${formatCount(rows)} orders become tables: ${FOLDER}/pipelines/*.sql says how.`);
  let seconds = 0;
  const run = async (): Promise<void> => {
    const startMs = performance.now();
    await sluice('run', '--available-now');
    seconds = (performance.now() - startMs) / 1000;
  };
  if (kafka) await throughKafka(folder, io, run);
  else await run();
  for (const [question, sql] of QUESTIONS) {
    say(io, `\n${question}`);
    await sluice('sql', sql);
  }
  say(io, '\nWhich rows met the expectations of silver.orders? Each commit keeps count.');
  io.stdout.write(await qualityTable(join(folder, 'lake'), 'silver.orders', io.style));
  say(io, '\nWho is leaving? A training set: each label with what was known at its time, and nothing later.');
  await sluice('features', 'export', 'churn', '-o', join(FOLDER, 'out'));
  await sluice(
    'sql',
    `SELECT last_channel, orders_14d, revenue_14d, country, churned FROM read_parquet('${FOLDER}/out/churn.parquet') WHERE orders_14d IS NOT NULL LIMIT 5`,
  );
  await sluice('tables');
  const rate = formatCount(Math.round(rows / seconds));
  say(
    io,
    `\n${formatCount(rows)} orders through bronze, silver and gold in ${seconds.toFixed(1)} s: ${rate} a second, ` +
      `with ${formatBytes(process.resourceUsage().maxRSS * 1024)} of memory at most.\n` +
      `The tables stay in ${relative(io.cwd, folder)}/lake, as Delta Lake: Spark, delta-rs and DuckDB read them too.\n` +
      (kafka ? `The broker is gone; ${FOLDER}/pipelines/01_bronze.sql tells how it was read.\n` : '') +
      'Try next:\n\n' +
      [
        `npx sluice --project ${FOLDER} sql "SELECT count(*) FROM silver.orders VERSION AS OF 1"`,
        `npx sluice --project ${FOLDER} history silver.orders`,
        `npx sluice --project ${FOLDER} sql`,
      ]
        .map((command) => `  ${command}\n`)
        .join(''),
  );
}

/** Runs a command of sluice as a user would, and shows it. @throws CommandFailed */
async function sluice(...args: string[]): Promise<void> {
  const shown = args.map((arg) => (/^[\w./-]+$/.test(arg) ? arg : `"${arg}"`)).join(' ');
  say(io, io.errorStyle.dim(`$ npx sluice --project ${FOLDER} ${shown}`));
  const code = await runProgram(['--project', FOLDER, ...args], io);
  if (code !== 0) throw new CommandFailed(code);
}

function say(to: Io, text: string): void {
  to.stderr.write(`${text}\n`);
}

async function removeEarlier(folder: string): Promise<void> {
  if (!existsSync(folder)) return;
  if (!existsSync(join(folder, MARK))) {
    throw new SluiceError('USAGE', `${folder} is there already, and no earlier demo has made it`, {
      advice: 'Move it away, or run the demo in another folder.',
    });
  }
  await rm(folder, { recursive: true, force: true });
}

/** The template's shop, with more orders a day. */
async function enlarge(file: string, rows: number): Promise<void> {
  const sql = await readFile(file, 'utf8');
  const perDay = String(Math.max(1, Math.round(rows / DAYS)));
  const larger = sql
    .replace(/rows => 200000\b/, `rows => ${String(rows)}`)
    .replace(/eventsPerDay => 5000\b/, `eventsPerDay => ${perDay}`);
  await writeFile(file, larger);
}
