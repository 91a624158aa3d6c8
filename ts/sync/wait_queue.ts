/**
 * Those in this process who await one lock, in their order. Only the first is waited for, by the one thread that the
 * native object has for it; the unit it brings goes to whoever is first by then.
 */

import { type Deadline, millisecondsLeft } from '../internal/deadline.js';
import { perProcess } from '../internal/per_process.js';
import { READABLE } from '../internal/readiness.js';
import { native } from '../native/load.js';
import type { Attempt, SemLockObject } from '../native/lock.js';
import type { PollerHandle } from '../native/poller.js';
import { ownToken } from './holder.js';

/** The longest that a timer of Node can wait. */
const LONGEST_TIMER = 2 ** 31 - 1;

interface Waiter {
  readonly resolve: (attempt: Attempt) => void;
  readonly reject: (reason: unknown) => void;
  /** Stops its timer, leaves its signal. */
  readonly cleanUp: () => void;
}

/** The queues that wait at present; a child waits for nothing that its parent waits for. */
const waiting = perProcess(
  () => new Set<WaitQueue>(),
  (inherited) => {
    for (const queue of [...inherited]) queue.abandon();
    return new Set();
  },
);

export class WaitQueue {
  readonly #lock: SemLockObject;
  readonly #waiters: Set<Waiter> = new Set();
  #poller: PollerHandle | undefined;

  constructor(lock: SemLockObject) {
    this.#lock = lock;
  }

  get isEmpty(): boolean {
    return this.#waiters.size === 0;
  }

  /** Resolves with the outcome, false on time-out; rejects with the signal's reason. Keeps the process alive. */
  wait(deadline: Deadline, signal: AbortSignal | undefined): Promise<Attempt> {
    return new Promise((resolve, reject) => {
      let timer: NodeJS.Timeout | undefined;
      const setTimer = (): void => {
        const left = millisecondsLeft(deadline);
        if (left === 0) this.#expire(waiter);
        else if (left > 0) timer = setTimeout(setTimer, Math.min(Math.ceil(left), LONGEST_TIMER));
      };
      const onAbort = (): void => {
        this.#remove(waiter);
        reject(signal?.reason);
      };
      const cleanUp = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', onAbort);
      };
      const waiter: Waiter = { resolve, reject, cleanUp };
      this.#waiters.add(waiter);
      signal?.addEventListener('abort', onAbort, { once: true });
      setTimer();
      this.resume();
    });
  }

  /**
   * For a caller who blocks the event loop, where the thread could get the unit for one who can't run: stops waiting.
   * If the thread has the unit already, the caller has it now. Go on with resume().
   */
  suspend(): Attempt {
    return this.isEmpty ? false : this.#end();
  }

  resume(): void {
    if (!this.isEmpty && this.#poller === undefined) this.#begin();
  }

  /** Everybody is rejected; a unit that has come is given back. */
  close(reason: unknown): void {
    this.#giveBack(this.#end());
    for (const waiter of this.#takeAll()) waiter.reject(reason);
  }

  /** In a forked child: the waiters are the parent's, their promises never settle here. */
  abandon(): void {
    this.#takeAll();
    this.#end();
  }

  #takeAll(): Waiter[] {
    const waiters = [...this.#waiters];
    this.#waiters.clear();
    for (const waiter of waiters) waiter.cleanUp();
    return waiters;
  }

  #begin(): void {
    waiting.value.add(this);
    try {
      const fd = this.#lock.startWaiting(ownToken());
      this.#poller = new native.Poller(fd, () => this.#serve(this.#end()));
      this.#poller.start(READABLE);
    } catch (error) {
      // No thread or descriptor to be had: nobody here can wait.
      this.close(error);
    }
  }

  #end(): Attempt {
    waiting.value.delete(this);
    this.#poller?.close();
    this.#poller = undefined;
    return this.#lock.stopWaiting();
  }

  #giveBack(attempt: Attempt): void {
    if (attempt !== false) this.#lock.release();
  }

  /** The first gets what has come, the others are waited for. */
  #serve(attempt: Attempt): void {
    const [first] = this.#waiters;
    if (first === undefined) {
      this.#giveBack(attempt);
      return;
    }
    if (attempt !== false) {
      this.#remove(first);
      first.resolve(attempt);
    }
    this.resume();
  }

  #remove(waiter: Waiter): void {
    this.#waiters.delete(waiter);
    waiter.cleanUp();
    if (this.isEmpty) this.#giveBack(this.#end());
  }

  #expire(waiter: Waiter): void {
    const [first] = this.#waiters;
    // At the last moment it may have come.
    const attempt = first === waiter ? this.#end() : false;
    if (attempt !== false) {
      this.#serve(attempt);
      return;
    }
    this.#remove(waiter);
    waiter.resolve(false);
    this.resume();
  }
}
