/**
 * Takes records off the wire before kafkajs decodes them. kafkajs keeps what it is good at (brokers, groups, TLS, SASL,
 * retries, offsets) and is handed a stand-in of one record for what a partition sent; `take` gives the bytes behind it.
 *
 * Why: kafkajs makes five objects and two strings of each record, more work than all that sluice does with it
 * (docs/adr/0004-kafkajs.md). Promise: what cannot be taken off reaches kafkajs as it came.
 */
import { randomBytes } from 'node:crypto';
import { connect, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { ISocketFactory, KafkaMessage } from 'kafkajs';
import { FIRST_VERSION, LAST_VERSION, takeRecords, type RecordSet } from './fetch-response.ts';
import { FrameMemory } from './frame-memory.ts';
import { Frames } from './frames.ts';

const FETCH = 1;
/** Length, API key, version, number of the request. */
const REQUEST_HEADER_BYTES = 12;
const KEEP_ALIVE_MS = 60_000;
const READ_BYTES = 2 ** 16;

/** What a broker has sent of a partition, in memory that is used again. */
export class TakenSet implements RecordSet {
  readonly bytes: Buffer;
  readonly batches: RecordSet['batches'];
  readonly aborted: RecordSet['aborted'];
  #isReleased = false;

  constructor({ bytes, batches, aborted }: RecordSet) {
    this.bytes = bytes;
    this.batches = batches;
    this.aborted = aborted;
  }

  get isReleased(): boolean {
    return this.#isReleased;
  }

  /** Its bytes may be others from now on. */
  release(): void {
    this.#isReleased = true;
  }
}

/**
 * What comes over a connection, read into the same memory each time: a buffer for each piece would be as much garbage as there
 * are bytes. Nobody hears it as an event `data`.
 */
class Incoming {
  /** The bytes are others afterwards. */
  listener: ((bytes: Buffer) => void) | undefined;

  /** @returns whether to go on reading */
  read(length: number, buffer: Uint8Array): boolean {
    this.listener?.(Buffer.from(buffer.buffer, buffer.byteOffset, length));
    return true;
  }
}

const GONE = new TakenSet({ bytes: Buffer.alloc(0), batches: [], aborted: [] });

export class RecordTap {
  /** No producer can know it, so no record can pass for a stand-in. */
  readonly #secret = randomBytes(16);
  readonly #sets = new Map<number, TakenSet>();
  #count = 0;

  /** For the configuration of kafkajs; connects as its own does. */
  readonly socketFactory: ISocketFactory = ({ host, port, ssl, onConnect }) => {
    const name = isIP(host) === 0 ? { servername: host } : {};
    const incoming = new Incoming();
    const reading = {
      onread: {
        buffer: Buffer.allocUnsafeSlow(READ_BYTES),
        callback: (length: number, buffer: Uint8Array) => incoming.read(length, buffer),
      },
    };
    const socket = (ssl as object | undefined)
      ? connectTls({ host, port, ...name, ...ssl, ...reading }, onConnect)
      : connect({ host, port, ...reading }, onConnect);
    socket.setKeepAlive(true, KEEP_ALIVE_MS);
    this.#listen(socket, incoming);
    return socket;
  };

  /**
   * What a broker sent, for the messages that kafkajs has for it.
   * @returns undefined when they are no stand-in; a set without batches when kafkajs has asked for the next ones already. To be
   * released by whoever takes it.
   */
  take([message]: readonly KafkaMessage[]): TakenSet | undefined {
    const value = message?.value;
    if (value?.length !== this.#secret.length + 4 || !value.subarray(4).equals(this.#secret)) return undefined;
    const set = this.#sets.get(value.readInt32BE());
    return set === undefined || set.isReleased ? GONE : set;
  }

  /** Both ways of one connection. kafkajs asks a broker anew once it is through with the answer before, so that is dropped. */
  #listen(socket: Socket, incoming: Incoming): void {
    const versions = new Map<number, number>();
    const memory = new FrameMemory();
    let kept = new Map<number, TakenSet>();
    const drop = (): void => {
      for (const id of kept.keys()) this.#sets.delete(id);
      kept = new Map();
    };
    const keep = (found: RecordSet): Buffer => {
      const id = (this.#count = (this.#count + 1) | 0);
      const set = new TakenSet(found);
      this.#sets.set(id, set);
      kept.set(id, set);
      const value = Buffer.alloc(4 + this.#secret.length);
      value.writeInt32BE(id);
      this.#secret.copy(value, 4);
      return value;
    };

    const write = socket.write.bind(socket) as (...args: unknown[]) => boolean;
    socket.write = (...args: unknown[]) => {
      const version = fetchVersion(args[0]);
      if (version !== undefined) versions.set(...version);
      return write(...args);
    };

    const on = socket.on.bind(socket) as (event: string, listener: (...args: never[]) => void) => Socket;
    socket.on = (event: string, listener: (...args: never[]) => void) => {
      if (event !== 'data') return on(event, listener);
      const pass = listener as (bytes: Buffer) => void;
      const whole = (frame: Buffer, correlationId: number): void => {
        const version = versions.get(correlationId) ?? LAST_VERSION;
        versions.delete(correlationId);
        drop();
        const rest = taken(frame, version, keep);
        if (rest !== undefined) memory.holds(frame, [...kept.values()]);
        pass(rest ?? frame);
      };
      const frames = new Frames({
        wants: (id) => versions.has(id),
        room: (bytes) => memory.take(bytes),
        whole,
        pass: (bytes) => {
          pass(Buffer.from(bytes));
        },
      });
      incoming.listener = (bytes) => {
        frames.push(bytes);
      };
      return socket;
    };
    socket.once('close', drop);
  }
}

/** What is left of an answer; undefined when it is not one: kafkajs has its own words for that. */
function taken(frame: Buffer, version: number, keep: (set: RecordSet) => Buffer): Buffer | undefined {
  try {
    return takeRecords(frame, version, keep);
  } catch {
    return undefined;
  }
}

/** The number and version of a request that is a Fetch. */
function fetchVersion(request: unknown): [number, number] | undefined {
  if (!Buffer.isBuffer(request) || request.length < REQUEST_HEADER_BYTES) return undefined;
  const version = request.readInt16BE(6);
  if (request.readInt16BE(4) !== FETCH || version < FIRST_VERSION || version > LAST_VERSION) return undefined;
  return [request.readInt32BE(8), version];
}
