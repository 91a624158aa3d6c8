/** Semaphore and BoundedSemaphore: a count of units that processes take and give. */

import { type InspectOptions, inspect } from 'node:util';
import { OverReleaseError } from '../errors.js';
import type { SyncWaitOptions, WaitOptions } from '../internal/deadline.js';
import { validateBoolean, validateInteger } from '../internal/validate.js';
import { registerCodec } from '../serialization/registry.js';
import type { LockLike } from './lock_like.js';
import { unlinkNamed } from './named_semaphore.js';
import { arriving, checkOrigin, mustTravelOpen, type NamedOptions, type Packed } from './origin.js';
import { Acquirer } from './resource.js';
import { MOST_UNITS, makeUnits, type UnitSource } from './units.js';
import { use, useSync } from './use.js';

/** Of a Semaphore. Python: none. */
export interface SemaphoreOptions extends NamedOptions {
  /**
   * Units that a process holds come back within 200 ms of its death, as with SEM_UNDO of semop(2). Default false: a
   * semaphore may be a signal, which who took it does not give back. Counts what is taken and given by processes that
   * opened it so.
   */
  restore?: boolean | undefined;
}

/** What an acquire resolves with that got a unit at once. */
const TAKEN = Promise.resolve(true);

interface PackedSemaphore {
  readonly place: Packed;
  readonly restore: boolean;
}

let packSemaphore: (semaphore: Semaphore) => PackedSemaphore;

/** Says whether release() has a bound; for BoundedSemaphore. */
const bounded: unique symbol = Symbol('bounded');

/**
 * A count of units: acquire takes one and waits while there is none, release() gives some. Anybody may release. It is a
 * POSIX semaphore: with a name, C's sem_open('/name') and Python's posix_ipc reach the same one. Without a name it belongs
 * to those that it is given to, as with Lock. Python: `multiprocessing.Semaphore`.
 *
 * A waiter that is killed takes nothing. What a process has taken is gone when it is killed, unless with `restore`.
 * Waiting, queues and `use` are as with Lock. Only the calls named `…Sync` block.
 *
 * ```js
 * const slots = new Semaphore(4);
 * await slots.use(() => download(url)); // four at a time, in all processes together
 * ```
 */
export class Semaphore implements LockLike {
  readonly #units: UnitSource;
  readonly #acquirer: Acquirer;
  readonly #name: string | undefined;
  readonly #restore: boolean;

  /**
   * Makes it with `value` units, or opens the one of that name, whose value stands; doesn't block. Names end as a Lock's
   * do.
   * @throws ERR_OUT_OF_RANGE: a value below 0, with a fraction or above 2^31 - 1; ERR_INVALID_ARG_TYPE;
   * ERR_INVALID_ARG_VALUE: a name, as with Lock; EACCES; EMFILE; ENOMEM; ENOSPC; EINVAL, EPROTO: what is there is no
   * semaphore.
   */
  constructor(value: number = 1, options: SemaphoreOptions = {}) {
    validateInteger(value, 'value', this[bounded] ? 1 : 0, MOST_UNITS);
    const origin = checkOrigin(options);
    const { restore = false } = options;
    validateBoolean(restore, 'options.restore');
    this.#name = origin.name;
    this.#restore = restore;
    this.#units = makeUnits(this, origin, { value, bound: this[bounded] ? value : 0, restore });
    this.#acquirer = new Acquirer(this.#units, this.constructor.name);
  }

  /** @internal */
  get [bounded](): boolean {
    return false;
  }

