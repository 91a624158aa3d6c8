/** Pool: processes that run functions. */

import { inspect } from 'node:util';
import { InvalidStateError } from '../errors.js';
import { deadlineOf, signalOf, type WaitOptions } from '../internal/deadline.js';
import { invalidArgType, validateInteger, validateOptions } from '../internal/validate.js';
import type { StartMethod } from '../process/start_method.js';
import type { Target } from '../process/target.js';
import { registerHomebody } from '../serialization/registry.js';
import { Call } from './call.js';
import { Core } from './core.js';
import { taskFunctionOf } from './functions.js';
import { StreamBatch } from './imap.js';
import { MapBatch } from './map.js';
import { type ApplyOptions, callOptions, type MapOptions, mapOptions, type PoolOptions } from './options.js';
import { STAR } from './protocol.js';
import { coreOptions } from './settings.js';
import type { PoolStats } from './statistics.js';
import { statsOf } from './stats.js';
import { whenEnded } from './when_ended.js';

type Items<T> = Iterable<T> | AsyncIterable<T>;

/** Whoever loses a pool without closing it has its workers ended. */
const lost = new FinalizationRegistry<Core>((core) => {
  if (core.isOwn) core.close();
});

/**
 * Processes that run functions: closures too, under 'fork'. Workers are started when there is something to do for them;
 * what a closure has captured is as it was when it was first submitted. A worker that dies fails the task that it ran,
 * and is replaced. A pool that is left open keeps the program alive no longer than its work.
 *
 * Python: `multiprocessing.Pool`; docs/pool.md has the differences, and what happens to tasks in every circumstance.
 *
 * @example
 * await using pool = new Pool(4);
 * const factor = 3;
 * await pool.map((x: number) => x * factor, [1, 2, 3]); // [3, 6, 9]
 */
export class Pool {
  readonly #core: Core;

