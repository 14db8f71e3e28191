/**
 * What the command line stands on: its streams, its folder and its environment, read here once and passed down.
 *
 * Promise: results go to stdout alone, everything else to stderr; a reader that goes away (`| head`) ends the process
 * quietly; colour only for a terminal, and never when NO_COLOR is set.
 */
import { EXIT_CODES, systemCodeOf } from '../core/errors.ts';
import type { Env } from './env.ts';
import { exitNow } from './exit.ts';
import { styleOf, type Style } from './style.ts';

export interface Io {
  readonly env: Env;
  readonly cwd: string;
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
  /** For what goes to stdout. */
  readonly style: Style;
  /** For what goes to stderr. */
  readonly errorStyle: Style;
}

/** The streams and environment of this process. */
export function processIo(): Io {
  const { env, stdin, stdout, stderr } = process;
  // What it would say is for who makes sluice: docs/adr/0008-aws-sdk-for-s3.md.
  env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true';
  for (const stream of [stdout, stderr]) {
    stream.on('error', (error) => {
      if (systemCodeOf(error) !== 'EPIPE') throw error;
      exitNow(EXIT_CODES.ok);
    });
  }
  return {
    env,
    cwd: process.cwd(),
    stdin,
    stdout,
    stderr,
    style: styleOf(stdout, env),
    errorStyle: styleOf(stderr, env),
  };
}

/** Rows of a result that a terminal shows; a file or a pipe gets them all. */
const TERMINAL_ROWS = 200;
/** Characters of a line, for a terminal that does not tell. */
const TERMINAL_WIDTH = 80;

/** How much of a result is shown. */
export function resultLimits({ stdout }: Io): { readonly maxRows?: number; readonly maxWidth?: number } {
  return stdout.isTTY ? { maxRows: TERMINAL_ROWS, maxWidth: stdout.columns || TERMINAL_WIDTH } : {};
}

/** Writes, and waits while the reader is slower than we are: memory stays bounded whatever the size of a result. */
export async function write(stream: NodeJS.WritableStream, text: string): Promise<void> {
  if (stream.write(text)) return;
  await new Promise<void>((resolve) => stream.once('drain', resolve));
}
