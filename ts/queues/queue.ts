/** Queue: values from any number of processes to any number of processes. */

import { constants } from 'node:buffer';
import { inspect } from 'node:util';
import { ClosedError, EndOfFileError, QueueEmptyError, QueueFullError } from '../errors.js';
import { type Deadline, deadlineOf, type SyncWaitOptions, signalOf, type WaitOptions } from '../internal/deadline.js';
import { READABLE, stopWaiting } from '../internal/readiness.js';
import { type Attempt, type Patience, PENDING, RequestLine } from '../internal/request_line.js';
import { Spinning } from '../internal/spinning.js';
import { afterTurn, isTurnOver } from '../internal/turns.js';
import { validateInteger } from '../internal/validate.js';
import type { RingLoan } from '../native/ring.js';
import type { Descriptor } from '../serialization/descriptor.js';
import { CannotTravel, registerCodec } from '../serialization/registry.js';
import { encode } from '../serialization/serialize.js';
import { type Lender, Loan } from './loan.js';
import { EMPTY, ENDED, FULL, MessageRing } from './message_ring.js';
import { endedForPut, Parcel } from './parcel.js';

const ONCE: Deadline = Number.NEGATIVE_INFINITY;

interface PackedQueue {
  readonly maxSize: number;
  readonly files: readonly Descriptor[];
}

let packQueue: (queue: Queue) => PackedQueue;
/** The ring of the queue that is being made of a message. */
let arriving: MessageRing | undefined;

const UNTIL_THERE_IS_ONE: Patience = emptyAfter(Number.POSITIVE_INFINITY);
const UNTIL_THERE_IS_ROOM: Patience = fullAfter(Number.POSITIVE_INFINITY);

/** Of every put() that did not have to wait. */
const DONE: Promise<void> = Promise.resolve();

