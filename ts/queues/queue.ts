/** Queue: values from any number of processes to any number of processes. */

import { inspect } from 'node:util';
import { ClosedError, EndOfFileError, QueueEmptyError, QueueFullError } from '../errors.js';
import { type Deadline, deadlineOf, type SyncWaitOptions, signalOf, type WaitOptions } from '../internal/deadline.js';
import { READABLE, stopWaiting } from '../internal/readiness.js';
import { type Attempt, type Patience, PENDING, RequestLine } from '../internal/request_line.js';
import { validateInteger } from '../internal/validate.js';
import type { RingObject } from '../native/ring.js';
import { registerHomebody } from '../serialization/registry.js';
import { serialize } from '../serialization/serialize.js';
import { EMPTY, ENDED, FULL, makeRing, putParts, takeValue } from './message_ring.js';

const ONCE: Deadline = Number.NEGATIVE_INFINITY;

/**
 * First in, first out, between processes, in memory that they share: there is no thread, nothing in /dev/shm, and nothing
 * to flush. What put() has returned for is in the queue, even if the process is killed the next instant; a process that
 * is killed at any point costs at most the one value that it was just putting or had just taken. Memory is taken for the
 * values in it and given back; values of any size fit.
 *
 * Plain calls return promises and don't block, the ones with the suffix `Sync` block the event loop. Calls of one process
 * are served in their order, values of one producer come out in theirs. `size`, isEmpty(), isFull() and get() agree at
 * every moment. A forked child reaches the queue by closure.
 *
 * Python: `multiprocessing.Queue`
 *
 * @example
 * const queue = new Queue<string>();
 * const child = await new Process({ target: () => queue.putSync('done') }).start();
 * await queue.get(); // 'done'
 */
export class Queue<T = unknown> implements AsyncIterable<T> {
  readonly #maxSize: number;
  readonly #ring: RingObject;
  readonly #bells: readonly number[];
  readonly #getters: RequestLine;
  readonly #putters: RequestLine;
  #closed = false;

  /**
   * For up to `maxSize` values; without it, or when it is <= 0, for as many as there is memory for. Doesn't block.
   * @throws ERR_INVALID_ARG_TYPE; ERR_OUT_OF_RANGE; EMFILE; ENOMEM.
   */
  constructor(maxSize: number = 0) {
    validateInteger(maxSize, 'maxSize');
    this.#maxSize = Math.max(0, maxSize);
    this.#ring = makeRing(this.#maxSize);
    const itemsBell = this.#ring.itemsBell();
    const spaceBell = this.#ring.spaceBell();
    this.#bells = [itemsBell, spaceBell];
    this.#getters = new RequestLine(itemsBell, READABLE);
    this.#putters = new RequestLine(spaceBell, READABLE);
  }