  /**
   * Resolves true once a unit is taken, false on time-out (milliseconds). Rejects with `signal.reason`, and no unit is
   * taken. Keeps the process alive while it waits. Python: `acquire(timeout=)`.
   * @throws ERR_MP_CLOSED; the signal's reason; EAGAIN, EMFILE: no thread or descriptor to wait with;
   * ERR_INVALID_ARG_TYPE, ERR_OUT_OF_RANGE.
   */
  acquire(options?: WaitOptions): Promise<boolean> {
    if (options === undefined && this.#acquirer.idle && this.#units.take()) return TAKEN;
    return this.#acquirer.acquire(options).then(Boolean);
  }

  /**
   * acquire(), blocking this process and its event loop. Python: `acquire()`
   * @throws ERR_MP_CLOSED; ERR_INVALID_ARG_TYPE, ERR_OUT_OF_RANGE.
   */
  acquireSync(options?: SyncWaitOptions): boolean {
    if (options === undefined && this.#units.take()) return true;
    return this.#acquirer.acquireSync(options) !== false;
  }

  /** Takes a unit if there is one. Never waits. Python: `acquire(block=False)`. @throws ERR_MP_CLOSED. */
  tryAcquire(): boolean {
    return this.#units.take() || this.#acquirer.tryAcquire() !== false;
  }

  /**
   * Gives `count` units, all at once, and wakes as many waiters. Whoever: nobody has to have taken them.
   * Python: `release()`, one unit
   * @throws ERR_MP_OVER_RELEASE: above 2^31 - 1, or the bound of a BoundedSemaphore: nothing was given; ERR_MP_CLOSED;
   * ERR_OUT_OF_RANGE: a count below 1; ERR_INVALID_ARG_TYPE.
   */
  release(count: number = 1): void {
    if (count !== 1) validateInteger(count, 'count', 1, MOST_UNITS);
    this.#acquirer.mustBeOpen();
    if (this.#units.release(count)) return;
    throw new OverReleaseError(`release() of a ${this.constructor.name} above ${this.#units.bound} units`);
  }

  /**
   * Acquires a unit, runs, releases it, whatever happens; resolves with what the body returns. Python: `with semaphore:`
   * @throws what the body throws; as acquire() does; ERR_MP_TIMEOUT, and the body does not run.
   */
  use<R>(body: () => R | Promise<R>, options?: WaitOptions): Promise<R> {
    return use(this, body, options);
  }

  /** use(), blocking this process and its event loop while it waits. The body must not be async. Python: `with semaphore:` */
  useSync<R>(body: () => R, options?: SyncWaitOptions): R {
    return useSync(this, body, options);
  }

  /** The units there are at the moment of reading. Python: `get_value()`. sem_getvalue(3) @throws ERR_MP_CLOSED. */
  get value(): number {
    this.#acquirer.mustBeOpen();
    return this.#units.value;
  }

  /** Ends this process's use of it, as with Lock.close(). Units stay as they are. Idempotent. Never throws. Python: none. */
  close(): void {
    this.#acquirer.close();
  }

  /** Removes the name, as with Lock.unlink(). Python: none. @throws ENOENT when the name is gone. */
  unlink(): void {
    unlinkNamed(this.#name, this.#units.spec.shared);
  }

  /** close(). */
  [Symbol.dispose](): void {
    this.close();
  }

  /** @internal */
  [inspect.custom](_depth: number, options: InspectOptions): string {
    const name = this.#name === undefined ? '' : ` ${inspect(this.#name, options)}`;
    const of = this[bounded] ? ` of ${this.#units.bound}` : '';
    return `${this.constructor.name}${name} <${this.#acquirer.closed ? 'closed' : `value ${this.value}${of}`}>`;
  }

  static {
    packSemaphore = (semaphore) => {
      mustTravelOpen(semaphore, semaphore.#acquirer.closed);
      return { place: semaphore.#units.pack(), restore: semaphore.#restore };
    };
  }
}

/**
 * A Semaphore that is never above its initial value: a release() too many throws OverReleaseError. The check and the
 * release are one. Of a named one the bound is what its creator said. Python: `multiprocessing.BoundedSemaphore`.
 */
export class BoundedSemaphore extends Semaphore {
  /** @internal */
  override get [bounded](): boolean {
    return true;
  }
}

function registerSemaphore(name: string, type: new (value: number, options: SemaphoreOptions) => Semaphore): void {
  registerCodec(type, {
    name,
    pack: (object) => packSemaphore(object as Semaphore),
    unpack: (packed) => {
      const { place, restore } = packed as PackedSemaphore;
      return new type(1, arriving(place, { restore }));
    },
  });
}

registerSemaphore('Semaphore', Semaphore);
registerSemaphore('BoundedSemaphore', BoundedSemaphore);