/**
 * First in, first out, between processes, in memory that they share: there is no thread, nothing in /dev/shm, and nothing
 * to flush. What put() has returned for is in the queue, even if the process is killed the next instant; a process that
 * is killed at any point costs at most the one value that it was just putting or had just taken. Memory is taken for the
 * values in it and given back; values of any size fit. A Buffer of 256 KiB or more that was received is not copied: it
 * stays in that memory, as the receiver's own, until it is garbage.
 *
 * Plain calls return promises and don't block, the ones with the suffix `Sync` block the event loop. Calls of one process
 * are served in their order, values of one producer come out in theirs. `size`, isEmpty(), isFull() and get() agree at
 * every moment. A forked child reaches the queue by closure; messages through a duplex Pipe, a Listener or another queue
 * carry it anywhere.
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
  readonly #ring: MessageRing;
  readonly #bells: readonly number[];
  readonly #getters: RequestLine;
  readonly #putters: RequestLine;
  readonly #joiners: RequestLine;
  readonly #spinning: Spinning = new Spinning();
  readonly #lender: Lender;
  #closed = false;
  /** Calls that did not have to wait. */
  #quick = 0;

  /**
   * For up to `maxSize` values; without it, or when it is <= 0, for as many as there is memory for. Doesn't block.
   * @throws ERR_INVALID_ARG_TYPE; ERR_OUT_OF_RANGE; EMFILE; ENOMEM.
   */
  constructor(maxSize: number = 0) {
    validateInteger(maxSize, 'maxSize');
    this.#maxSize = Math.max(0, maxSize);
    this.#ring = arriving ?? MessageRing.make(this.#maxSize);
    const { items, space, done } = this.#ring.bells();
    this.#bells = [items, space, done];
    this.#getters = new RequestLine(items, READABLE, this.#ring);
    this.#putters = new RequestLine(space, READABLE, this.#ring);
    this.#joiners = new RequestLine(done, READABLE, this.#ring);
    this.#lender = {
      putLoan: (loan, size, options) => this.#putLoan(loan, size, options),
      putLoanSync: (loan, size, options) => this.#putLoanSync(loan, size, options),
      giveBack: (loan) => this.#ring.giveBack(loan),
    };
  }

  /**
   * Puts a value. It is serialised before this returns: later changes are not seen by the receiver. Resolves when it is
   * in the queue, which waits while that is full.
   *
   * Python: `Queue.put`
   * @throws ERR_MP_SERIALIZE: the value can't travel; ERR_MP_QUEUE_FULL: no room came in time; ERR_MP_CLOSED: after
   * end(), or after close() in this process; ENOSPC or ENOMEM: the system has no memory for it.
   */
  put(item: T, options?: WaitOptions): Promise<void> {
    try {
      this.#mustBeOpen();
      const patience = options === undefined ? UNTIL_THERE_IS_ROOM : fullAfter(deadlineOf(options), signalOf(options));
      const parcel = this.#putOrPack(item, patience);
      // It is in; who goes on at once when the loop has waited for long goes on in its next turn.
      if (parcel === undefined) return this.#isTurnOver() ? new Promise(afterTurn) : DONE;
      parcel.settleIn();
      const put = this.#putters.run(parcel.attempt, patience);
      return parcel.hasDescriptors ? put.finally(parcel.discard) : put;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** put(), blocking while the queue is full. Python: `Queue.put` */
  putSync(item: T, options?: SyncWaitOptions): void {
    this.#mustBeOpen();
    const patience = options === undefined ? UNTIL_THERE_IS_ROOM : fullAfter(deadlineOf(options));
    const parcel = this.#putOrPack(item, patience);
    if (parcel === undefined) return;
    // Its memory stays as it is: nothing else runs until it is in.
    this.#putters.runSync(parcel.attempt, patience);
  }

  /** put() that never waits. Python: `Queue.put_nowait` @throws ERR_MP_QUEUE_FULL at once; as put() does. */
  putNowait(item: T): void {
    this.putSync(item, { timeout: 0 });
  }

  /**
   * Takes the oldest value; resolves with it as soon as there is one. An aborted or timed-out call takes nothing.
   *
   * Python: `Queue.get`
   * @throws ERR_MP_QUEUE_EMPTY: nothing came in time; ERR_MP_EOF: ended and drained; ERR_MP_CLOSED: after close() in
   * this process.
   */
  get(options?: WaitOptions): Promise<T> {
    try {
      this.#mustBeOpen();
      const patience = options === undefined ? UNTIL_THERE_IS_ONE : emptyAfter(deadlineOf(options), signalOf(options));
      if (this.#getters.isIdle && !this.#isTurnOver()) {
        patience.signal?.throwIfAborted();
        const value = this.#ring.take(false, true);
        if (this.#ring.wasLong) this.#quick |= 15;
        if (value !== EMPTY && value !== ENDED) return Promise.resolve(value as T);
      }
      return this.#getters.run(this.#getAttempt(patience, true), patience);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** get(), blocking while the queue is empty. Python: `Queue.get` */
  getSync(options?: SyncWaitOptions): T {
    this.#mustBeOpen();
    const patience = options === undefined ? UNTIL_THERE_IS_ONE : emptyAfter(deadlineOf(options));
    if (this.#getters.isIdle) {
      let value = this.#ring.take(false, false);
      if (value === EMPTY && this.#isWorthSpinning(patience)) value = this.#ring.take(false, false);
      if (value !== EMPTY && value !== ENDED) return value as T;
    }
    return this.#getters.runSync(this.#getAttempt(patience, false), patience);
  }

  /** get() that never waits. Python: `Queue.get_nowait` @throws ERR_MP_QUEUE_EMPTY at once; as get() does. */
  getNowait(): T {
    return this.getSync({ timeout: 0 });
  }

  /** The number of values in it at this moment. Python: `Queue.qsize`, which a feeder blurs. @throws ERR_MP_CLOSED. */
  get size(): number {
    this.#mustBeOpen();
    return this.#ring.size;
  }

  /** Whether it has no value at this moment. Python: `Queue.empty`; here get() agrees. @throws ERR_MP_CLOSED. */
  isEmpty(): boolean {
    return this.size === 0;
  }

  /** Whether put() would wait; false for ever without a maxSize. Python: `Queue.full` @throws ERR_MP_CLOSED. */
  isFull(): boolean {
    const { size } = this;
    return this.#maxSize > 0 && size >= this.#maxSize;
  }

  /**
   * Says that no process puts any more: put() throws ERR_MP_CLOSED everywhere. Readers drain what is left; then their
   * iteration ends and get() rejects with ERR_MP_EOF. Idempotent. Doesn't block.
   *
   * Python: none; a sentinel value for each reader
   * @throws ERR_MP_CLOSED: after close() in this process.
   */
  end(): void {
    this.#mustBeOpen();
    this.#ring.end();
  }

  /**
   * This process is done with the queue: its memory is unmapped here, calls that wait reject with ERR_MP_CLOSED, later
   * ones throw it. Nothing is lost for the others. Idempotent. Never throws.
   *
   * Python: `Queue.close`; there is no thread to join
   */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    const reason = (): Error => new ClosedError('this queue was closed');
    this.#getters.close(reason);
    this.#putters.close(reason);
    this.#joiners.close(reason);
    for (const bell of this.#bells) stopWaiting(bell);
    this.#ring.close();
  }

  /** close(). */
  [Symbol.dispose](): void {
    this.close();
  }

  /**
   * The values that come, shared with all other readers, until the queue was ended and is empty.
   * Python: `iter(queue.get, sentinel)` @throws ERR_MP_CLOSED from next().
   */
  [Symbol.asyncIterator](): AsyncIterator<T> {
    return {
      next: () => this.get().then(asNext<T>, asEnd<T>),
      return: () => Promise.resolve({ done: true, value: undefined }),
    };
  }

  /**
   * Room for a message of `size` bytes in the queue's own memory, to be written in place and put without a copy. Resolves
   * when there is some. The receiver takes it by getLoan(), in place too. A queue carries either values or loans.
   *
   * Python: none.
   * @throws ERR_MP_QUEUE_FULL: no room came in time; EMSGSIZE: larger than a quarter of the queue's address space; ENOSPC or
   * ENOMEM; ERR_MP_CLOSED; ERR_INVALID_ARG_TYPE; ERR_OUT_OF_RANGE.
   */
  async lend(size: number, options?: WaitOptions): Promise<Loan> {
    this.#mustBeOpen();
    const patience = fullAfter(deadlineOf(options), signalOf(options));
    return this.#putters.run(this.#lendAttempt(size, patience), patience);
  }

  /** lend(), blocking while there is no room. */
  lendSync(size: number, options?: SyncWaitOptions): Loan {
    this.#mustBeOpen();
    const patience = fullAfter(deadlineOf(options));
    return this.#putters.runSync(this.#lendAttempt(size, patience), patience);
  }

  /**
   * Resolves with the next message of a loan as it lies in the queue's memory, until it is given back. While this process
   * has 256 loans, and for messages that were put by put(), the bytes are in memory of their own.
   *
   * Python: none.
   * @throws as get() does.
   */
  async getLoan(options?: WaitOptions): Promise<Loan> {
    this.#mustBeOpen();
    const patience = emptyAfter(deadlineOf(options), signalOf(options));
    return this.#getters.run(this.#loanAttempt(patience), patience);
  }

  /** getLoan(), blocking while the queue is empty. */
  getLoanSync(options?: SyncWaitOptions): Loan {
    this.#mustBeOpen();
    const patience = emptyAfter(deadlineOf(options));
    if (this.#getters.isIdle && this.isEmpty()) this.#isWorthSpinning(patience);
    return this.#getters.runSync(this.#loanAttempt(patience), patience);
  }

  static {
    // Not a computed member: --isolatedDeclarations could not name it.
    const value = function (this: Queue): string {
      if (this.#closed) return 'Queue { closed }';
      return `Queue { size: ${this.size}${this.#maxSize > 0 ? ` of ${this.#maxSize}` : ''} }`;
    };
    Object.defineProperty(Queue.prototype, inspect.custom, { value, configurable: true, writable: true });
  }

  /** Looks at the clock only now and then: for small messages that would take a good part of the time. */
  #isTurnOver(): boolean {
    this.#quick += 1;
    return (this.#quick & 15) === 0 && isTurnOver();
  }

  /** What is left to do when it is not in already. */
  #putOrPack(item: T, patience: Patience): Parcel | undefined {
    const descriptors: number[] = [];
    const encoded = encode(item, 'item', descriptors);
    if (encoded.length === undefined) this.#quick |= 15; // a large one takes a while
    if (this.#putters.isIdle) {
      patience.signal?.throwIfAborted();
      const outcome = this.#ring.put(encoded, descriptors);
      if (outcome === undefined) return undefined;
      if (outcome === ENDED) throw endedForPut();
    }
    return new Parcel(this.#ring, encoded, descriptors, patience.deadline !== ONCE);
  }

  #isWorthSpinning({ deadline }: Patience): boolean {
    const microseconds = deadline === ONCE ? 0 : this.#spinning.next();
    if (microseconds === 0) return false;
    const found = this.#ring.spin(microseconds);
    this.#spinning.tell(found);
    return found;
  }

  #getAttempt({ deadline }: Patience, later: boolean): Attempt<T> {
    return () => this.#orPending(this.#ring.take(deadline !== ONCE, later));
  }

  #orPending<V>(value: unknown): V | typeof PENDING {
    if (value === EMPTY) {
      this.#ring.trimWhenIdle();
      return PENDING;
    }
    if (value === ENDED) throw new EndOfFileError('this queue was ended and is empty');
    return value as V;
  }

  #lendAttempt(size: number, { deadline }: Patience): Attempt<Loan> {
    validateInteger(size, 'size', 0, constants.MAX_LENGTH);
    return () => {
      const loan = this.#ring.lend(size, deadline !== ONCE);
      return loan === undefined ? PENDING : new Loan(this.#lender, loan, new Uint8Array(loan.bytes));
    };
  }

  #loanAttempt({ deadline }: Patience): Attempt<Loan> {
    return () => {
      const taken = this.#ring.takeLoan(deadline !== ONCE);
      if (typeof taken === 'symbol') return this.#orPending(taken);
      if (taken instanceof Uint8Array) return new Loan(this.#lender, undefined, taken);
      return new Loan(this.#lender, taken, new Uint8Array(taken.bytes));
    };
  }

  async #putLoan(loan: RingLoan, size: number, options: WaitOptions | undefined): Promise<void> {
    this.#mustBeOpen();
    const patience = fullAfter(deadlineOf(options), signalOf(options));
    return this.#putters.run(this.#putLoanAttempt(loan, size, patience), patience);
  }

  #putLoanSync(loan: RingLoan, size: number, options: SyncWaitOptions | undefined): void {
    this.#mustBeOpen();
    const patience = fullAfter(deadlineOf(options));
    this.#putters.runSync(this.#putLoanAttempt(loan, size, patience), patience);
  }

  #putLoanAttempt(loan: RingLoan, size: number, { deadline }: Patience): Attempt<undefined> {
    return () => {
      const outcome = this.#ring.putLoan(loan, size, deadline !== ONCE);
      if (outcome === ENDED) throw endedForPut();
      return outcome === FULL ? PENDING : undefined;
    };
  }

  /** One value more has been dealt with; false when all that were put have been. */
  protected countDone(): boolean {
    this.#mustBeOpen();
    return this.#ring.countDone();
  }

  /** Resolves when as many have been counted as were put; rejects with `expired()` when not in time. */
  protected async whenAllDone(patience: Patience): Promise<void> {
    this.#mustBeOpen();
    return this.#joiners.run(this.#doneAttempt(patience), patience);
  }

  protected waitAllDone(patience: Patience): void {
    this.#mustBeOpen();
    this.#joiners.runSync(this.#doneAttempt(patience), patience);
  }

  #doneAttempt({ deadline }: Patience): Attempt<undefined> {
    return () => (this.#ring.unfinished(deadline !== ONCE) === 0 ? undefined : PENDING);
  }

  static {
    packQueue = (queue) => {
      if (queue.#closed) throw new CannotTravel('is a closed queue');
      return { maxSize: queue.#maxSize, files: queue.#ring.files() };
    };
  }

  #mustBeOpen(): void {
    if (this.#closed) throw new ClosedError('this queue is closed');
  }
}

/** How the instances of a class of queues travel. */
export function registerQueue(name: string, type: new (maxSize: number) => Queue): void {
  registerCodec(type, {
    name,
    pack: (object) => packQueue(object as Queue),
    unpack: (packed) => {
      const { maxSize, files } = packed as PackedQueue;
      arriving = MessageRing.open(files);
      try {
        return new type(maxSize);
      } finally {
        arriving = undefined;
      }
    },
  });
}

registerQueue('Queue', Queue);

function asNext<T>(value: T): IteratorResult<T> {
  return { done: false, value };
}

function asEnd<T>(error: unknown): IteratorResult<T> {
  if (error instanceof EndOfFileError) return { done: true, value: undefined };
  throw error;
}

function emptyAfter(deadline: Deadline, signal?: AbortSignal): Patience {
  return { deadline, signal, expired: () => new QueueEmptyError('the queue is empty') };
}

function fullAfter(deadline: Deadline, signal?: AbortSignal): Patience {
  return { deadline, signal, expired: () => new QueueFullError('the queue is full') };
}
