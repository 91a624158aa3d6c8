/** Value: one number in shared memory. */

import { inspect } from 'node:util';
import { ClosedError } from '../errors.js';
import { validateFunction, validateOptions } from '../internal/validate.js';
import { CannotTravel, registerCodec } from '../serialization/registry.js';
import type { Lock } from '../sync/lock.js';
import { type Block, cells, receiveBlock, releaseNow, releaseWith, type Ticket } from './arena.js';
import {
  addToElement,
  compareExchangeElement,
  type ElementView,
  loadElement,
  storeElement,
  viewElements,
} from './atomic_element.js';
import { type Element, type ElementType, KINDS, validateElement, validateElementType } from './element_types.js';
import { closeGuard, type Guard, type GuardOptions, lockOf, makeGuard, Received, validateGuard } from './guard.js';

export type { GuardOptions } from './guard.js';

/**
 * One number that several processes share, with a lock. Only useSync() blocks. Python: `multiprocessing.Value`.
 *
 * Reading and writing it are atomic each; add() and compareExchange() are in one. What needs more than that is done under
 * the lock, by use(): the lock excludes others who take it, not those who don't. It has no name: forked children have it
 * by a closure, others get it in a message. The memory is given back with the last process that has it; hundreds of
 * thousands take a few descriptors and 8 bytes each, besides their locks.
 *
 * ```js
 * const done = new Value('i32');
 * const child = new Process({ target: () => void done.add(1) });
 * ```
 */
export class Value<K extends ElementType = ElementType> {
  readonly #type: K;
  readonly #block: Block;
  readonly #cell: ElementView;
  readonly #guard: Guard;
  #closed = false;

  /**
   * Doesn't block. The default of `initial` is 0.
   *
   * Python: `Value(typecode, initial, lock=)`
   * @throws ERR_INVALID_ARG_VALUE: no such type; ERR_INVALID_ARG_TYPE; ERR_OUT_OF_RANGE: `initial` is none of the type's
   * numbers; ENOMEM, EMFILE.
   */
  constructor(type: K, initial?: Element<K>, options: GuardOptions = {}) {
    validateElementType(type);
    const received = options instanceof Received ? (options as Received<Block>) : undefined;
    if (received === undefined) {
      if (initial !== undefined) validateElement(type, initial, 'initial');
      validateOptions(options, 'options');
      validateGuard(options);
    }
    this.#type = type;
    this.#guard = received?.guard ?? makeGuard(options);
    try {
      this.#block = received?.block ?? cells.allocate(KINDS[type].bytes);
    } catch (error) {
      closeGuard(this.#guard);
      throw error;
    }
    const { segment, offset } = this.#block;
    releaseWith(this, segment);
    this.#cell = viewElements(type, segment.buffer, offset, 1);
    if (initial !== undefined) storeElement(this.#cell, 0, initial);
  }

  /** The number. Python: `value` @throws ERR_MP_CLOSED; when set ERR_INVALID_ARG_TYPE, ERR_OUT_OF_RANGE. */
  get value(): Element<K> {
    return loadElement(this.#open(), 0) as Element<K>;
  }
  set value(value: Element<K>) {
    const cell = this.#open();
    validateElement(this.#type, value, 'value');
    storeElement(cell, 0, value);
  }

  /** What use() holds; undefined when the Value was made without. Python: `get_lock()` */
  get lock(): Lock | undefined {
    return this.#guard.lock;
  }

  /**
   * Adds in one atomic step, without the lock; returns the old value. Never waits.
   *
   * Python: none, only under the lock.
   * @throws ERR_OUT_OF_RANGE: the sum is none of the type's numbers, and the value stays; ERR_INVALID_ARG_TYPE;
   * ERR_MP_CLOSED.
   */
  add(amount: Element<K>): Element<K> {
    return addToElement(this.#open(), 0, amount) as Element<K>;
  }

  /**
   * Sets it to `replacement` if it is `expected`, in one atomic step; returns what it was. Floats are compared bit by bit.
   *
   * Python: none, only under the lock.
   * @throws ERR_INVALID_ARG_TYPE; ERR_OUT_OF_RANGE; ERR_MP_CLOSED.
   */
  compareExchange(expected: Element<K>, replacement: Element<K>): Element<K> {
    return compareExchangeElement(this.#open(), 0, expected, replacement) as Element<K>;
  }

  /**
   * Runs the body while it holds the lock; resolves with what that returns. Python: `with value.get_lock():`
   * @throws ERR_MP_INVALID_STATE: made without a lock; as Lock.use() does.
   */
  async use<R>(body: (value: this) => R | Promise<R>): Promise<R> {
    validateFunction(body, 'body');
    this.#open();
    return lockOf(this.#guard, 'Value').use(() => body(this));
  }

  /** use(), blocking this process while it waits for the lock. The body must not be async. */
  useSync<R>(body: (value: this) => R): R {
    validateFunction(body, 'body');
    this.#open();
    return lockOf(this.#guard, 'Value').useSync(() => body(this));
  }

  /** Ends this process's use of it, and of a lock that came with it. Idempotent. Never throws. Python: none. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    closeGuard(this.#guard);
    releaseNow(this, this.#block.segment);
  }

  /** close(). */
  [Symbol.dispose](): void {
    this.close();
  }

  /** @internal */
  [inspect.custom](): string {
    return `Value ${this.#type} <${this.#closed ? 'closed' : String(this.value)}>`;
  }

  #open(): ElementView {
    if (this.#closed) throw new ClosedError('this Value is closed');
    return this.#cell;
  }

  static {
    registerCodec(Value, {
      name: 'Value',
      pack: (object): Packed => {
        const value = object as Value;
        if (value.#closed) throw new CannotTravel('is a closed Value');
        const { segment, offset } = value.#block;
        return { type: value.#type, ticket: segment.ticket, offset, guard: value.#guard };
      },
      unpack: (packed) => {
        const { type, ticket, offset, guard } = packed as Packed;
        validateElementType(type);
        const block = receiveBlock(ticket, offset, KINDS[type].bytes);
        const received = new Received(block, guard);
        return new Value(type, undefined, received as GuardOptions);
      },
    });
  }
}

interface Packed {
  readonly type: ElementType;
  readonly ticket: Ticket;
  readonly offset: number;
  readonly guard: Guard;
}
