/**
 * What went wrong with a request: what may be tried again, what may have happened nevertheless, and how to tell the user.
 *
 * Promise: no message has a credential in it; each names bucket and key, and the request id where the server gave one.
 */
import { diskFault } from '../disk-fault.ts';
import { messageOf, SluiceError, systemCodeOf, type ErrorCode } from '../../../core/errors.ts';

export interface Fault {
  /** S3's name for it (`SlowDown`), or the system's (`ECONNRESET`). */
  readonly name: string;
  /** Undefined when there was no reply. */
  readonly status: number | undefined;
  readonly requestId: string | undefined;
  readonly message: string;
}

const NETWORK = ['ECONNRESET', 'ECONNREFUSED', 'ECONNABORTED', 'EPIPE', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH', 'EAI_AGAIN', 'ENOTFOUND', 'TimeoutError', 'ERR_STREAM_PREMATURE_CLOSE', 'ECUT']; // prettier-ignore
const AGAIN = ['SlowDown', 'InternalError', 'ServiceUnavailable', 'RequestTimeout', 'Throttling', 'ThrottlingException', 'OperationAborted', 'ConditionalRequestConflict', 'RequestTimeTooSkewed']; // prettier-ignore
/** The server has told that it did nothing. */
const NOTHING_DONE = [400, 403, 404, 405, 409, 411, 412, 413, 416, 429];
const NOT_CONNECTED = ['ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', 'EAI_AGAIN', 'ENOTFOUND'];

export const DISK_ADVICE =
  'It goes through the cache on this machine: free some space there, or name another folder (storage.cache in sluice.yaml).';

/** Whatever was thrown, in the same words. */
export function faultOf(error: unknown): Fault {
  const fields: { [name: string]: unknown } = typeof error === 'object' && error !== null ? { ...error } : {};
  const metadata = fields['$metadata'];
  const inMetadata: { [name: string]: unknown } =
    typeof metadata === 'object' && metadata !== null ? { ...metadata } : {};
  const { httpStatusCode: status, requestId } = inMetadata;
  const named = error instanceof Error ? error.name : 'Error';
  const system = systemCodeOf(error);
  const code = typeof fields['Code'] === 'string' ? fields['Code'] : undefined;
  const premature = messageOf(error) === 'aborted' || messageOf(error) === 'socket hang up';
  return {
    name: code ?? (premature ? 'ECONNRESET' : (system ?? named)),
    status: typeof status === 'number' ? status : undefined,
    requestId: typeof requestId === 'string' ? requestId : undefined,
    message: messageOf(error),
  };
}

/** Whether the same request may succeed a moment later. */
export function canRetry({ name, status }: Fault): boolean {
  if (AGAIN.includes(name) || NETWORK.includes(name)) return true;
  return status !== undefined && (status === 408 || status === 409 || status === 429 || status >= 500);
}

/** Whether nothing answers at all. */
export function isUnreachable({ name }: Pick<Fault, 'name'>): boolean {
  return NOT_CONNECTED.includes(name);
}

/** Whether a write may have happened although it failed. */
export function mayHaveHappened({ name, status }: Fault): boolean {
  if (status === undefined) return !isUnreachable({ name }) && NETWORK.includes(name);
  return !NOTHING_DONE.includes(status);
}

/** Whether the object (and not the bucket) is not there. */
export function isAbsent({ name, status }: Fault): boolean {
  return status === 404 && name !== 'NoSuchBucket';
}

/** @param what such as `read`, with the place of the object @param attempts how often it was tried */
export function explain(error: unknown, what: string, place: string, attempts: number): SluiceError {
  if (error instanceof SluiceError) return error;
  const fault = faultOf(error);
  const disk = diskFault(error)?.code;
  const { code, advice } = disk === undefined ? meaningOf(fault, what) : { code: disk, advice: DISK_ADVICE };
  const said = [
    fault.status === undefined ? undefined : `HTTP ${String(fault.status)}`,
    fault.requestId === undefined ? undefined : `request ${fault.requestId}`,
    attempts > 1 ? `tried ${String(attempts)} times` : undefined,
  ].filter((part) => part !== undefined);
  const details = said.length === 0 ? '' : ` (${said.join(', ')})`;
  return new SluiceError(code, `cannot ${what} ${place}: ${textOf(fault)}${details}`, {
    advice,
    facts: { file: place, status: fault.status, requestId: fault.requestId, reason: fault.name },
    cause: error,
  });
}

function textOf({ name, message }: Fault): string {
  const unknown = message === '' || message === 'UnknownError';
  return unknown ? name : message.startsWith(name) || message.includes(name) ? message : `${name}: ${message}`;
}

function meaningOf({ name, status }: Fault, what: string): { code: ErrorCode; advice: string } {
  if (/^(CredentialsProviderError|TokenProviderError)$/.test(name)) {
    return {
      code: 'STORAGE_DENIED',
      advice: 'There are no credentials. Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, or run where there is a role.',
    };
  }
  if (/^(InvalidAccessKeyId|SignatureDoesNotMatch|ExpiredToken|ExpiredTokenException|InvalidToken|TokenRefreshRequired)$/.test(name)) {
    return { code: 'STORAGE_DENIED', advice: 'The credentials are wrong or have expired: renew them.' };
  }
  if (name === 'RequestTimeTooSkewed') {
    return { code: 'STORAGE_DENIED', advice: 'The clock of this machine is wrong: set it (NTP).' };
  }
  if (name === 'NoSuchBucket' || name === 'InvalidBucketName') {
    return { code: 'CONFIG_INVALID', advice: 'Make the bucket, or look at its name, the endpoint and the region.' };
  }
  if (status === 301 || status === 307 || name === 'PermanentRedirect' || name === 'AuthorizationHeaderMalformed') {
    return { code: 'CONFIG_INVALID', advice: "The bucket is in another region: set AWS_REGION, or storage.s3.region in sluice.yaml, to the bucket's." };
  }
  if (name === 'Error' && status === undefined) {
    return { code: 'CONFIG_INVALID', advice: 'Set AWS_REGION, or storage.s3.region in sluice.yaml; with another service than Amazon\'s also the endpoint.' };
  }
  if (status === 403 || status === 401) {
    const right = { read: 's3:GetObject (and s3:ListBucket, without which a file that is not there looks forbidden)', list: 's3:ListBucket', delete: 's3:DeleteObject' }[what] ?? 's3:PutObject and s3:AbortMultipartUpload';
    return { code: what === 'write' || what === 'delete' ? 'STORAGE_READ_ONLY' : 'STORAGE_DENIED', advice: `Allow ${right} there to the user or role that runs sluice.` };
  }
  if (NOT_CONNECTED.includes(name)) {
    return { code: 'STORAGE_FAILED', advice: 'Nothing answers there: look at the endpoint (AWS_ENDPOINT_URL_S3, or storage.s3.endpoint in sluice.yaml) and the network.' };
  }
  return { code: 'STORAGE_FAILED', advice: 'Look whether the storage service is well, and try again.' };
} // prettier-ignore
