/** Future: what a task will come to. */

import { inspect } from 'node:util';
import { CancelledError, TimeoutError } from '../errors.js';
import { deadlineOf, millisecondsLeft, signalOf, type WaitOptions } from '../internal/deadline.js';
import { validateFunction } from '../internal/validate.js';

const LONGEST_TIMER = 2 ** 31 - 1;

/** The task of a future. */
export interface FutureTask {
  readonly isRunning: boolean;
  /** False when it has been begun; else it is settled with the error. */
  cancel(error: unknown): boolean;
}

export type Outcome<R> =
  | { readonly status: 'fulfilled'; readonly value: R }
  | { readonly status: 'rejected'; readonly reason: unknown };

/** For who makes futures. */
export interface Promisor<R> {
  readonly future: Future<R>;
  begin(task: FutureTask): void;
  resolve(value: R): void;
  reject(error: unknown): void;
}

let make: <R>() => Promisor<R>;

/**
 * What a submitted task will come to: `await future` gives the result. Of an error that nobody asks for nothing is heard.
 * Made by submit(). Nothing of it blocks.
 *
 * Python: `concurrent.futures.Future`
 */
export class Future<R> implements PromiseLike<R> {
  #task: FutureTask | undefined;
  #outcome: Outcome<R> | undefined;
  #isCancelled = false;
  readonly #callbacks: (() => void)[] = [];
  #promise: Promise<R> | undefined;

  /**
   * False when it has been begun, or is done; else nobody begins it, and it rejects with ERR_MP_CANCELLED. Never throws.
   * Python: `cancel()`
   */
  cancel(): boolean {
    if (this.#isCancelled) return true;
    if (this.#outcome !== undefined || this.#task === undefined) return false;
    this.#isCancelled = true;
    if (this.#task.cancel(new CancelledError('this task was cancelled'))) return true;
    this.#isCancelled = false;
    return false;
  }

  /** Whether it was cancelled: by cancel(), by shutdown() or by the failure of another one. Python: `cancelled()` */
  get cancelled(): boolean {
    return this.#outcome?.status === 'rejected' && this.#outcome.reason instanceof CancelledError;
  }

  /** Whether a worker has begun it, and not ended it. Python: `running()` */
  get running(): boolean {
    return this.#outcome === undefined && this.#task?.isRunning === true;
  }

  /** Whether it has returned, failed, or was cancelled. Python: `done()` */
  get done(): boolean {
    return this.#outcome !== undefined;
  }

  /** The outcome, as Promise.allSettled() has it; undefined until it is done. Python: none. */
  get outcome(): Outcome<R> | undefined {
    return this.#outcome;
  }

  /**
   * Resolves with the result, rejects with the task's error. Python: `result()`
   * @throws as Pool.apply() does; ERR_MP_TIMEOUT and the signal's reason also of this call: the task goes on.
   */
  async result(options?: WaitOptions): Promise<R> {
    await this.#whenDone(options);
    const outcome = this.#outcome as Outcome<R>;
    if (outcome.status === 'rejected') throw outcome.reason;
    return outcome.value;
  }

  /**
   * Resolves with the task's error, undefined when there was none. Python: `exception()`
   * @throws ERR_MP_TIMEOUT; ERR_MP_CANCELLED; the signal's reason.
   */
  async exception(options?: WaitOptions): Promise<Error | undefined> {
    await this.#whenDone(options);
    const outcome = this.#outcome as Outcome<R>;
    if (outcome.status === 'fulfilled') return undefined;
    if (this.cancelled) throw outcome.reason;
    return outcome.reason as Error;
  }

  /**
   * Called once it is done, now if it is; in the order in which they were added. What it throws is an uncaught exception.
   * Python: `add_done_callback()` @throws ERR_INVALID_ARG_TYPE.
   */
  addDoneCallback(callback: (future: this) => void): void {
    validateFunction(callback, 'callback');
    if (this.#outcome === undefined) this.#callbacks.push(() => callback(this));
    else guarded(() => callback(this));
  }

  /** As of a promise of the result. Python: `asyncio.wrap_future` */
  // biome-ignore lint/suspicious/noThenProperty: a future is awaited
  get then(): Promise<R>['then'] {
    const settled = this.#asPromise();
    return settled.then.bind(settled);
  }

  /** As of a promise of the result. Python: none. */
  get catch(): Promise<R>['catch'] {
    const settled = this.#asPromise();
    return settled.catch.bind(settled);
  }

  /** As of a promise of the result. Python: none. */
  get finally(): Promise<R>['finally'] {
    const settled = this.#asPromise();
    return settled.finally.bind(settled);
  }

  #asPromise(): Promise<R> {
    if (this.#promise === undefined) {
      this.#promise = this.result();
      this.#promise.catch(() => {}); // who asked hears of it, by what it made of this
    }
    return this.#promise;
  }

  #whenDone(options: WaitOptions | undefined): Promise<void> {
    const deadline = deadlineOf(options);
    const signal = signalOf(options);
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      if (this.#outcome !== undefined) {
        resolve();
        return;
      }
      let timer: NodeJS.Timeout | undefined;
      const leave = (settle: () => void): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', onAbort);
        settle();
      };
      const onAbort = (): void => leave(() => reject(signal?.reason));
      const wait = (): void => {
        const left = millisecondsLeft(deadline);
        if (left === 0) leave(() => reject(new TimeoutError('the task is not done')));
        else if (left > 0) timer = setTimeout(wait, Math.min(Math.ceil(left), LONGEST_TIMER));
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#callbacks.push(() => leave(resolve));
      wait();
    });
  }

  #settle(outcome: Outcome<R>): void {
    this.#outcome = outcome;
    this.#task = undefined;
    for (const callback of this.#callbacks.splice(0)) guarded(callback);
  }

  static {
    make = <V>(): Promisor<V> => {
      const future = new Future<V>();
      return {
        future,
        begin: (task) => {
          if (future.#outcome === undefined) future.#task = task;
        },
        resolve: (value) => future.#settle({ status: 'fulfilled', value }),
        reject: (reason) => future.#settle({ status: 'rejected', reason }),
      };
    };
    // Not a computed member: --isolatedDeclarations could not name it.
    const value = function (this: Future<unknown>): string {
      const state = this.#outcome?.status ?? (this.running ? 'running' : 'pending');
      return `Future { ${this.cancelled ? 'cancelled' : state} }`;
    };
    // biome-ignore lint/complexity/noThisInStatic: tsc's alias for the class's name has no value yet in here
    Object.defineProperty(this.prototype, inspect.custom, { value, configurable: true, writable: true });
  }
}

/** A future, and what settles it. */
export function promise<R>(): Promisor<R> {
  return make<R>();
}

/** A callback's fault is nobody else's. */
function guarded(callback: () => void): void {
  try {
    callback();
  } catch (error) {
    process.nextTick(() => {
      throw error;
    });
  }
}
