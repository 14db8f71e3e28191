/**
 * The requests of S3 that a store is made of, one call each: the only file that knows the AWS SDK. It is loaded when the
 * first request is sent, so that tables on disk do not pay for it.
 *
 * Promise: a request is sent once; trying again is the caller's business (the SDK's own retries are off, since they would
 * hide a lost reply). A server that is silent for too long is an error.
 */
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import type { Readable } from 'node:stream';
import type { ByteRange } from '../object-store.ts';
import type { S3Settings } from './settings.ts';

const CONNECT_MS = 5000;

export interface S3Object {
  readonly bytes: number;
  readonly modifiedMs: number;
  readonly etag: string;
  /** The id of the write that made it, when it was one of ours. */
  readonly writeId: string | undefined;
}

export interface S3Page {
  readonly objects: readonly { readonly key: string; readonly bytes: number; readonly modifiedMs: number }[];
  /** Of a listing with a delimiter: what lies between the prefix and the next one. */
  readonly folders: readonly string[];
  /** For the page after this one. */
  readonly next: string | undefined;
}

export interface S3Body {
  readonly stream: Readable;
  readonly bytes: number;
}

export interface S3Part {
  readonly ETag: string;
  readonly PartNumber: number;
}

/** Metadata of each object: tells one's own write from that of another when its reply was lost. */
const WRITE_ID = 'sluice-write';

export class S3Requests {
  readonly #client: S3Client;

  constructor(settings: S3Settings) {
    const { endpoint, region, profile, timeoutMs = 20_000 } = settings;
    // How many there are at once is bounded before: a request that waits here for a connection would time out.
    const agent = { maxSockets: Infinity, keepAlive: true };
    this.#client = new S3Client({
      ...(endpoint === undefined ? {} : { endpoint }),
      ...(region === undefined ? (endpoint === undefined ? {} : { region: 'us-east-1' }) : { region }),
      ...(profile === undefined ? {} : { profile }),
      forcePathStyle: settings.forcePathStyle ?? endpoint !== undefined,
      maxAttempts: 1,
      // Trailing checksums are more than many other services understand.
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
      // Waiting for "100 Continue" costs a round trip and a new connection for each part.
      expectContinueHeader: false,
      requestHandler: {
        connectionTimeout: CONNECT_MS,
        socketTimeout: timeoutMs,
        socketAcquisitionWarningTimeout: 2 ** 31 - 1,
        httpAgent: agent,
        httpsAgent: agent,
      },
    });
  }

  async get(
    bucket: string,
    key: string,
    { range, ifMatch }: { readonly range?: ByteRange | undefined; readonly ifMatch?: string | undefined } = {},
  ): Promise<S3Body> {
    const { Body, ContentLength } = await this.#client.send(
      new GetObjectCommand({
        Bucket: bucket,
        Key: key,
        ...(ifMatch === undefined ? {} : { IfMatch: ifMatch }),
        ...(range === undefined ? {} : { Range: `bytes=${String(range.start)}-${String(range.end - 1)}` }),
      }),
    );
    if (Body === undefined || ContentLength === undefined) throw new Error('the reply has no body');
    // In Node it always is one.
    return { stream: Body as Readable, bytes: ContentLength };
  }

  async head(bucket: string, key: string): Promise<S3Object> {
    const found = await this.#client.send(new HeadObjectCommand({ Bucket: bucket, Key: key }));
    return {
      bytes: found.ContentLength ?? 0,
      modifiedMs: found.LastModified?.getTime() ?? 0,
      etag: found.ETag ?? '',
      writeId: found.Metadata?.[WRITE_ID],
    };
  }

  async put(
    bucket: string,
    key: string,
    body: Uint8Array,
    { writeId, ifAbsent }: { readonly writeId: string; readonly ifAbsent: boolean },
  ): Promise<void> {
    await this.#client.send(
      new PutObjectCommand({
        Bucket: bucket,
        Key: key,
        Body: body,
        Metadata: { [WRITE_ID]: writeId },
        ...(ifAbsent ? { IfNoneMatch: '*' } : {}),
      }),
    );
  }

  async delete(bucket: string, key: string): Promise<void> {
    await this.#client.send(new DeleteObjectCommand({ Bucket: bucket, Key: key }));
  }

  async list(
    bucket: string,
    prefix: string,
    options: {
      readonly after?: string | undefined;
      readonly delimiter?: string;
      readonly most?: number;
      readonly token?: string | undefined;
    },
  ): Promise<S3Page> {
    const { after, delimiter, most, token } = options;
    const page = await this.#client.send(
      new ListObjectsV2Command({
        Bucket: bucket,
        Prefix: prefix,
        // Keys may have characters that XML has not.
        EncodingType: 'url',
        ...(after === undefined ? {} : { StartAfter: after }),
        ...(delimiter === undefined ? {} : { Delimiter: delimiter }),
        ...(most === undefined ? {} : { MaxKeys: most }),
        ...(token === undefined ? {} : { ContinuationToken: token }),
      }),
    );
    const plain = (text = ''): string =>
      page.EncodingType === 'url' ? decodeURIComponent(text.replaceAll('+', ' ')) : text;
    return {
      objects: (page.Contents ?? []).map(({ Key, Size, LastModified }) => ({
        key: plain(Key),
        bytes: Size ?? 0,
        modifiedMs: LastModified?.getTime() ?? 0,
      })),
      folders: (page.CommonPrefixes ?? []).map(({ Prefix }) => plain(Prefix)),
      next: page.IsTruncated === true ? page.NextContinuationToken : undefined,
    };
  }

  async beginUpload(bucket: string, key: string, writeId: string): Promise<string> {
    const { UploadId } = await this.#client.send(
      new CreateMultipartUploadCommand({ Bucket: bucket, Key: key, Metadata: { [WRITE_ID]: writeId } }),
    );
    if (UploadId === undefined) throw new Error('the reply has no upload id');
    return UploadId;
  }

  async uploadPart(
    bucket: string,
    key: string,
    { uploadId, number, body }: { readonly uploadId: string; readonly number: number; readonly body: Uint8Array },
  ): Promise<S3Part> {
    const { ETag } = await this.#client.send(
      new UploadPartCommand({ Bucket: bucket, Key: key, UploadId: uploadId, PartNumber: number, Body: body }),
    );
    if (ETag === undefined) throw new Error('the reply has no ETag');
    return { ETag, PartNumber: number };
  }

  async endUpload(bucket: string, key: string, uploadId: string, parts: readonly S3Part[]): Promise<void> {
    await this.#client.send(
      new CompleteMultipartUploadCommand({
        Bucket: bucket,
        Key: key,
        UploadId: uploadId,
        MultipartUpload: { Parts: [...parts] },
      }),
    );
  }

  async abortUpload(bucket: string, key: string, uploadId: string): Promise<void> {
    await this.#client.send(new AbortMultipartUploadCommand({ Bucket: bucket, Key: key, UploadId: uploadId }));
  }

  close(): void {
    this.#client.destroy();
  }
}
