/** Items on their way into a map: from a list, an iterable or an async iterable of any length. */

import { invalidArgType } from '../internal/validate.js';
import { type Numbers, packNumbers } from './numbers.js';

/** Numbers by themselves are packed: a list of them would be made only to be read once. */
export type Items = readonly unknown[] | Numbers;

export interface Feed {
  /** Items in all, where that is known beforehand. */
  readonly total: number | undefined;
  /** How many can be had now, at least; of what is read when it is asked for: 1 while the end is not known. */
  readonly waiting: number;
  /** take() runs code of the user's. */
  readonly asksUser: boolean;
  /** Up to so many items, as there are now. The end may come to light by there being none. */
  take(count: number): Items;
  /** There are no more, and there won't be. */
  readonly isOver: boolean;
  /** What the iterable threw, once it is over. */
  readonly failure: { readonly error: unknown } | undefined;
  /** No more are wanted. */
  stop(): void;
}

/** `ready` is called when there is more to be had than before. @throws ERR_INVALID_ARG_TYPE */
export function feedOf(items: unknown, buffered: number, ready: () => void): Feed {
  if (Array.isArray(items)) return new ListFeed(items);
  if (typeof items === 'object' && items !== null) {
    if (ArrayBuffer.isView(items) && 'length' in items) return new ListFeed(items as unknown as readonly unknown[]);
    if (Symbol.asyncIterator in items) return new AsyncFeed(items as AsyncIterable<unknown>, buffered, ready);
    if (Symbol.iterator in items) return new IterableFeed(items as Iterable<unknown>);
  }
  if (typeof items === 'string') return new ListFeed(Array.from(items));
  throw invalidArgType('items', 'an iterable or an async iterable', items);
}

class ListFeed implements Feed {
  readonly asksUser = false;
  readonly total: number;
  readonly failure = undefined;
  readonly #list: readonly unknown[];
  #at = 0;

  constructor(list: readonly unknown[]) {
    this.#list = list;
    this.total = list.length;
  }

  get waiting(): number {
    return this.total - this.#at;
  }

  take(count: number): Items {
    const start = this.#at;
    this.#at = Math.min(this.total, start + count);
    const numbers = packNumbers(this.#list, start, this.#at);
    if (numbers !== undefined) return numbers;
    const taken = this.#list.slice(start, this.#at);
    if (Array.isArray(taken) && taken.length === this.#at - start) return taken;
    return Array.from({ length: this.#at - start }, (_, index) => taken[index]); // a typed array; one that was cut
  }

  get isOver(): boolean {
    return this.#at >= this.total;
  }

  stop(): void {
    this.#at = this.total;
  }
}

class IterableFeed implements Feed {
  readonly asksUser = true;
  readonly total = undefined;
  readonly #iterator: Iterator<unknown>;
  isOver = false;
  failure: { readonly error: unknown } | undefined;

  constructor(items: Iterable<unknown>) {
    this.#iterator = items[Symbol.iterator]();
  }

  get waiting(): number {
    return this.isOver ? 0 : 1;
  }

  take(count: number): Items {
    const taken: unknown[] = [];
    try {
      while (taken.length < count && !this.isOver) {
        const step = this.#iterator.next();
        if (step.done === true) this.isOver = true;
        else taken.push(step.value);
      }
    } catch (error) {
      this.isOver = true;
      this.failure = { error };
    }
    return packNumbers(taken, 0, taken.length) ?? taken;
  }

  stop(): void {
    if (this.isOver) return;
    this.isOver = true;
    try {
      this.#iterator.return?.();
    } catch {
      // Nobody asks any more.
    }
  }
}

/** Reads ahead, a little. */
class AsyncFeed implements Feed {
  readonly asksUser = false;
  readonly total = undefined;
  readonly #iterator: AsyncIterator<unknown>;
  readonly #most: number;
  readonly #ready: () => void;
  #buffer: unknown[] = [];
  #isReading = false;
  #hasEnded = false;
  failure: { readonly error: unknown } | undefined;

  constructor(items: AsyncIterable<unknown>, most: number, ready: () => void) {
    this.#iterator = items[Symbol.asyncIterator]();
    this.#most = most;
    this.#ready = ready;
    queueMicrotask(() => void this.#read());
  }

  get waiting(): number {
    return this.#buffer.length;
  }

  get isOver(): boolean {
    return this.#hasEnded && this.#buffer.length === 0;
  }

  take(count: number): Items {
    const taken = this.#buffer.splice(0, count);
    void this.#read();
    return packNumbers(taken, 0, taken.length) ?? taken;
  }

  async #read(): Promise<void> {
    if (this.#isReading) return;
    this.#isReading = true;
    while (this.#buffer.length < this.#most && !this.#hasEnded) {
      try {
        const step = await this.#iterator.next();
        if (this.#hasEnded) break;
        if (step.done === true) this.#hasEnded = true;
        else this.#buffer.push(step.value);
      } catch (error) {
        this.#hasEnded = true;
        this.failure = { error };
      }
      this.#ready();
    }
    this.#isReading = false;
  }

  stop(): void {
    this.#buffer = [];
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    void Promise.resolve(this.#iterator.return?.()).catch(() => {});
  }
}