  /**
   * Starts nothing yet; of a number, `{ processes: number }`. Doesn't block, but for forkSupport().
   * @throws ERR_INVALID_ARG_TYPE; ERR_OUT_OF_RANGE; ERR_MP_START_METHOD: unknown; ERR_MP_TARGET: the initializer can't be
   * found by a fresh process.
   */
  constructor(options: PoolOptions | number = {}) {
    this.#core = new Core(coreOptions(typeof options === 'number' ? { processes: options } : options));
    lost.register(this, this.#core, this);
  }

  /**
   * Calls the function in a worker: resolves with what it returns, rejects with what it throws. The arguments are
   * serialised before this returns.
   *
   * Python: `Pool.apply_async`
   * @throws ERR_MP_SERIALIZE: an argument, or the result, can't travel; ERR_MP_WORKER_DIED; ERR_MP_TIMEOUT;
   * ERR_MP_CANCELLED: terminate(); ERR_MP_TARGET; ERR_MP_BROKEN_POOL; ERR_MP_INVALID_STATE: after close(); ERR_MP_REMOTE:
   * an error of a class that is not known here; the signal's reason.
   */
  apply<A extends readonly unknown[], R>(task: Target<A, R>, args?: A, options?: ApplyOptions): Promise<R> {
    return new Promise<R>((resolve, reject) => {
      const checked = callOptions(options);
      if (args !== undefined && !Array.isArray(args)) throw invalidArgType('args', 'an array', args);
      const found = this.#accept(task, checked.signal);
      new Call(this.#core, found, args ?? [], checked, { resolve, reject }).begin();
    });
  }

  /**
   * Calls the function with each item: resolves with all results, in the order of the items. The items are read as
   * workers can take them, and sent in chunks. When a call fails the others are run all the same; then it rejects with the
   * first error.
   *
   * Python: `Pool.map`
   * @throws as apply() does; what the iterable throws.
   */
  map<T, R>(task: Target<[T], R>, items: Items<T>, options?: MapOptions): Promise<R[]> {
    return this.#map(task, items, 0, options);
  }

  /** map() of a function of several arguments: each item is a list of them. Python: `Pool.starmap` */
  starmap<A extends readonly unknown[], R>(task: Target<A, R>, items: Items<A>, options?: MapOptions): Promise<R[]> {
    return this.#map(task, items, STAR, options);
  }

  #map<R>(task: unknown, items: unknown, flags: number, options: MapOptions | undefined): Promise<R[]> {
    return new Promise<R[]>((resolve, reject) => {
      const checked = mapOptions(options);
      const found = this.#accept(task, checked.signal);
      const settlement = { resolve: resolve as (results: unknown[]) => void, reject };
      new MapBatch(this.#core, found, items, flags, checked, settlement).begin();
    });
  }

  /**
   * map(), whose results come one by one, in the order of the items. At most 4 tasks a worker are begun before their
   * results are read, so items may be endless. An error rejects its own next(), and iteration may go on. Leaving the loop
   * drops what has not been begun. Doesn't block.
   *
   * Python: `Pool.imap`
   * @throws ERR_INVALID_ARG_TYPE, ERR_OUT_OF_RANGE, ERR_MP_INVALID_STATE, ERR_MP_TARGET, ERR_MP_BROKEN_POOL at once; from
   * next() as apply() does.
   */
  imap<T, R>(task: Target<[T], R>, items: Items<T>, options?: MapOptions): AsyncIterableIterator<R> {
    return this.#stream(task, items, true, options);
  }

  /** imap(), whose results come as they are ready. Python: `Pool.imap_unordered` */
  imapUnordered<T, R>(task: Target<[T], R>, items: Items<T>, options?: MapOptions): AsyncIterableIterator<R> {
    return this.#stream(task, items, false, options);
  }

  #stream<R>(
    task: unknown,
    items: unknown,
    isOrdered: boolean,
    options: MapOptions | undefined,
  ): AsyncIterableIterator<R> {
    const checked = mapOptions(options);
    const found = this.#accept(task, checked.signal);
    const stream = new StreamBatch(this.#core, found, items, isOrdered, 0, checked);
    stream.begin();
    return stream as AsyncIterableIterator<R>;
  }

  #accept(task: unknown, signal: AbortSignal | undefined): ReturnType<typeof taskFunctionOf> {
    this.#core.mustBeOpen();
    const found = taskFunctionOf(task, this.#core.options.method);
    signal?.throwIfAborted();
    return found;
  }

  /**
   * Makes functions known to the workers before they are submitted: closures have what they captured as it is now, and
   * those that are prepared together, or submitted one right after the other, share workers. Resolves when the first worker
   * can be started without a copy of this process having to be made. Doesn't run anything.
   *
   * Python: none.
   * @throws ERR_INVALID_ARG_TYPE; ERR_MP_TARGET; ERR_MP_START_METHOD; ERR_MP_INVALID_STATE; ERR_MP_BROKEN_POOL.
   */
  async prepare(...tasks: readonly Target[]): Promise<void> {
    const found = tasks.map((task) => this.#accept(task, undefined));
    await Promise.all(found.map((task) => this.#core.prepare(task)));
  }

  /**
   * Takes no more work; what was submitted is done, then the workers leave. Doesn't block. Idempotent. Python: `Pool.close`
   * @throws ERR_MP_INVALID_STATE: it is another process's.
   */
  close(): void {
    this.#core.close();
  }

  /**
   * Stops the workers now; what is not done rejects with ERR_MP_CANCELLED. Doesn't block. Idempotent.
   *
   * Python: `Pool.terminate`
   * @throws ERR_MP_INVALID_STATE: it is another process's.
   */
  terminate(): void {
    this.#core.terminate();
  }

  /**
   * Resolves true when all workers have ended, false on time-out (milliseconds). Keeps the program alive meanwhile.
   *
   * Python: `Pool.join`
   * @throws ERR_MP_INVALID_STATE: before close() or terminate(), or it is another process's; the signal's reason.
   */
  async join(options?: WaitOptions): Promise<boolean> {
    const deadline = deadlineOf(options);
    const signal = signalOf(options);
    this.#core.mustBeOwn();
    if (!this.#core.isClosed) throw new InvalidStateError('close() or terminate() the pool before join()');
    return whenEnded(this.#core.whenEnded, deadline, signal);
  }

  /** How many tasks run at once. Python: none. */
  get processes(): number {
    return this.#core.options.processes;
  }

  /** The pids of the workers there are now. Python: none. */
  get pids(): number[] {
    return this.#core.pids;
  }

  /**
   * What it has done so far, and what its workers are. Blocks for some milliseconds: each worker's memory is read from
   * /proc. Never throws. Python: none.
   */
  stats(): PoolStats {
    return statsOf(this.#core);
  }

  /** close() and join(): resolves when all workers have ended. Python: none; `with` calls `terminate()` */
  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
    await this.join();
  }

  static {
    // Not a computed member: --isolatedDeclarations could not name it.
    const value = function (this: Pool): string {
      return `Pool { processes: ${this.processes}, workers: ${this.pids.length} }`;
    };
    Object.defineProperty(Pool.prototype, inspect.custom, { value, configurable: true, writable: true });
  }
}

registerHomebody('Pool', Pool);

/** Pool, with another default start method. */
export function poolBoundTo(method: StartMethod): typeof Pool {
  const Bound = class extends Pool {
    constructor(options: PoolOptions | number = {}) {
      if (typeof options === 'number') validateInteger(options, 'processes', 1);
      else validateOptions(options, 'options');
      const given = typeof options === 'number' ? { processes: options } : options;
      super({ ...given, startMethod: given.startMethod ?? method });
    }
  };
  Object.defineProperty(Bound, 'name', { value: 'Pool' });
  return Bound;
}