  /**
   * Puts a value. It is serialised before this returns: later changes are not seen by the receiver. Resolves when it is
   * in the queue, which waits while that is full.
   * @throws ERR_MP_SERIALIZE: the value can't travel; ERR_MP_QUEUE_FULL: no room came in time; ERR_MP_CLOSED: after
   * end(), or after close() in this process; ENOSPC or ENOMEM: the system has no memory for it.
   *
   * Python: `Queue.put`
   */
  async put(item: T, options?: WaitOptions): Promise<void> {
    this.#mustBeOpen();
    const patience = fullAfter(deadlineOf(options), signalOf(options));
    const parcel = new Parcel(this.#ring, item, patience.deadline !== ONCE);
    const put = this.#putters.run(parcel.attempt, patience);
    parcel.settleIn();
    return put;
  }

  /** put(), blocking while the queue is full. Python: `Queue.put` */
  putSync(item: T, options?: SyncWaitOptions): void {
    this.#mustBeOpen();
    const patience = fullAfter(deadlineOf(options));
    this.#putters.runSync(new Parcel(this.#ring, item, patience.deadline !== ONCE).attempt, patience);
  }

  /** put() that never waits. @throws ERR_MP_QUEUE_FULL, and as put(). Python: `Queue.put_nowait` */
  putNowait(item: T): void {
    this.putSync(item, { timeout: 0 });
  }

  /**
   * Takes the oldest value, waiting while there is none. An aborted or timed-out call takes nothing.
   * @throws ERR_MP_QUEUE_EMPTY: nothing came in time; ERR_MP_EOF: ended and drained; ERR_MP_CLOSED: after close() in
   * this process.
   *
   * Python: `Queue.get`
   */
  async get(options?: WaitOptions): Promise<T> {
    this.#mustBeOpen();
    const patience = emptyAfter(deadlineOf(options), signalOf(options));
    return this.#getters.run(this.#getAttempt(patience.deadline !== ONCE), patience);
  }

  /** get(), blocking while the queue is empty. Python: `Queue.get` */
  getSync(options?: SyncWaitOptions): T {
    this.#mustBeOpen();
    const patience = emptyAfter(deadlineOf(options));
    return this.#getters.runSync(this.#getAttempt(patience.deadline !== ONCE), patience);
  }

  /** get() that never waits. @throws ERR_MP_QUEUE_EMPTY, and as get(). Python: `Queue.get_nowait` */
  getNowait(): T {
    return this.getSync({ timeout: 0 });
  }

  /** The number of values in the queue at this moment. Python: `Queue.qsize`, which macOS lacks and a feeder blurs */
  get size(): number {
    this.#mustBeOpen();
    return this.#ring.size();
  }

  /** Python: `Queue.empty`; here get() agrees. */
  isEmpty(): boolean {
    return this.size === 0;
  }

  /** False for ever without a maxSize. Python: `Queue.full` */
  isFull(): boolean {
    return this.#maxSize > 0 && this.size >= this.#maxSize;
  }

  /**
   * Says that no process puts any more: put() throws ERR_MP_CLOSED everywhere. Readers drain what is left; then their
   * iteration ends and get() rejects with ERR_MP_EOF. Idempotent. Python's queues need a sentinel value for this.
   */
  end(): void {
    this.#mustBeOpen();
    this.#ring.end();
  }

  /**
   * This process is done with the queue: its memory is unmapped here, calls that wait reject with ERR_MP_CLOSED, later
   * ones throw it. Nothing is lost for the others. Idempotent.
   *
   * Python: `Queue.close`; there is no thread to join
   */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    const reason = (): Error => new ClosedError('this queue was closed');
    this.#getters.close(reason);
    this.#putters.close(reason);
    for (const bell of this.#bells) stopWaiting(bell);
    this.#ring.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** The values that come, shared with all other readers, until the queue was ended and is empty. */
  async *[Symbol.asyncIterator](): AsyncIterator<T> {
    for (;;) {
      let item: T;
      try {
        item = await this.get();
      } catch (error) {
        if (error instanceof EndOfFileError) return;
        throw error;
      }
      yield item;
    }
  }

  static {
    // Not a computed member: --isolatedDeclarations could not name it.
    const value = function (this: Queue): string {
      if (this.#closed) return 'Queue { closed }';
      return `Queue { size: ${this.size}${this.#maxSize > 0 ? ` of ${this.#maxSize}` : ''} }`;
    };
    Object.defineProperty(Queue.prototype, inspect.custom, { value, configurable: true, writable: true });
  }

  #getAttempt(ask: boolean): Attempt<T> {
    return () => {
      const value = takeValue(this.#ring, ask);
      if (value === EMPTY) return PENDING;
      if (value === ENDED) throw new EndOfFileError('this queue was ended and is empty');
      return value as T;
    };
  }

  #mustBeOpen(): void {
    if (this.#closed) throw new ClosedError('this queue is closed');
  }
}

registerHomebody('Queue', Queue);

/** One value on its way in. */
class Parcel {
  readonly #ring: RingObject;
  readonly #ask: boolean;
  #parts: readonly Uint8Array[];

  constructor(ring: RingObject, item: unknown, ask: boolean) {
    this.#ring = ring;
    this.#ask = ask;
    this.#parts = serialize(item, 'item');
  }

  readonly attempt = (): typeof PENDING | undefined => {
    const outcome = putParts(this.#ring, this.#parts, this.#ask);
    if (outcome === FULL) return PENDING;
    if (outcome === ENDED) throw new ClosedError('this queue was ended: nothing can be put any more');
    this.#parts = [];
    return undefined;
  };

  /** If it has to wait, it does so as a copy: the caller may change the memory of a Buffer that is in it. */
  settleIn(): void {
    this.#parts = this.#parts.map((part) => Buffer.from(part));
  }
}

function emptyAfter(deadline: Deadline, signal?: AbortSignal): Patience {
  return { deadline, signal, expired: () => new QueueEmptyError('the queue is empty') };
}

function fullAfter(deadline: Deadline, signal?: AbortSignal): Patience {
  return { deadline, signal, expired: () => new QueueFullError('the queue is full') };
}
