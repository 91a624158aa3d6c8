/** A chunk: one function called with one item after the other. What is done is told at the end, or when a while has passed. */

import { isThenable } from '../internal/thenable.js';
import type { Callable } from './functions.js';
import { LAST, STAR, type TaskMessage, TIMED } from './protocol.js';
import type { TaskLoop } from './task_loop.js';

/** Where in a message of results the first value of a chunk is. */
const FIRST_OF_CHUNK = 'message[3][0]';

/** Instead of what is to be waited for: the event loop is to have a turn. */
const TURN: unique symbol = Symbol('turn');

/** Milliseconds for which results are kept back, where calls are short. */
const KEPT = 4;
/** The clock is looked at after so many calls at most. */
const LONGEST_STRIDE = 1024;

export class ChunkRun {
  readonly #loop: TaskLoop;
  readonly #call: Callable;
  readonly #id: number;
  readonly #isTimed: boolean;
  readonly #isStar: boolean;
  readonly #items: ArrayLike<unknown>;
  readonly #began: number = performance.now();
  #next = 0;
  /** Which item the first of the untold results is of. */
  #first = 0;
  #told: number = this.#began;
  #stride = 1;
  #left = 1;

  constructor(loop: TaskLoop, call: Callable, [id, , flags, items]: TaskMessage) {
    this.#loop = loop;
    this.#call = call;
    this.#id = id;
    this.#items = items as ArrayLike<unknown>;
    this.#isTimed = (flags & TIMED) !== 0;
    this.#isStar = (flags & STAR) !== 0;
    loop.untold.begin(this.#items.length);
  }

  /** Goes as far as it can without waiting; undefined when that is to the end. */
  run(): Promise<void> | undefined {
    const pending = this.#step();
    if (pending !== undefined) return this.#goOn(pending);
    this.#finish();
    return undefined;
  }

  async #goOn(first: PromiseLike<unknown> | typeof TURN): Promise<void> {
    for (let pending: typeof first | undefined = first; pending !== undefined; pending = this.#step()) {
      if (pending === TURN) await this.#loop.turn();
      else await this.#settle(pending);
      if (this.#isLong()) this.#tell();
    }
    this.#finish();
  }

  /** Calls until one has to be waited for, or the event loop is to have a turn; undefined at the end. */
  #step(): PromiseLike<unknown> | typeof TURN | undefined {
    const { progress, current } = this.#loop;
    while (this.#next < this.#items.length && this.#loop.stopped !== this.#id) {
      const item = this.#next;
      if (this.#isTimed) progress.beginTimedItem(item);
      else progress.beginItem(item);
      current.beginItem(item);
      let value: unknown;
      try {
        const given = this.#items[item];
        value = this.#isStar ? this.#call(...(given as readonly unknown[])) : this.#call(given);
      } catch (error) {
        this.#failed(error);
        continue;
      }
      if (typeof value === 'object' && isThenable(value)) return value;
      this.#done(value);
      this.#left -= 1;
      if (this.#left <= 0 && this.#next < this.#items.length && this.#look()) return TURN;
    }
    return undefined;
  }

  async #settle(promise: PromiseLike<unknown>): Promise<void> {
    try {
      this.#done(await promise);
    } catch (error) {
      this.#failed(error);
    }
    this.#loop.beginTurn();
  }

  #done(value: unknown): void {
    const { untold } = this.#loop;
    untold.add(value);
    this.#next += 1;
    if (this.#isTimed || untold.isFull) this.#tell();
  }

  #failed(error: unknown): void {
    if (this.#loop.untold.length > 0) this.#tell();
    this.#loop.fail(this.#id, this.#next, 0, error, 0);
    this.#next += 1;
    this.#first = this.#next;
  }

  /** Whether the event loop is to have a turn. Tells what is done when it was long ago. */
  #look(): boolean {
    if (this.#isLong()) {
      this.#tell();
      this.#stride = Math.max(1, this.#stride >> 1);
    } else {
      this.#stride = Math.min(LONGEST_STRIDE, this.#stride * 2);
    }
    this.#left = this.#stride;
    return this.#loop.isTurnOver();
  }

  #isLong(): boolean {
    return performance.now() - this.#told > KEPT;
  }

  #tell(flags: number = 0): void {
    const values = this.#loop.untold.take();
    const first = this.#first;
    this.#first = this.#next;
    this.#told = performance.now();
    const milliseconds = this.#told - this.#began;
    if (this.#loop.tryAnswer(this.#id, first, flags, values, milliseconds)) return;
    for (const [index, value] of values.entries()) {
      this.#loop.answer(this.#id, first + index, 0, [value], 0, FIRST_OF_CHUNK);
    }
    this.#loop.answer(this.#id, this.#next, flags, [], milliseconds);
  }

  #finish(): void {
    this.#tell(LAST);
    this.#loop.over();
  }
}
