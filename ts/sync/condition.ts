/** Condition: waiting for a change of what a lock guards. */

import { inspect } from 'node:util';
import {
  type Deadline,
  deadlineOf,
  millisecondsLeft,
  type SyncWaitOptions,
  signalOf,
  type WaitOptions,
} from '../internal/deadline.js';
import { systemError } from '../internal/system_error.js';
import { invalidArgType, validateFunction, validateInteger } from '../internal/validate.js';
import { WaitKind } from '../native/wait_room.js';
import { registerCodec } from '../serialization/registry.js';
import { type LetGo, Lock, letGo, mustBeHeld } from './lock.js';
import type { LockLike } from './lock_like.js';
import { mustTravelOpen, type Packed } from './origin.js';
import { RLock } from './rlock.js';
import { WaiterTable } from './waiter_table.js';
import { type WaitSpec, waitSync } from './waiting.js';
import { Waits } from './waits.js';

/** Waits at a time, in all processes together. */
const MOST_WAITS = 4088;
const MOST = 2 ** 31 - 1;

interface PackedCondition {
  readonly lock: Lock;
  readonly ownsLock: boolean;
  readonly place: Packed;
}

/** What the condition that is being made has come as in a message. */
let arriving: PackedCondition | undefined;

/**
 * A lock, and a place to wait at for what it guards to change: wait() lets go of the lock while it waits and has it again
 * when it returns. notify() wakes exactly as many as it says, those who have waited longest, and waits for nobody: who
 * has timed out or died takes no notification; who dies with one before it has noticed leaves it to another who waited at
 * that time. Only the calls named `…Sync` block. Python: `multiprocessing.Condition`.
 *
 * Shared as a Lock is, together with its lock. At most 4,088 waits at a time.
 *
 * ```js
 * const changed = new Condition();
 * await changed.use(() => changed.waitFor(() => counter[0] > 10));
 * changed.useSync(() => { counter[0] += 1; changed.notifyAll(); });
 * ```
 */
export class Condition implements LockLike {
  readonly #lock: Lock;
  readonly #ownsLock: boolean;
  readonly #table: WaiterTable;
  readonly #waits: Waits;

  /**
   * Around a lock, which several conditions may share; default: an RLock of its own. Doesn't block.
   * @throws ERR_INVALID_ARG_TYPE; ENOMEM.
   */
  constructor(lock?: Lock | RLock) {
    if (lock !== undefined && !(lock instanceof Lock)) {
      throw invalidArgType('lock', 'an instance of Lock or RLock', lock);
    }
    this.#ownsLock = lock === undefined || arriving?.ownsLock === true;
    this.#lock = lock ?? new RLock();
    this.#table = new WaiterTable(this, MOST_WAITS, 0, arriving?.place);
    this.#waits = new Waits(this.constructor.name);
  }

  /** As Lock.acquire(). */
  acquire(options?: WaitOptions): Promise<boolean> {
    return this.#lock.acquire(options);
  }

  /** As Lock.acquireSync(), blocking. */
  acquireSync(options?: SyncWaitOptions): boolean {
    return this.#lock.acquireSync(options);
  }

  /** As Lock.tryAcquire(). */
  tryAcquire(): boolean {
    return this.#lock.tryAcquire();
  }

  /** As Lock.release(). */
  release(): void {
    this.#lock.release();
  }

  /** As Lock.use(). */
  use<R>(body: () => R | Promise<R>, options?: WaitOptions): Promise<R> {
    return this.#lock.use(body, options);
  }

  /** As Lock.useSync(), blocking. */
  useSync<R>(body: () => R, options?: SyncWaitOptions): R {
    return this.#lock.useSync(body, options);
  }

  /**
   * Lets go of the lock, all levels of an RLock, waits for a notification, and has the lock again before it settles,
   * however it does. Resolves true when notified, false on time-out (milliseconds, which the waiting for the lock
   * afterwards adds to); rejects with `signal.reason`: then no notification was taken. Python: `wait`.
   * @throws ERR_MP_NOT_OWNER: the lock is not held; ERR_MP_OWNER_DIED: it is held again, taken over from the dead;
   * EAGAIN: too many wait, or no thread to wait with; ERR_MP_CLOSED; ERR_INVALID_ARG_TYPE, ERR_OUT_OF_RANGE.
   */
  async wait(options?: WaitOptions): Promise<boolean> {
    return this.#wait(deadlineOf(options), signalOf(options));
  }

