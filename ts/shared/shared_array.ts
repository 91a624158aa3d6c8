/** SharedArray: a typed array in shared memory. */

import { constants as bufferConstants } from 'node:buffer';
import { inspect } from 'node:util';
import { ClosedError } from '../errors.js';
import { invalidArgType, validateFunction, validateInteger, validateOptions } from '../internal/validate.js';
import { CannotTravel, registerCodec } from '../serialization/registry.js';
import type { Lock } from '../sync/lock.js';
import { type Block, pages, receiveBlock, releaseNow, releaseWith, type Ticket } from './arena.js';
import { addToElement, compareExchangeElement, type ElementView, viewElements } from './atomic_element.js';
import {
  type Element,
  type ElementType,
  KINDS,
  type TypedArrays,
  validateElement,
  validateElementType,
} from './element_types.js';
import { closeGuard, type Guard, type GuardOptions, lockOf, makeGuard, Received, validateGuard } from './guard.js';
import { unmapMemory } from './unmap.js';

/**
 * A typed array that several processes share, with a lock. Only useSync() blocks. Python: `multiprocessing.Array`.
 *
 * `array` is an ordinary typed array over the memory itself: no proxy, no copy, full speed. Nothing orders what processes
 * do to it but Atomics, add() and compareExchange() for single elements, and the lock, by use(), for more. It has no
 * name: forked children have it by a closure, others get it in a message. The memory is given back with the last process
 * that has it.
 *
 * ```js
 * const sums = new SharedArray('f64', 4);
 * const child = new Process({ target: () => void (sums.array[0] = work()) });
 * ```
 */
export class SharedArray<K extends ElementType = ElementType> {
  /** How many elements. Python: `len(array)` */
  readonly length: number;
  readonly #type: K;
  readonly #block: Block;
  readonly #buffer: ArrayBuffer;
  readonly #elements: ElementView;
  readonly #guard: Guard;
  #closed = false;

