/** ProcessPoolExecutor: functions submitted one by one, each with a Future. */

import { InvalidStateError, TimeoutError } from '../errors.js';
import { deadlineOf, millisecondsLeft, signalOf } from '../internal/deadline.js';
import { invalidArgType, outOfRange, validateBoolean, validateInteger, validateOptions } from '../internal/validate.js';
import type { StartMethod } from '../process/start_method.js';
import type { Target } from '../process/target.js';
import { registerHomebody } from '../serialization/registry.js';
import { Call } from './call.js';
import { Core } from './core.js';
import { taskFunctionOf } from './functions.js';
import { type Future, promise } from './future.js';
import { StreamBatch } from './imap.js';
import { callOptions, mapOptions } from './options.js';
import { STAR } from './protocol.js';
import { coreOptions } from './settings.js';
import type { PoolStats } from './statistics.js';
import { statsOf } from './stats.js';
import { whenEnded } from './when_ended.js';

/** What an executor is made with. Python: the arguments of `ProcessPoolExecutor()`. */
export interface ExecutorOptions {
  /** A worker's death breaks the executor, as in Python: ERR_MP_BROKEN_POOL for all that is not done. Default false. */
  strict?: boolean;
  /** Tasks that run at once. Default cpuCount(). */
  maxWorkers?: number;
  /** As of PoolOptions. */
  initializer?: Target;
  /** What the initializer is called with. */
  initArgs?: readonly unknown[];
  /** As of PoolOptions: a number of tasks. */
  maxTasksPerChild?: number;
  /** As of PoolOptions: bytes. */
  maxMemoryPerChild?: number;
  /** How workers come to be. Default: as of Pool. */
  startMethod?: StartMethod;
}

/** Of ProcessPoolExecutor.map(). Python: the arguments of `Executor.map`. */
export interface ExecutorMapOptions {
  /** Milliseconds from the call, for all results. */
  timeout?: number;
  /** Items that a worker is sent at once. */
  chunkSize?: number;
  /** Its abort rejects what is read next with its reason, and drops what has not been begun. */
  signal?: AbortSignal;
}

const lost = new FinalizationRegistry<Core>((core) => {
  if (core.isOwn) core.close();
});

/**
 * Processes that run submitted functions. As Pool in all that is about workers; docs/pool.md.
 *
 * Python: `concurrent.futures.ProcessPoolExecutor`
 *
 * @example
 * await using executor = new ProcessPoolExecutor({ maxWorkers: 4 });
 * const future = executor.submit((x: number) => x ** 2, 12);
 * await future; // 144
 */
export class ProcessPoolExecutor {
  readonly #core: Core;
  readonly #futures: Set<Future<unknown>> = new Set();

