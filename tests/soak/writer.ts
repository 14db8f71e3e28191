/** A writer in a process of its own, that can be killed: sluice, delta-rs or Spark, told by lines of JSON what to do. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { REPO } from '../services/cache.ts';
import { hasExited } from '../services/child.ts';
import { python } from '../services/python.ts';
import { spark } from '../services/spark.ts';
import type { Operation, Outcome } from './ledger.ts';

export type Kind = 'sluice' | 'deltars' | 'spark';

export interface WriterOptions {
  readonly name: string;
  readonly kind: Kind;
  /** As this engine writes it. */
  readonly location: string;
  /** An existing folder for its scratch files. */
  readonly folder: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly sparkConf?: Readonly<Record<string, string>>;
}

export interface Answer {
  readonly outcome: Outcome;
  /** Why it is not `committed`. */
  readonly why?: string;
}

/** Errors that mean: nothing was committed. Each engine's own words for a lost race. */
const LOST_RACE =
  /COMMIT_CONTENTION|Concurrent\w*Exception|DELTA_CONCURRENT|MetadataChanged|ProtocolChanged|CommitFailedError|Commit failed|Transaction conflict|commit_conflict/i;

export class Writer {
  readonly options: WriterOptions;
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  readonly #log: string[] = [];

  private constructor(options: WriterOptions, child: ChildProcess) {
    this.options = options;
    this.#child = child;
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#log.push(text);
      if (this.#log.length > 200) this.#log.shift();
    });
    child.stdin?.on('error', () => undefined);
    if (child.stdout === null) throw new Error('the writer has no output');
    this.#lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  }

  static async start(options: WriterOptions): Promise<Writer> {
    const { program, args, env } = await launch(options);
    const stdio = ['pipe', 'pipe', 'pipe'] as const;
    const child = spawn(program, args, { env: { ...env, ...options.env }, cwd: options.folder, stdio: [...stdio] });
    const writer = new Writer(options, child);
    const ready = await writer.#lines.next();
    if (ready.done === true) throw new Error(`${options.name} did not start:\n${writer.log}`);
    return writer;
  }

  get log(): string {
    return this.#log.join('').slice(-4000);
  }

  /** @returns undefined when it was killed before it could answer */
  async ask(request: object): Promise<unknown> {
    this.#child.stdin?.write(`${JSON.stringify({ location: this.options.location, ...request })}\n`);
    const line = await this.#lines.next();
    return line.done === true ? undefined : JSON.parse(line.value);
  }

  async run(operation: Operation): Promise<Answer> {
    const answer = (await this.ask(operation)) as { ok?: unknown; error?: string } | undefined;
    if (answer === undefined) return { outcome: 'unknown', why: 'killed' };
    if (answer.error === undefined) return { outcome: 'committed' };
    return { outcome: LOST_RACE.test(answer.error) ? 'refused' : 'unknown', why: answer.error };
  }

  /** What it reads: batch → digest. */
  async state(): Promise<ReadonlyMap<string, string>> {
    const answer = (await this.ask({ do: 'state' })) as { ok?: Record<string, string>; error?: string } | undefined;
    if (answer?.ok !== undefined) return new Map(Object.entries(answer.ok));
    throw new Error(`${this.options.name} cannot read the table: ${answer?.error ?? this.log}`);
  }

  async kill(): Promise<void> {
    if (hasExited(this.#child)) return;
    const gone = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await gone;
  }
}

async function launch({ kind, folder, location, sparkConf = {} }: WriterOptions) {
  if (kind === 'sluice')
    return { program: process.execPath, args: [join(REPO, 'dist', 'tests', 'soak', 'sluice.js')], env: process.env };
  const script = join(REPO, 'tests', 'soak', `${kind}.py`);
  const path = { PYTHONPATH: join(REPO, 'tests', 'interop') };
  if (kind === 'deltars') return { program: await python(), args: [script], env: { ...process.env, ...path } };
  const { python: program, env } = await spark({
    folder,
    driverMemory: '1g',
    conf: sparkConf,
    s3: location.startsWith('s3a:'),
  });
  return { program, args: [script], env: { ...env, ...path } };
}
