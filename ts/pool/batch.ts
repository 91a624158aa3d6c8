/** What map, imap and imapUnordered have in common: items become chunks, chunks jobs, when a worker can take one. */

import { AsyncResource } from 'node:async_hooks';
import type { Source } from './agenda.js';
import { contextNow } from './context.js';
import type { Core, Undertaking } from './core.js';
import { type Feed, feedOf } from './feed.js';
import type { TaskFunction } from './functions.js';
import type { Generation } from './generation.js';
import { Job, type JobOwner } from './job.js';
import type { CheckedMapOptions } from './options.js';
import { CHUNK } from './protocol.js';

/** Milliseconds that a chunk of items whose number is not known beforehand should take. */
const SHORT = 2;
const LONG = 20;
const LARGEST_GROWN = 4096;

export abstract class Batch implements Source, JobOwner, Undertaking {
  readonly priority: number;
  readonly order: number;
  readonly generation: Generation;
  readonly key = undefined;
  protected readonly core: Core;
  protected readonly feed: Feed;
  readonly #task: TaskFunction;
  readonly #options: CheckedMapOptions;
  readonly #flags: number;
  readonly #context: Readonly<Record<string, unknown>> | undefined = contextNow();
  readonly #jobs: Set<Job> = new Set();
  /** undefined: grows with what is found. */
  readonly #chunkSize: number | undefined;
  #grown = 1;
  /** Items that have become jobs. */
  #taken = 0;
  #done = 0;
  #isSettled = false;
  readonly #onProgress: ((done: number, total: number | undefined) => void) | undefined;

  /** `flags`: STAR or 0. begin() is next. @throws ERR_INVALID_ARG_TYPE: the items are none. */
  constructor(core: Core, task: TaskFunction, items: unknown, flags: number, options: CheckedMapOptions) {
    this.core = core;
    this.#task = task;
    this.#options = options;
    this.#flags = flags | CHUNK;
    this.priority = options.priority;
    this.feed = feedOf(items, 4 * core.options.processes * (options.chunkSize ?? 1), () => this.#changed());
    this.#chunkSize = options.chunkSize ?? this.defaultChunkSize();
    this.generation = core.generationOf(task);
    this.order = core.nextOrder();
    const { onProgress } = options;
    this.#onProgress = onProgress === undefined ? undefined : AsyncResource.bind(onProgress);
  }

  begin(): void {
    this.core.enter(this);
    this.#options.signal?.addEventListener('abort', this.#abort, { once: true });
    this.#changed();
  }

  protected abstract defaultChunkSize(): number | undefined;

  /** How many chunks may be begun now. */
  protected get window(): number {
    return Number.POSITIVE_INFINITY;
  }

  /** Results of the items from `position` on. */
  protected abstract put(position: number, values: ArrayLike<unknown>): void;
  protected abstract putError(position: number, error: unknown): void;
  /** Everything has been put. */
  protected abstract end(failure: { readonly error: unknown } | undefined): void;
  /** It ends here. */
  protected abstract breakOff(error: unknown): void;

  get waiting(): number {
    if (this.#isSettled) return 0;
    return Math.min(this.window, Math.ceil(this.feed.waiting / this.#size));
  }

  get asksUser(): boolean {
    return this.feed.asksUser;
  }

  get #size(): number {
    return this.#chunkSize ?? this.#grown;
  }

  take(): Job | undefined {
    const items = this.feed.take(this.#size);
    if (items.length === 0) {
      this.#endIfOver();
      return undefined;
    }
    const job = new Job({
      owner: this,
      task: this.#task,
      generation: this.generation,
      flags: this.#flags,
      items,
      context: this.#context,
      limits: this.#options.limits,
      position: this.#taken,
      priority: this.priority,
      order: this.order,
    });
    this.#taken += items.length;
    this.#jobs.add(job);
    return job;
  }

  /** There is more to be begun than before. */
  #changed(): void {
    if (this.waiting > 0) this.core.offer(this);
    else this.#endIfOver();
  }

  /** The window has moved. */
  protected moved(): void {
    this.#changed();
  }

  succeed(job: Job, first: number, values: ArrayLike<unknown>): void {
    if (this.#isSettled) return;
    this.put(job.position + first, values);
    this.#progress(values.length);
  }

  fail(error: unknown): void;
  fail(job: Job, item: number, error: unknown): void;
  fail(...args: [unknown] | [Job, number, unknown]): void {
    if (this.#isSettled) return;
    if (args.length === 1) {
      this.stop(args[0]);
      return;
    }
    const [job, item, error] = args;
    this.putError(job.position + item, error);
    this.#progress(1);
  }

  #progress(count: number): void {
    this.#done += count;
    if (this.#onProgress === undefined) return;
    try {
      const total = this.feed.total ?? (this.feed.isOver ? this.#taken : undefined);
      this.#onProgress(this.#done, total);
    } catch (error) {
      this.stop(error);
    }
  }

  adopt(job: Job): void {
    this.#jobs.add(job);
  }

  finish(job: Job): void {
    this.#jobs.delete(job);
    if (job.milliseconds !== undefined && job.milliseconds < SHORT)
      this.#grown = Math.min(this.#grown * 2, LARGEST_GROWN);
    else if (job.milliseconds !== undefined && job.milliseconds > LONG) this.#grown = Math.max(1, this.#grown >> 1);
    this.#endIfOver();
  }

  #endIfOver(): void {
    if (this.#isSettled || !this.feed.isOver || this.#jobs.size > 0) return;
    this.#settle();
    this.end(this.feed.failure);
    this.core.leave(this);
  }

  readonly #abort = (): void => this.stop(this.#options.signal?.reason);

  /** Begins no more, stops what runs, and ends with the error. */
  protected stop(error: unknown): void {
    if (this.#isSettled) return;
    this.#settle();
    this.feed.stop();
    for (const job of [...this.#jobs]) this.core.abandon(job, error);
    this.breakOff(error);
    this.core.leave(this);
  }

  /** Begins no more; what runs may end, to nobody's use. */
  protected drop(): void {
    if (this.#isSettled) return;
    this.#settle();
    this.feed.stop();
    for (const job of [...this.#jobs]) this.core.forget(job);
    this.core.leave(this);
  }

  #settle(): void {
    this.#isSettled = true;
    this.#options.signal?.removeEventListener('abort', this.#abort);
  }
}
