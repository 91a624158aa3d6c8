/**
 * Those of one JavaScript thread who await one resource, in their order. Only the first is waited for; what comes goes to
 * whoever is first by then.
 */

import type { Deadline } from '../internal/deadline.js';
import { perProcess } from '../internal/per_process.js';
import type { Attempt, Resource } from './resource.js';
import { atDeadline, type Pending, startWaiting, type WaitSpec } from './waiting.js';

/** One of them. */
class Waiter {
  readonly resolve: (attempt: Attempt) => void;
  readonly reject: (reason: unknown) => void;
  /** Stops its timer, leaves its signal. */
  cleanUp: (() => void) | undefined;

  constructor(resolve: (attempt: Attempt) => void, reject: (reason: unknown) => void) {
    this.resolve = resolve;
    this.reject = reject;
  }
}

/** The queues that wait at present; a child waits for nothing that its parent waits for. */
const waiting = perProcess(
  () => new Set<WaitQueue>(),
  (inherited) => {
    for (const queue of [...inherited]) queue.abandon();
    return new Set();
  },
);

/** Those of all objects that stand for what is waited for so. */
export function queuesFor({ shared, offset }: WaitSpec): WaitQueue[] {
  return [...waiting.value].filter(({ spec }) => spec.shared === shared && spec.offset === offset);
}

export class WaitQueue {
  readonly #resource: Resource;
  readonly #waiters: Set<Waiter> = new Set();
  #pending: Pending | undefined;
  #onDone: ((attempt: Attempt) => void) | undefined;

  constructor(resource: Resource) {
    this.#resource = resource;
  }

  get spec(): WaitSpec {
    return this.#resource.spec;
  }

  get isEmpty(): boolean {
    return this.#waiters.size === 0;
  }

  /** Resolves with the outcome, false on time-out; rejects with the signal's reason. Keeps the process alive. */
  wait(deadline: Deadline, signal: AbortSignal | undefined): Promise<Attempt> {
    return new Promise((resolve, reject) => {
      const waiter = new Waiter(resolve, reject);
      this.#waiters.add(waiter);
      this.resume();
      if (signal === undefined && deadline === Number.POSITIVE_INFINITY) return;
      const onAbort = (): void => {
        this.#remove(waiter);
        reject(signal?.reason);
      };
      // Nobody is left when there is no thread to wait with.
      if (!this.#waiters.has(waiter)) return;
      signal?.addEventListener('abort', onAbort, { once: true });
      waiter.cleanUp = () => signal?.removeEventListener('abort', onAbort);
      const stopTimer = atDeadline(deadline, () => this.#expire(waiter));
      waiter.cleanUp = () => {
        stopTimer();
        signal?.removeEventListener('abort', onAbort);
      };
    });
  }

  /**
   * For a caller who blocks the event loop, where what comes could go to one who can't run: stops waiting. What has come
   * already is the caller's now. Go on with resume().
   */
  suspend(): Attempt {
    return this.#pending === undefined ? false : (this.#end()?.stop() ?? false);
  }

  resume(): void {
    if (this.isEmpty || this.#pending !== undefined) return;
    waiting.value.add(this);
    try {
      this.#onDone ??= (attempt) => {
        this.#end();
        this.#serve(attempt);
      };
      this.#pending = startWaiting(this.#resource.spec, this.#onDone);
    } catch (error) {
      // No thread or descriptor to be had: nobody here can wait.
      this.close(() => error);
    }
  }

  /** Everybody is rejected; what has come goes back. */
  close(reason: () => unknown): void {
    this.#end()?.cancel();
    if (this.isEmpty) return;
    for (const waiter of this.#takeAll()) waiter.reject(reason());
  }

  /** In a forked child: the waiters are the parent's, their promises never settle here. */
  abandon(): void {
    this.#takeAll();
    this.#end();
  }

  #takeAll(): Waiter[] {
    const waiters = [...this.#waiters];
    this.#waiters.clear();
    for (const waiter of waiters) waiter.cleanUp?.();
    return waiters;
  }

  #end(): Pending | undefined {
    const pending = this.#pending;
    this.#pending = undefined;
    waiting.value.delete(this);
    return pending;
  }

  /** The first gets what has come, the others what else is there; who is left is waited for. */
  #serve(attempt: Attempt): void {
    for (let got = attempt; got !== false; got = !this.isEmpty && this.#resource.take()) {
      const [first] = this.#waiters;
      if (first === undefined) {
        this.#resource.giveBack();
        return;
      }
      this.#waiters.delete(first);
      first.cleanUp?.();
      first.resolve(got);
    }
    this.resume();
  }

  #remove(waiter: Waiter): void {
    this.#waiters.delete(waiter);
    waiter.cleanUp?.();
    if (this.isEmpty) this.#end()?.cancel();
  }

  #expire(waiter: Waiter): void {
    const [first] = this.#waiters;
    // At the last moment it may have come.
    const attempt = first === waiter ? (this.#end()?.giveUp() ?? false) : false;
    if (attempt !== false) {
      this.#serve(attempt);
      return;
    }
    this.#remove(waiter);
    waiter.resolve(false);
    this.resume();
  }
}
