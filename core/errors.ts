/**
 * The one error class that users see. An error is for what nobody expected or for bad input; a lost race is a value.
 *
 * Promise: the message says what failed and where; `advice` says what to do next; `facts` carry the same as data;
 * no secret is ever put into any of them. The exit code follows from the `code` alone.
 */

/** Exit codes of the command line, documented in docs/operations.md. */
export const EXIT_CODES = {
  ok: 0,
  /** Something unforeseen: a bug, please report it. */
  internal: 1,
  /** The command line itself is wrong. */
  usage: 2,
  /** The project (sluice.yaml, SQL, feature sets) or a query is wrong. */
  project: 3,
  /** A source cannot be reached or refuses us: broker down, wrong password, missing topic. */
  source: 4,
  /** Storage failed: disk full, read only, permission denied. */
  storage: 5,
  /** A table is damaged, or needs a feature that sluice does not have. */
  table: 6,
  /** Data broke a rule: an expectation with FAIL UPDATE, data loss at the source, a type that does not fit. */
  data: 7,
  /** Some flows failed while others went on. */
  partial: 8,
  /** Stopped by a signal before the work was done. */
  interrupted: 130,
} as const;

export type ExitKind = keyof typeof EXIT_CODES;

/** Each literal error code and the exit code group that it belongs to. */
export const ERROR_CODES = {
  INTERNAL: 'internal',
  USAGE: 'usage',
  CONFIG_INVALID: 'project',
  SQL_SYNTAX: 'project',
  SQL_INVALID: 'project',
  SQL_NOT_READ_ONLY: 'project',
  UNKNOWN_TABLE: 'project',
  UNKNOWN_COLUMN: 'project',
  CYCLE: 'project',
  DUPLICATE_TABLE: 'project',
  STREAMING_MISUSE: 'project',
  TYPE_UNSUPPORTED: 'project',
  SCHEMA_INCOMPATIBLE: 'data',
  FEATURE_SET_INVALID: 'project',
  SOURCE_UNREACHABLE: 'source',
  SOURCE_AUTH: 'source',
  SOURCE_MISSING: 'source',
  SOURCE_DATA_LOSS: 'data',
  SOURCE_CORRUPT: 'data',
  SOURCE_TABLE_CHANGED: 'data',
  EXPECTATION_FAILED: 'data',
  REPLACE_WHERE_MISMATCH: 'data',
  MERGE_AMBIGUOUS: 'data',
  CONSTRAINT_VIOLATED: 'data',
  VALUE_OUT_OF_RANGE: 'data',
  STORAGE_FULL: 'storage',
  STORAGE_READ_ONLY: 'storage',
  STORAGE_DENIED: 'storage',
  STORAGE_FAILED: 'storage',
  TABLE_NOT_FOUND: 'table',
  TABLE_EXISTS: 'table',
  VERSION_NOT_FOUND: 'table',
  LOG_CORRUPT: 'table',
  LOG_GAP: 'table',
  FILE_MISSING: 'table',
  TABLE_DAMAGED: 'table',
  DELETION_VECTOR_CORRUPT: 'table',
  CHANGE_DATA_MISSING: 'table',
  DELETION_VECTORS_TOO_LARGE: 'table',
  UNSUPPORTED_FEATURE: 'table',
  COMMIT_CONTENTION: 'table',
  TABLE_APPEND_ONLY: 'table',
  RETENTION_TOO_SHORT: 'usage',
  QUERY_FAILED: 'project',
  FLOWS_FAILED: 'partial',
  INTERRUPTED: 'interrupted',
} as const satisfies Record<string, ExitKind>;

export type ErrorCode = keyof typeof ERROR_CODES;

export type Facts = Readonly<Record<string, string | number | bigint | boolean | readonly string[] | undefined>>;

export interface ErrorDetails {
  /** What to do next, one or two sentences. */
  readonly advice?: string;
  /** The facts of the message as data: table, version, topic, partition, offset, file, line, column. */
  readonly facts?: Facts;
  readonly cause?: unknown;
}

/**
 * An error with a literal code, facts and advice.
 * @example throw new SluiceError('TABLE_NOT_FOUND', `no Delta table at ${path}`, { advice: 'Run `sluice tables`.' });
 */
export class SluiceError extends Error {
  readonly code: ErrorCode;
  readonly advice: string | undefined;
  readonly facts: Facts;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'SluiceError';
    this.code = code;
    this.advice = details.advice;
    this.facts = details.facts ?? {};
  }

  get exitCode(): number {
    return EXIT_CODES[ERROR_CODES[this.code]];
  }
}

/** The message of anything thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The system error code (`ENOENT`, `ENOSPC` …) of anything thrown, if it has one. */
export function systemCodeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}
