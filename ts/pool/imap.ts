/** imap() and imapUnordered(): results as they come, and no more under way than the reader can keep up with. */

import { Batch } from './batch.js';
import type { Core } from './core.js';
import type { TaskFunction } from './functions.js';
import type { Job } from './job.js';
import type { CheckedMapOptions } from './options.js';

/** Tasks a worker that are begun before their results are read. */
const READ_AHEAD = 4;

class Failure {
  readonly error: unknown;
  constructor(error: unknown) {
    this.error = error;
  }
}

/** A result that has not come. */
const MISSING: unique symbol = Symbol('missing');

interface Reader {
  readonly resolve: (result: IteratorResult<unknown>) => void;
  readonly reject: (error: unknown) => void;
}

export class StreamBatch extends Batch implements AsyncIterableIterator<unknown> {
  readonly #isOrdered: boolean;
  /** Ordered: of all items that are begun and not read, those that came. Else: what came. */
  #results: unknown[] = [];
  /** How many of them have been read. */
  #read = 0;
  /** Position of the first of them among all items. */
  #base = 0;
  /** Items begun, and read. */
  #begun = 0;
  #delivered = 0;
  readonly #readers: Reader[] = [];
  #isOver = false;
  #isHurried = false;
  #isFilling = true;
  readonly #chunk: number;

  constructor(
    core: Core,
    task: TaskFunction,
    items: unknown,
    isOrdered: boolean,
    flags: number,
    options: CheckedMapOptions,
  ) {
    super(core, task, items, flags, options);
    this.#isOrdered = isOrdered;
    this.#chunk = options.chunkSize ?? 1;
  }

  protected defaultChunkSize(): number {
    return 1;
  }

  protected override get window(): number {
    if (this.#isHurried) return Number.POSITIVE_INFINITY;
    return this.#isFilling ? Math.max(0, this.#free) : 0;
  }

  get #most(): number {
    return READ_AHEAD * this.core.options.processes;
  }

  get #free(): number {
    return this.#most - Math.ceil((this.#begun - this.#delivered) / this.#chunk);
  }

  override take(): Job | undefined {
    const job = super.take();
    this.#begun += job?.count ?? 0;
    if (this.#free <= 0) this.#isFilling = false;
    return job;
  }

  /** What has an end is done without a reader, too: or else close() and join() would wait for one. */
  hurry(): void {
    if (this.feed.total === undefined || this.#isHurried) return;
    this.#isHurried = true;
    this.moved();
  }

  protected put(position: number, values: ArrayLike<unknown>): void {
    for (let index = 0; index < values.length; index += 1) this.#place(position + index, values[index]);
    this.#deliver();
  }

  protected putError(position: number, error: unknown): void {
    this.#place(position, new Failure(error));
    this.#deliver();
  }

  #place(position: number, result: unknown): void {
    if (!this.#isOrdered) {
      this.#results.push(result);
      return;
    }
    const index = position - this.#base;
    while (this.#results.length < index) this.#results.push(MISSING);
    this.#results[index] = result;
  }

  /** Gives what has come to who waits for it. */
  #deliver(): void {
    let hasMoved = false;
    while (this.#readers.length > 0 && this.#hasNext()) {
      hasMoved = true;
      const reader = this.#readers.shift() as Reader;
      const result = this.#takeNext();
      if (result instanceof Failure) reader.reject(result.error);
      else reader.resolve({ done: false, value: result });
    }
    if (hasMoved && !this.#isOver) this.moved();
    if (!this.#isOver || this.#hasNext()) return;
    for (const { resolve } of this.#readers.splice(0)) resolve({ done: true, value: undefined });
  }

  #hasNext(): boolean {
    return this.#read < this.#results.length && this.#results[this.#read] !== MISSING;
  }

  #takeNext(): unknown {
    const result = this.#results[this.#read];
    this.#results[this.#read] = undefined;
    this.#read += 1;
    this.#delivered += 1;
    // Several at once: to wake a worker for each takes longer than a short task.
    if (this.#free >= this.#most / 2) this.#isFilling = true;
    if (this.#read >= 1024 || this.#read === this.#results.length) {
      this.#results = this.#results.slice(this.#read);
      this.#base += this.#read;
      this.#read = 0;
    }
    return result;
  }

  protected end(failure: { readonly error: unknown } | undefined): void {
    this.#isOver = true;
    if (failure !== undefined) this.#results.push(new Failure(failure.error));
    this.#deliver();
  }

  protected breakOff(error: unknown): void {
    this.#results = [new Failure(error)];
    this.#read = 0;
    this.#isOver = true;
    this.#deliver();
  }

  // ---- for the reader

  next(): Promise<IteratorResult<unknown>> {
    if (this.#readers.length === 0 && this.#hasNext()) {
      const result = this.#takeNext();
      if (!this.#isOver) this.moved();
      if (result instanceof Failure) return Promise.reject(result.error);
      return Promise.resolve({ done: false, value: result });
    }
    if (this.#isOver) return Promise.resolve({ done: true, value: undefined });
    return new Promise((resolve, reject) => this.#readers.push({ resolve, reject }));
  }

  /** Nobody reads on: what has not been begun will not be. */
  async return(): Promise<IteratorResult<unknown>> {
    this.drop();
    this.#results = [];
    this.#read = 0;
    this.#isOver = true;
    this.#deliver();
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
