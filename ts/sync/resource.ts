/** What can be taken and given back, and the acquiring of it: at once, blocking, or in a queue of this JavaScript thread. */

import { ClosedError } from '../errors.js';
import {
  deadlineOf,
  millisecondsLeft,
  type SyncWaitOptions,
  signalOf,
  type WaitOptions,
} from '../internal/deadline.js';
import type { Outcome } from '../native/wait_room.js';
import { queuesFor, WaitQueue } from './wait_queue.js';
import { type WaitSpec, waitOnce, waitSync } from './waiting.js';

export interface Resource {
  /** Takes it when it is to be had, without a look at the dead. False after close(). */
  take(): boolean;
  giveBack(): void;
  /** How to wait for it. */
  readonly spec: WaitSpec;
  close(): void;
}

/** false: not acquired; true: acquired; a pid: acquired from that process, which died holding it; -1: from one unknown. */
export type Attempt = Outcome;

export class Acquirer {
  readonly #resource: Resource;
  readonly #queue: WaitQueue;
  readonly #what: string;
  #closed = false;

  /** `what` it is, in error messages. */
  constructor(resource: Resource, what: string) {
    this.#resource = resource;
    this.#queue = new WaitQueue(resource);
    this.#what = what;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Whether nobody of this JavaScript thread waits. */
  get idle(): boolean {
    return this.#queue.isEmpty;
  }

  mustBeOpen(): void {
    if (this.#closed) throw this.#closedError();
  }

  async acquire(options: WaitOptions | undefined): Promise<Attempt> {
    const deadline = deadlineOf(options);
    const signal = signalOf(options);
    signal?.throwIfAborted();
    this.mustBeOpen();
    if (millisecondsLeft(deadline) === 0) return this.tryAcquire();
    this.#resource.spec.shared.enter();
    // Who comes later waits behind those who wait already.
    if (this.#queue.isEmpty && this.#resource.take()) return true;
    return this.#queue.wait(deadline, signal);
  }

  acquireSync(options: SyncWaitOptions | undefined): Attempt {
    const deadline = deadlineOf(options);
    this.mustBeOpen();
    const { spec } = this.#resource;
    const queues = queuesFor(spec);
    const come = queues.map((queue) => queue.suspend()).filter((attempt) => attempt !== false);
    try {
      for (const _ of come.slice(1)) this.#resource.giveBack();
      return come[0] ?? waitSync(spec, deadline);
    } finally {
      for (const queue of queues) queue.resume();
    }
  }

  tryAcquire(): Attempt {
    this.mustBeOpen();
    return this.#resource.take() || waitOnce(this.#resource.spec);
  }

  /** Those who wait here are rejected. Idempotent: false when it is closed already. */
  close(): boolean {
    if (this.#closed) return false;
    this.#closed = true;
    this.#queue.close(() => this.#closedError());
    this.#resource.close();
    return true;
  }

  #closedError(): ClosedError {
    return new ClosedError(`this ${this.#what} is closed`);
  }
}
