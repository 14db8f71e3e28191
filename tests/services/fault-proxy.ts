/**
 * Stands between an S3 client and its server, and breaks what it is told to break, as networks and services do.
 *
 * Promise: a fault is for one request; what happened on the server and what the client was told is as its kind says.
 */
import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Fault =
  /** The server is not asked, and the client is told to come back, or not to. */
  | { readonly kind: 'refuse'; readonly status: number; readonly code: string }
  /** The server is not asked, and the client gets this. */
  | { readonly kind: 'answer'; readonly body: string }
  /** The server is not asked: the connection breaks. */
  | { readonly kind: 'reset' }
  /** The server does what it was asked; its reply gets lost. */
  | { readonly kind: 'lost' }
  /** The server does what it was asked; something in between says that it did not. */
  | { readonly kind: 'badGateway' }
  /** The reply breaks off in the middle. */
  | { readonly kind: 'cut' }
  /** The server does what it was asked; the reply never comes. */
  | { readonly kind: 'silence' };

export interface Asked {
  readonly method: string;
  /** With the query, decoded. */
  readonly url: string;
}

export interface FaultProxy {
  readonly endpoint: string;
  /** What was asked so far, oldest first. */
  readonly asked: readonly Asked[];
  stop(): Promise<void>;
}

/** @param faultOf what to do to a request; undefined lets it through */
export async function startFaultProxy(
  target: string,
  faultOf: (asked: Asked) => Fault | undefined,
): Promise<FaultProxy> {
  const asked: Asked[] = [];
  const server = createServer((from, to) => {
    void handle(from, to).catch(() => to.destroy());
  });
  const handle = async (from: IncomingMessage, to: ServerResponse): Promise<void> => {
    const now: Asked = { method: from.method ?? '', url: decodeURIComponent(from.url ?? '') };
    asked.push(now);
    const body = await bodyOf(from);
    const fault = faultOf(now);
    if (fault?.kind === 'reset') {
      to.destroy();
      return;
    }
    if (fault?.kind === 'answer') {
      to.writeHead(200, { 'content-type': 'application/xml' });
      to.end(fault.body);
      return;
    }
    if (fault?.kind === 'refuse') {
      to.writeHead(fault.status, { 'content-type': 'application/xml' });
      to.end(`<?xml version="1.0"?><Error><Code>${fault.code}</Code><Message>injected</Message></Error>`);
      return;
    }
    const { status, headers, bytes } = await forward(target, from, body);
    switch (fault?.kind) {
      case 'lost':
        to.destroy();
        return;
      case 'silence':
        return;
      case 'badGateway':
        to.writeHead(502).end();
        return;
      case 'cut':
        to.writeHead(status, headers);
        to.write(bytes.subarray(0, Math.floor(bytes.length / 2)), () => to.destroy());
        return;
      case undefined:
        to.writeHead(status, headers).end(bytes);
    }
  };
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    endpoint: `http://127.0.0.1:${String(port)}`,
    asked,
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function bodyOf(stream: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

interface Reply {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly bytes: Buffer;
}

function forward(target: string, { method, url, headers }: IncomingMessage, body: Buffer): Promise<Reply> {
  const { hostname, port } = new URL(target);
  return new Promise((resolve, reject) => {
    const to = request({ hostname, port, method, path: url, headers }, (reply) => {
      resolve(bodyOf(reply).then((bytes) => ({ status: reply.statusCode ?? 500, headers: reply.headers, bytes })));
    });
    to.on('error', reject);
    to.end(body);
  });
}
