/**
 * The consumer: from kafkajs into the buffer, each partition in the order of its offsets and without a hole.
 *
 * Promise: whenever partitions are dealt out anew, what is buffered is thrown away and reading goes on from the positions in
 * the table, looked up again. A batch is taken only if it was fetched for the very offset that is next, and a first record
 * further on only if the log explains it (compaction); otherwise it is `SOURCE_DATA_LOSS`.
 */
import type { Consumer, EachBatchPayload, Kafka } from 'kafkajs';
import { messageOf } from '../../core/errors.ts';
import type { Clock } from '../../core/clock.ts';
import type { Signals } from '../../core/signals.ts';
import { nextTurn } from '../../core/turn.ts';
import { partitionName } from '../record.ts';
import type { RecordBuffer } from './buffer.ts';
import { METADATA_MAX_AGE_MS } from './client.ts';
import type { Loss } from './offsets.ts';
import { Quiet } from './quiet.ts';
import { corrupt, endOf, holesIn, unknownFormat, recordsFrom, stepsFrom, type Hole, type Step } from './record-set.ts';
import type { RecordSet } from './wire/fetch-response.ts';
import type { RecordTap, TakenSet } from './wire/tap.ts';
import { BadRecords } from './wire/varints.ts';

export interface ReaderParts {
  readonly kafka: Kafka;
  readonly tap: RecordTap;
  readonly groupId: string;
  readonly topics: readonly string[];
  readonly buffer: RecordBuffer;
  readonly signals: Signals;
  readonly clock: Clock;
  /** Where to go on, by partition: from the table, held against what the topics have. */
  readonly locate: () => Promise<ReadonlyMap<string, bigint>>;
  /** Says whether records may be missing, from the cursor on. @throws SluiceError `SOURCE_DATA_LOSS` when not. */
  readonly explain: (cursor: Cursor, holes: readonly Hole[]) => Promise<void>;
  /** What is wrong with reading at the cursor's offset, after a broker has sent something else. */
  readonly lossAt: (cursor: Cursor) => Promise<Loss | undefined>;
}

/** One partition that this worker has. */
export interface Cursor {
  readonly topic: string;
  readonly partition: number;
  readonly name: string;
  /** The next offset to take. */
  next: bigint;
}

const SESSION_TIMEOUT_MS = 10_000;
const REBALANCE_TIMEOUT_MS = 15_000;
const HEARTBEAT_MS = 1000;
/** An idle broker answers after this time; also how long a pause, a seek or a stop may have to wait. */
const MAX_WAIT_MS = 250;
/** For so long a worker tries to get into its group again before it tells. */
const PATIENCE_MS = 10_000;
const FETCH_BYTES = 10 * 2 ** 20;
/** After so many records (a millisecond or two) the batch that is being landed gets its turn: DuckDB asks for its rows. */
const RECORDS_PER_TURN = 2048;

export class Reader {
  readonly #parts: ReaderParts;
  readonly #consumer: Consumer;
  readonly #quiet: Quiet;
  readonly #stop = new AbortController();
  #cursors = new Map<string, Cursor>();
  /** Counts the times that partitions were dealt out or looked up: what began before is void. */
  #epoch = 0;
  #ready = false;
  /** Whether it is in the group at all. */
  #member = false;
  #troubleSinceMs: number | undefined;
  /** Good for the first join only. */
  #initial: ReadonlyMap<string, bigint> | undefined;
  #failure: Error | undefined;
  /** How many more records to take before others have their turn. */
  #untilTurn = RECORDS_PER_TURN;

