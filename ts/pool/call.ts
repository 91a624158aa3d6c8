/** One call of a function in a worker: apply() and submit(). */

import { contextNow } from './context.js';
import type { Core, Undertaking } from './core.js';
import type { TaskFunction } from './functions.js';
import type { Generation } from './generation.js';
import { Job, type JobOwner } from './job.js';
import type { CallOptions } from './options.js';
import { Single } from './single.js';

export interface Settlement {
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

export class Call implements JobOwner, Undertaking {
  readonly generation: Generation;
  readonly #core: Core;
  readonly #settlement: Settlement;
  readonly #signal: AbortSignal | undefined;
  readonly #job: Job;
  #isSettled = false;

  /** Encodes the arguments; begin() is next. @throws ERR_MP_SERIALIZE */
  constructor(
    core: Core,
    task: TaskFunction,
    args: readonly unknown[],
    { signal, limits, priority, key }: CallOptions,
    settlement: Settlement,
  ) {
    this.#core = core;
    this.#settlement = settlement;
    this.#signal = signal;
    this.generation = core.generationOf(task);
    this.#job = new Job({
      owner: this,
      task,
      generation: this.generation,
      flags: 0,
      items: args,
      context: contextNow(),
      limits,
      position: 0,
      priority,
      order: core.nextOrder(),
      key,
    });
    this.#job.seal();
  }

  begin(): void {
    this.#core.enter(this);
    this.#signal?.addEventListener('abort', this.#abort, { once: true });
    this.#core.offer(new Single(this.#job, this.#job.priority, this.#job.order));
  }

  /** Whether a worker has begun it and is not through. */
  get isRunning(): boolean {
    return this.#job.worker?.runs(this.#job) === true;
  }

  /** False when a worker has begun it; else it is settled with the error. */
  cancel(error: unknown): boolean {
    if (this.#isSettled || !this.#core.withdraw(this.#job)) return false;
    this.fail(error);
    return true;
  }

  readonly #abort = (): void => {
    this.#core.abandon(this.#job, this.#signal?.reason);
    this.#settle(() => this.#settlement.reject(this.#signal?.reason));
  };

  succeed(_job: Job, _first: number, values: ArrayLike<unknown>): void {
    this.#settle(() => this.#settlement.resolve(values[0]));
  }

  fail(error: unknown): void;
  fail(job: Job, item: number, error: unknown): void;
  fail(...args: [unknown] | [Job, number, unknown]): void {
    const error = args.length === 1 ? args[0] : args[2];
    this.#settle(() => this.#settlement.reject(error));
  }

  adopt(): void {}

  finish(): void {}

  #settle(tell: () => void): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    this.#signal?.removeEventListener('abort', this.#abort);
    tell();
    this.#core.leave(this);
  }
}
