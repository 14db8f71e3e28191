/**
 * A door to an S3 server that makes log entries put-if-absent, for engines that do not ask for it themselves.
 *
 * Delta's own S3 log store looks whether an entry is there and then writes it, so that another writer's entry in between is lost.
 * Behind this door the server decides, and what it says is worded as Google's store words it, which Delta understands
 * (`spark.delta.logStore.s3a.impl` = `io.delta.storage.GCSLogStore`).
 */
import { createServer, request, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

const LOG_ENTRY = /\/_delta_log\/\d{20}\.json$/;
const LOST = '<Error><Code>PreconditionFailed</Code><Message>412 Precondition Failed</Message></Error>';

export interface Door {
  readonly endpoint: string;
  close(): Promise<void>;
}

/** @param endpoint of the server behind: `http://127.0.0.1:5000` */
export async function conditionalPut(endpoint: string): Promise<Door> {
  const target = new URL(endpoint);
  const server = createServer((from, to) => {
    pass(from, to, target);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { endpoint: `http://127.0.0.1:${String(port)}`, close: () => closed(server) };
}

function pass(from: IncomingMessage, to: ServerResponse, target: URL): void {
  const isEntry = from.method === 'PUT' && LOG_ENTRY.test((from.url ?? '').split('?')[0] ?? '');
  const headers = { ...from.headers, ...(isEntry ? { 'if-none-match': '*' } : {}) };
  const { hostname, port } = target;
  const onward = request({ hostname, port, method: from.method, path: from.url, headers }, (answer) => {
    const isLost = isEntry && answer.statusCode === 412;
    if (isLost) {
      answer.resume();
      to.writeHead(412, { 'content-type': 'application/xml', 'content-length': Buffer.byteLength(LOST) }).end(LOST);
      return;
    }
    to.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(to);
  });
  onward.on('error', () => to.destroy());
  from.pipe(onward);
}

async function closed(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
}
