/** Where a bucket is and how to talk to it: everything that is not said here is what the AWS SDK finds by itself. */
import { SluiceError } from '../../../core/errors.ts';

export interface S3Settings {
  /** The address of a service other than Amazon's, such as `http://127.0.0.1:9000`. @default `AWS_ENDPOINT_URL_S3`, or Amazon's */
  readonly endpoint?: string | undefined;
  /** @default `AWS_REGION`, the profile's, or `us-east-1` with an endpoint */
  readonly region?: string | undefined;
  /** The bucket's name in the path of the address and not in the host name. @default when there is an endpoint */
  readonly forcePathStyle?: boolean | undefined;
  /** A profile of `~/.aws/config`. @default `AWS_PROFILE` */
  readonly profile?: string | undefined;
  /** How many requests are on their way at once. @default 64 */
  readonly requestsAtOnce?: number | undefined;
  /** A server that says nothing for this long is given up. @default 20,000 */
  readonly timeoutMs?: number | undefined;
  /** How often a request is sent until it counts as failed. @default 8 */
  readonly attempts?: number | undefined;
}

export interface S3Location {
  readonly bucket: string;
  /** Of every key: empty, or ends with `/`. */
  readonly prefix: string;
}

/** Whether a location is one on S3: `s3a` and `s3n` are Hadoop's names for the same. */
export function isS3(location: string): boolean {
  return /^s3[an]?:\/\//i.test(location);
}

/**
 * @param location `s3://bucket/path/of/the/table`
 * @throws SluiceError `CONFIG_INVALID` for one without a bucket, or whose path could not be a folder
 * @example s3Location('s3://lake/silver/orders') // { bucket: 'lake', prefix: 'silver/orders/' }
 */
export function s3Location(location: string): S3Location {
  const [, bucket = '', path = ''] = /^s3[an]?:\/\/([^/]*)\/?(.*)$/is.exec(location) ?? [];
  const folder = path.replace(/\/+$/, '');
  const bad = folder !== '' && folder.split('/').some((part) => ['', '.', '..'].includes(part));
  if (/^[\w.-]+$/.test(bucket) && !bad) return { bucket, prefix: folder === '' ? '' : `${folder}/` };
  throw new SluiceError('CONFIG_INVALID', `not a place on S3: ${location}`, {
    advice: 'Write s3://bucket/path/of/the/table.',
    facts: { location },
  });
}

/** The one way to write a place. */
export function s3Uri({ bucket, prefix }: S3Location, path = ''): string {
  return `s3://${bucket}/${prefix}${path}`.replace(/\/$/, '');
}