  /** wait(), blocking this process and its event loop. Python: `wait` */
  waitSync(options?: SyncWaitOptions): boolean {
    return this.#waitNow(deadlineOf(options));
  }

  /**
   * wait() until the predicate, which is called with the lock held, says yes: resolves true; false when it still says no
   * after the time-out. Python: `wait_for`.
   * @throws what the predicate throws; as wait() does.
   */
  async waitFor(predicate: () => boolean, options?: WaitOptions): Promise<boolean> {
    validateFunction(predicate, 'predicate');
    const deadline = deadlineOf(options);
    const signal = signalOf(options);
    this.#mustBeHeld();
    for (;;) {
      if (predicate()) return true;
      if (millisecondsLeft(deadline) === 0) return false;
      await this.#wait(deadline, signal);
    }
  }

  /** waitFor(), blocking this process and its event loop. Python: `wait_for` */
  waitForSync(predicate: () => boolean, options?: SyncWaitOptions): boolean {
    validateFunction(predicate, 'predicate');
    const deadline = deadlineOf(options);
    this.#mustBeHeld();
    for (;;) {
      if (predicate()) return true;
      if (millisecondsLeft(deadline) === 0) return false;
      this.#waitNow(deadline);
    }
  }

  /**
   * Wakes the `n` who have waited longest, or all when there are fewer; they go on once they have the lock. Never waits.
   * Python: `notify`.
   * @throws ERR_MP_NOT_OWNER: the lock is not held; ERR_MP_CLOSED; ERR_INVALID_ARG_TYPE, ERR_OUT_OF_RANGE.
   */
  notify(n: number = 1): void {
    validateInteger(n, 'n');
    this.#mustBeHeld();
    if (n > 0) this.#table.region.notifyCondition(this.#table.offset, Math.min(n, MOST));
  }

  /** Wakes all who wait. Python: `notify_all`. @throws as notify() does. */
  notifyAll(): void {
    this.notify(MOST);
  }

  /**
   * Ends this process's use of it, and of the lock if it is the condition's own: who waits here is rejected with
   * ClosedError. Idempotent. Never throws. Python: none.
   */
  close(): void {
    if (!this.#waits.close()) return;
    this.#table.close();
    if (this.#ownsLock) this.#lock.close();
  }

  /** close(). */
  [Symbol.dispose](): void {
    this.close();
  }

  /** @internal */
  [inspect.custom](): string {
    return `${this.constructor.name} <${this.#waits.closed ? 'closed' : inspect(this.#lock)}>`;
  }

  #mustBeHeld(): void {
    this.#waits.mustBeOpen();
    this.#lock[mustBeHeld]();
  }

  /** In this order nobody can notify between letting go and waiting. */
  #begin(): { spec: WaitSpec; lock: LetGo } {
    this.#mustBeHeld();
    const slot = this.#table.region.joinCondition(this.#table.offset, this.#table.enter());
    if (slot < 0) throw systemError('EAGAIN', 'wait');
    return { spec: this.#table.spec(WaitKind.condition, slot), lock: this.#lock[letGo]() };
  }

  async #wait(deadline: Deadline, signal: AbortSignal | undefined): Promise<boolean> {
    this.#mustBeHeld();
    signal?.throwIfAborted();
    const { spec, lock } = this.#begin();
    try {
      return (await this.#waits.wait(spec, deadline, signal)) !== false;
    } finally {
      // Closed together with a lock of its own: there is nothing to have again.
      if (!(this.#ownsLock && this.#waits.closed)) await lock.resume();
    }
  }

  #waitNow(deadline: Deadline): boolean {
    const { spec, lock } = this.#begin();
    try {
      return waitSync(spec, deadline) !== false;
    } finally {
      lock.resumeSync();
    }
  }

  static {
    registerCodec(Condition, {
      name: 'Condition',
      pack: (object): PackedCondition => {
        const condition = object as Condition;
        mustTravelOpen(condition, condition.#waits.closed);
        return { lock: condition.#lock, ownsLock: condition.#ownsLock, place: condition.#table.pack() };
      },
      unpack: (packed) => {
        arriving = packed as PackedCondition;
        try {
          return new Condition(arriving.lock);
        } finally {
          arriving = undefined;
        }
      },
    });
  }
}