  constructor(parts: ReaderParts) {
    this.#parts = parts;
    this.#consumer = parts.kafka.consumer({
      groupId: parts.groupId,
      sessionTimeout: SESSION_TIMEOUT_MS,
      rebalanceTimeout: REBALANCE_TIMEOUT_MS,
      heartbeatInterval: HEARTBEAT_MS,
      maxWaitTimeInMs: MAX_WAIT_MS,
      maxBytes: FETCH_BYTES,
      metadataMaxAge: METADATA_MAX_AGE_MS,
      allowAutoTopicCreation: false,
      retry: { restartOnFailure: () => Promise.resolve(this.#isPatient()) },
    });
    const { GROUP_JOIN, CRASH } = this.#consumer.events;
    this.#quiet = new Quiet(this.#consumer);
    this.#consumer.on(GROUP_JOIN, ({ payload }) => {
      this.#joined(payload.memberAssignment);
    });
    this.#consumer.on(CRASH, ({ payload }) => {
      if (payload.restart) this.#left();
      else this.#fail(payload.error);
    });
  }

  /** The partitions that are this worker's, once their positions are known. */
  get cursors(): readonly Cursor[] | undefined {
    return this.#ready ? [...this.#cursors.values()] : undefined;
  }

  /** Whether the brokers have nothing more to give, even if the last offset was not reached. */
  get isQuiet(): boolean {
    return this.#ready && this.#quiet.is;
  }

  throwIfFailed(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }

  /**
   * Joins the group; what goes wrong from then on is told by `throwIfFailed`.
   * @param offsets where to go on, looked up a moment ago
   */
  async start(offsets: ReadonlyMap<string, bigint>): Promise<void> {
    this.#initial = offsets;
    await this.#consumer.connect();
    await this.#consumer.subscribe({ topics: [...this.#parts.topics], fromBeginning: true });
    this.#consumer
      .run({ autoCommit: false, eachBatchAutoResolve: false, eachBatch: (payload) => this.#eachBatch(payload) })
      .catch((error: unknown) => {
        this.#fail(error);
      });
  }

  /** Throws away what is buffered and goes on from the positions in the table. */
  async relocate(): Promise<void> {
    const epoch = ++this.#epoch;
    this.#ready = false;
    this.#quiet.reset();
    const cursors = [...this.#cursors.values()];
    if (this.#member) this.#consumer.pause(topicPartitions(cursors));
    this.#parts.buffer.clear();
    if (!this.#member) return;
    const offsets = await this.#parts.locate();
    if (epoch !== this.#epoch) return;
    this.#consumer.resume(topicPartitions(cursors));
    this.#goTo(offsets);
  }

  /** Group offsets, for lag tools. */
  async commitOffsets(positions: ReadonlyMap<string, bigint>): Promise<void> {
    const offsets = [...this.#cursors.values()].flatMap(({ name, topic, partition }) => {
      const at = positions.get(name);
      return at === undefined ? [] : [{ topic, partition, offset: String(at) }];
    });
    if (offsets.length > 0) await this.#consumer.commitOffsets(offsets);
  }

  async close(): Promise<void> {
    this.#epoch++;
    this.#ready = false;
    this.#stop.abort();
    await this.#consumer.disconnect();
  }

  /** Called by kafkajs before it fetches again, and not waited for: until the positions are known, nothing is fetched. */
  #joined(assignment: Readonly<Record<string, readonly number[]>>): void {
    this.#member = true;
    this.#troubleSinceMs = undefined;
    this.#cursors = new Map();
    for (const [topic, partitions] of Object.entries(assignment)) {
      for (const partition of partitions) {
        const name = partitionName(topic, partition);
        this.#cursors.set(name, { topic, partition, name, next: 0n });
      }
    }
    const offsets = this.#initial;
    this.#initial = undefined;
    if (offsets !== undefined && [...this.#cursors.keys()].every((name) => offsets.has(name))) {
      this.#goTo(offsets);
      return;
    }
    this.relocate().catch((error: unknown) => {
      this.#fail(error);
    });
  }

  /** kafkajs is about to start anew. */
  #left(): void {
    this.#member = false;
    this.#epoch++;
    this.#ready = false;
    this.#cursors = new Map();
    this.#parts.signals.notify();
  }

  /** Whether a failure that may pass (a coordinator that is loading, a broker that restarts) is to be sat out. */
  #isPatient(): boolean {
    const now = this.#parts.clock.nowMs();
    this.#troubleSinceMs ??= now;
    return now - this.#troubleSinceMs < PATIENCE_MS && !this.#stop.signal.aborted;
  }

  #goTo(offsets: ReadonlyMap<string, bigint>): void {
    for (const cursor of this.#cursors.values()) {
      cursor.next = offsets.get(cursor.name) ?? 0n;
      this.#seek(cursor);
    }
    this.#ready = true;
    this.#parts.signals.notify();
  }

  async #eachBatch(payload: EachBatchPayload): Promise<void> {
    const { batch } = payload;
    const cursor = this.#cursors.get(partitionName(batch.topic, batch.partition));
    if (!this.#ready || cursor === undefined) return;
    const epoch = this.#epoch;
    const isVoid = (): boolean => epoch !== this.#epoch;
    let set: TakenSet | undefined;
    try {
      const { fetchedOffset } = batch as { fetchedOffset?: string };
      if (fetchedOffset !== undefined && BigInt(fetchedOffset) !== cursor.next) {
        await this.#sentElsewhere(cursor);
        return;
      }
      set = this.#parts.tap.take(batch.messages);
      if (set === undefined) throw unknownFormat(cursor.name, cursor.next);
      const end = endOf(set);
      if (end === undefined) {
        this.#seek(cursor);
        return;
      }
      const holes = holesIn(set, cursor.next);
      if (holes.length > 0) await this.#parts.explain(cursor, holes);
      for (const step of stepsFrom(set, cursor.next, cursor.name)) {
        if (!isVoid()) await this.#take(cursor, set, step, isVoid, payload);
      }
      if (isVoid()) return;
      cursor.next = end;
      payload.resolveOffset(batch.lastOffset());
    } catch (error) {
      if (!isKafkaError(error)) this.#fail(error);
      throw error;
    } finally {
      set?.release();
    }
  }

  /** One batch into the buffer, as there is room. */
  async #take(
    cursor: Cursor,
    set: RecordSet,
    { batch, upTo }: Step,
    isVoid: () => boolean,
    payload: EachBatchPayload,
  ): Promise<void> {
    const records = await recordsFrom(set, batch, cursor.next, cursor.name);
    while (records !== undefined && cursor.next < upTo) {
      await this.#room(isVoid, payload);
      if (isVoid()) return;
      try {
        const from = cursor.next;
        cursor.next = this.#parts.buffer.append(cursor, records, upTo);
        this.#untilTurn -= Number(cursor.next - from);
      } catch (error) {
        throw error instanceof BadRecords ? corrupt(cursor.name, batch, error) : error;
      }
    }
  }

  /** Waits until the buffer takes more, and keeps the membership alive meanwhile. */
  async #room(isVoid: () => boolean, payload: EachBatchPayload): Promise<void> {
    const { buffer, signals } = this.#parts;
    while (!buffer.hasRoom && !isVoid()) {
      await signals.after(signals.count, HEARTBEAT_MS, this.#stop.signal);
      await payload.heartbeat();
    }
    if (this.#untilTurn > 0) return;
    await nextTurn();
    this.#untilTurn = RECORDS_PER_TURN;
  }

  /** Either an answer from before a seek, or kafkajs has gone elsewhere since the broker does not have the offset. */
  async #sentElsewhere(cursor: Cursor): Promise<void> {
    const loss = await this.#parts.lossAt(cursor);
    if (loss === undefined) this.#seek(cursor);
    else await this.relocate();
  }

  #seek({ topic, partition, next }: Cursor): void {
    this.#consumer.seek({ topic, partition, offset: String(next) });
  }

  #fail(error: unknown): void {
    if (this.#stop.signal.aborted) return;
    this.#failure ??= error instanceof Error ? error : new Error(messageOf(error));
    this.#epoch++;
    this.#ready = false;
    this.#parts.signals.notify();
  }
}

function isKafkaError(error: unknown): boolean {
  return error instanceof Error && error.name.startsWith('KafkaJS');
}

function topicPartitions(cursors: readonly Cursor[]): { topic: string; partitions: number[] }[] {
  return cursors.map(({ topic, partition }) => ({ topic, partitions: [partition] }));
}
