/** SimpleQueue: a queue with the fewest calls. */

import { inspect } from 'node:util';
import { registerCodec } from '../serialization/registry.js';
import { Queue } from './queue.js';

let queueOf: (simple: SimpleQueue) => Queue;
/** The queue in the one that is being made of a message. */
let arriving: Queue | undefined;

/**
 * put, get, isEmpty and close, without limits and time-outs: for programs that were written for Python's. A Queue in all
 * else; it travels as one does. Only the calls named `…Sync` block.
 *
 * Python: `multiprocessing.SimpleQueue`, whose put() blocks when the pipe is full; here it never has to.
 */
export class SimpleQueue<T = unknown> {
  readonly #queue: Queue<T>;

  /** @throws EMFILE; ENOMEM. */
  constructor() {
    this.#queue = arriving === undefined ? new Queue<T>() : (arriving as Queue<T>);
  }

  /** Puts a value; resolves when it is in the queue. Python: `SimpleQueue.put` @throws as Queue.put() does. */
  put(item: T): Promise<void> {
    return this.#queue.put(item);
  }

  /** put(), done when it returns; blocks no longer than copying takes. Python: `SimpleQueue.put` */
  putSync(item: T): void {
    this.#queue.putSync(item);
  }

  /** Resolves with the oldest value, as soon as there is one. Python: `SimpleQueue.get` @throws ERR_MP_CLOSED. */
  get(): Promise<T> {
    return this.#queue.get();
  }

  /** get(), blocking while the queue is empty. Python: `SimpleQueue.get` */
  getSync(): T {
    return this.#queue.getSync();
  }

  /** Whether it has no value at this moment. Python: `SimpleQueue.empty` @throws ERR_MP_CLOSED. */
  isEmpty(): boolean {
    return this.#queue.isEmpty();
  }

  /** This process is done with it. Idempotent. Never throws. Python: `SimpleQueue.close` */
  close(): void {
    this.#queue.close();
  }

  /** close(). */
  [Symbol.dispose](): void {
    this.close();
  }

  static {
    // Not a computed member: --isolatedDeclarations could not name it.
    const value = function (this: SimpleQueue): string {
      return `Simple${inspect(this.#queue)}`;
    };
    Object.defineProperty(SimpleQueue.prototype, inspect.custom, { value, configurable: true, writable: true });
    queueOf = (simple) => simple.#queue;
  }
}

registerCodec(SimpleQueue, {
  name: 'SimpleQueue',
  pack: (object) => queueOf(object as SimpleQueue),
  unpack: (packed) => {
    arriving = packed as Queue;
    try {
      return new SimpleQueue();
    } finally {
      arriving = undefined;
    }
  },
});