  /** Starts nothing yet. Doesn't block, but for forkSupport(). @throws as new Pool() does. */
  constructor(options: ExecutorOptions = {}) {
    validateOptions(options, 'options');
    const { strict = false, maxWorkers, ...rest } = options;
    validateBoolean(strict, 'options.strict');
    if (maxWorkers !== undefined) validateInteger(maxWorkers, 'options.maxWorkers', 1);
    this.#core = new Core(coreOptions(maxWorkers === undefined ? rest : { ...rest, processes: maxWorkers }, strict));
    lost.register(this, this.#core, this);
  }

  /**
   * Has the function called in a worker. The arguments are serialised before this returns; what can't travel is the
   * future's error, as is all that Pool.apply() rejects with. Doesn't block.
   *
   * Python: `Executor.submit`
   * @throws ERR_INVALID_ARG_TYPE; ERR_MP_TARGET; ERR_MP_INVALID_STATE: after shutdown(); ERR_MP_BROKEN_POOL.
   */
  submit<A extends readonly unknown[], R>(task: Target<A, R>, ...args: A): Future<R> {
    this.#mustBeOpen();
    const found = taskFunctionOf(task, this.#core.options.method);
    const promisor = promise<R>();
    const { future } = promisor;
    this.#futures.add(future);
    future.addDoneCallback(() => this.#futures.delete(future));
    try {
      const settlement = { resolve: promisor.resolve as (value: unknown) => void, reject: promisor.reject };
      const call = new Call(this.#core, found, args, callOptions(undefined), settlement);
      promisor.begin(call);
      call.begin();
    } catch (error) {
      promisor.reject(error);
    }
    return future;
  }

  /**
   * Calls the function with the first of each iterable, then the second, until one of them ends; results come in order, a
   * few ahead of the reader. An error ends it, and drops what has not been begun. Doesn't block.
   *
   * Python: `Executor.map`
   * @throws ERR_INVALID_ARG_TYPE, ERR_OUT_OF_RANGE, ERR_MP_INVALID_STATE, ERR_MP_TARGET, ERR_MP_BROKEN_POOL at once; from
   * next() ERR_MP_TIMEOUT; as Pool.apply() does.
   */
  map<R>(
    // biome-ignore lint/suspicious/noExplicitAny: the contract's
    task: Target<any, R>,
    iterables: readonly Iterable<unknown>[],
    options: ExecutorMapOptions = {},
  ): AsyncIterableIterator<R> {
    this.#mustBeOpen();
    if (!Array.isArray(iterables)) throw invalidArgType('iterables', 'an array of iterables', iterables);
    validateOptions(options, 'options');
    const { timeout, chunkSize, signal } = options;
    const deadline = deadlineOf({ timeout });
    const checked = mapOptions({
      ...(chunkSize === undefined ? {} : { chunkSize }),
      ...(signal === undefined ? {} : { signal }),
    });
    const found = taskFunctionOf(task, this.#core.options.method);
    signalOf({ signal })?.throwIfAborted();
    const stream = new StreamBatch(this.#core, found, together(iterables), true, STAR, checked);
    stream.begin();
    return read<R>(stream, deadline);
  }

  /**
   * Takes no more; what was submitted is done, or with cancelFutures what has not been begun is cancelled. Resolves when
   * all workers have ended, with `wait: false` at once. Idempotent.
   *
   * Python: `Executor.shutdown`
   * @throws ERR_INVALID_ARG_TYPE; ERR_MP_INVALID_STATE: it is another process's.
   */
  async shutdown(options: { wait?: boolean; cancelFutures?: boolean } = {}): Promise<void> {
    validateOptions(options, 'options');
    const { wait = true, cancelFutures = false } = options;
    validateBoolean(wait, 'options.wait');
    validateBoolean(cancelFutures, 'options.cancelFutures');
    if (cancelFutures) for (const future of [...this.#futures]) future.cancel();
    this.#core.close();
    if (wait) await whenEnded(this.#core.whenEnded, Number.POSITIVE_INFINITY, undefined);
  }

  /**
   * Stops the workers now: what is not done rejects with ERR_MP_CANCELLED. Doesn't block.
   *
   * Python: `terminate_workers()` (3.14)
   * @throws ERR_MP_INVALID_STATE: it is another process's.
   */
  terminateWorkers(): void {
    this.#core.terminate();
  }

  /** As Pool.stats(). */
  stats(): PoolStats {
    return statsOf(this.#core);
  }

  /** shutdown(). */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.shutdown();
  }

  #mustBeOpen(): void {
    this.#core.mustBeOwn();
    if (this.#core.isShut) throw new InvalidStateError('this executor was shut down: it takes no more work');
    this.#core.mustBeOpen();
  }
}

registerHomebody('ProcessPoolExecutor', ProcessPoolExecutor);

/** The items of several iterables side by side. With a length, where all have one: then they can be read ahead. */
function together(iterables: readonly Iterable<unknown>[]): Iterable<unknown[]> {
  if (iterables.length === 0) throw outOfRange('iterables.length', '>= 1', 0);
  if (iterables.every((each) => Array.isArray(each))) {
    const length = Math.min(...iterables.map((each) => each.length));
    return Array.from({ length }, (_, index) => iterables.map((each) => each[index]));
  }
  const iterators = iterables.map((each) => each[Symbol.iterator]());
  return {
    [Symbol.iterator]: () => ({
      next: () => {
        const row: unknown[] = [];
        for (const iterator of iterators) {
          const step = iterator.next();
          if (step.done === true) return { done: true, value: undefined };
          row.push(step.value);
        }
        return { done: false, value: row };
      },
    }),
  };
}

async function* read<R>(stream: StreamBatch, deadline: number): AsyncGenerator<R, void, undefined> {
  try {
    for (;;) {
      const step = await inTime(stream.next(), deadline);
      if (step.done === true) return;
      yield step.value as R;
    }
  } finally {
    await stream.return();
  }
}

function inTime<V>(next: Promise<V>, deadline: number): Promise<V> {
  if (deadline === Number.POSITIVE_INFINITY) return next;
  return new Promise((resolve, reject) => {
    const expire = (): void => reject(new TimeoutError('the results did not come in time'));
    const timer = setTimeout(expire, Math.min(Math.max(0, millisecondsLeft(deadline)), 2 ** 31 - 1));
    next.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

/** ProcessPoolExecutor, with another default start method. */
export function executorBoundTo(method: StartMethod): typeof ProcessPoolExecutor {
  const Bound = class extends ProcessPoolExecutor {
    constructor(options: ExecutorOptions = {}) {
      validateOptions(options, 'options');
      super({ ...options, startMethod: options.startMethod ?? method });
    }
  };
  Object.defineProperty(Bound, 'name', { value: 'ProcessPoolExecutor' });
  return Bound;
}