  /**
   * That many zeros, or these numbers. Its space is reserved now, in whole pages (4 KiB). Doesn't block.
   *
   * Python: `Array(typecode, size_or_initializer, lock=)`
   * @throws ERR_INVALID_ARG_VALUE: no such type; ERR_INVALID_ARG_TYPE; ERR_OUT_OF_RANGE: a size below 0 or too large, or
   * one of the values is none of the type's numbers; ENOSPC, ENOMEM, EMFILE.
   */
  constructor(type: K, sizeOrValues: number | Iterable<number | bigint>, options: GuardOptions = {}) {
    validateElementType(type);
    const received = options instanceof Received ? (options as Received<Block>) : undefined;
    const { bytes } = KINDS[type];
    const values = valuesOf(type, sizeOrValues);
    this.length = values?.length ?? (sizeOrValues as number);
    if (received === undefined) {
      validateInteger(this.length, 'size', 0, Math.floor(bufferConstants.MAX_LENGTH / bytes));
      validateOptions(options, 'options');
      validateGuard(options);
    }
    this.#type = type;
    this.#guard = received?.guard ?? makeGuard(options);
    try {
      this.#block = received?.block ?? pages.allocate(this.length * bytes);
    } catch (error) {
      closeGuard(this.#guard);
      throw error;
    }
    const { segment, offset } = this.#block;
    releaseWith(this, segment);
    this.#buffer = segment.map(offset, Math.max(1, this.length * bytes));
    this.#elements = viewElements(type, this.#buffer, 0, this.length);
    if (values !== undefined) (this.array as Float64Array).set(values as number[]);
  }

  /** A plain typed array over the mapping. Length 0 after close(). Python: `get_obj()` */
  get array(): TypedArrays[K] {
    return this.#elements.view as unknown as TypedArrays[K];
  }

  /** What use() holds; undefined when the array was made without. Python: `get_lock()` */
  get lock(): Lock | undefined {
    return this.#guard.lock;
  }

  /**
   * Adds to one element in one atomic step, without the lock; returns the old value. Never waits.
   *
   * Python: none, only under the lock.
   * @throws ERR_OUT_OF_RANGE: no such element, or the sum is none of the type's numbers and the element stays;
   * ERR_INVALID_ARG_TYPE; ERR_MP_CLOSED.
   */
  add(index: number, amount: Element<K>): Element<K> {
    return addToElement(this.#element(index), index, amount) as Element<K>;
  }

  /**
   * Sets an element to `replacement` if it is `expected`, in one atomic step; returns what it was. Floats are compared
   * bit by bit.
   *
   * Python: none, only under the lock.
   * @throws ERR_OUT_OF_RANGE; ERR_INVALID_ARG_TYPE; ERR_MP_CLOSED.
   */
  compareExchange(index: number, expected: Element<K>, replacement: Element<K>): Element<K> {
    return compareExchangeElement(this.#element(index), index, expected, replacement) as Element<K>;
  }

  /**
   * Runs the body while it holds the lock; resolves with what that returns. Python: `with array.get_lock():`
   * @throws ERR_MP_INVALID_STATE: made without a lock; as Lock.use() does.
   */
  async use<R>(body: (array: this) => R | Promise<R>): Promise<R> {
    validateFunction(body, 'body');
    this.#mustBeOpen();
    return lockOf(this.#guard, 'SharedArray').use(() => body(this));
  }

  /** use(), blocking this process while it waits for the lock. The body must not be async. */
  useSync<R>(body: (array: this) => R): R {
    validateFunction(body, 'body');
    this.#mustBeOpen();
    return lockOf(this.#guard, 'SharedArray').useSync(() => body(this));
  }

  /**
   * Unmaps it from this process: `array` has length 0 from here on. A lock that came with it is closed. Idempotent.
   * Never throws. Python: none.
   */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    closeGuard(this.#guard);
    // Whoever has transferred the buffer has it unmapped with the new one.
    if (this.#buffer.byteLength > 0) unmapMemory(this.#buffer);
    releaseNow(this, this.#block.segment);
  }

  /** close(). */
  [Symbol.dispose](): void {
    this.close();
  }

  /** @internal */
  [inspect.custom](): string {
    return `SharedArray ${this.#type} <${this.#closed ? 'closed' : `${this.length} elements`}>`;
  }

  #element(index: number): ElementView {
    this.#mustBeOpen();
    validateInteger(index, 'index', 0, this.length - 1);
    return this.#elements;
  }

  #mustBeOpen(): void {
    if (this.#closed) throw new ClosedError('this SharedArray is closed');
  }

  static {
    registerCodec(SharedArray, {
      name: 'SharedArray',
      pack: (object): Packed => {
        const array = object as SharedArray;
        if (array.#closed) throw new CannotTravel('is a closed SharedArray');
        const { segment, offset } = array.#block;
        return { type: array.#type, length: array.length, ticket: segment.ticket, offset, guard: array.#guard };
      },
      unpack: (packed) => {
        const { type, length, ticket, offset, guard } = packed as Packed;
        validateElementType(type);
        validateInteger(length, 'length', 0);
        const block = receiveBlock(ticket, offset, length * KINDS[type].bytes);
        const received = new Received(block, guard);
        return new SharedArray(type, length, received as GuardOptions);
      },
    });
  }
}

interface Packed {
  readonly type: ElementType;
  readonly length: number;
  readonly ticket: Ticket;
  readonly offset: number;
  readonly guard: Guard;
}

function valuesOf(type: ElementType, source: unknown): readonly unknown[] | undefined {
  if (typeof source === 'number') return undefined;
  if (typeof source !== 'object' || source === null || !(Symbol.iterator in source)) {
    throw invalidArgType('sizeOrValues', 'of type number or an iterable', source);
  }
  const values = [...(source as Iterable<unknown>)];
  for (const [index, value] of values.entries()) validateElement(type, value, `values[${index}]`);
  return values;
}
