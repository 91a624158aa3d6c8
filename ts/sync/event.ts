/** Event: a flag that processes wait for. */

import { type InspectOptions, inspect } from 'node:util';
import { deadlineOf, type SyncWaitOptions, signalOf, type WaitOptions } from '../internal/deadline.js';
import { SEM_EPOCH, SEM_WAITERS } from '../native/lock.js';
import { WaitKind } from '../native/wait_room.js';
import { registerCodec } from '../serialization/registry.js';
import { unlinkNamed } from './named_semaphore.js';
import { arriving, checkOrigin, mustTravelOpen, type NamedOptions, type Packed } from './origin.js';
import { placeSemaphore, type SemPlace } from './units.js';
import { type WaitSpec, waitSync } from './waiting.js';
import { Waits } from './waits.js';

/** All that wait, whoever they are. */
const ALL = 2 ** 31 - 1;

/**
 * A flag: unset at first; set() lets all who wait go on. Nothing in it is ever locked: set() is safe from anywhere, and no
 * process is waited for. Who waits while it is set and cleared at once goes on all the same. Only waitSync() blocks.
 * Python: `multiprocessing.Event`.
 *
 * With a name it is a POSIX semaphore that is set while its value is not 0: a C program's sem_post() sets it, its
 * sem_getvalue() tells. Without a name it belongs to those that it is given to, as
 * with Lock.
 *
 * ```js
 * const ready = new Event();
 * await new Process({ target: async () => { await ready.wait(); work(); } }).start();
 * ready.set();
 * ```
 */
export class Event {
  readonly #place: SemPlace;
  readonly #spec: WaitSpec;
  readonly #index: number;
  readonly #name: string | undefined;
  readonly #waits: Waits;

  /**
   * Opens the one of that name as it is, else makes one, unset; doesn't block. Names end as a Lock's do.
   * @throws as new Lock() does.
   */
  constructor(options: NamedOptions = {}) {
    const origin = checkOrigin(options);
    this.#name = origin.name;
    this.#place = placeSemaphore(this, origin, 0);
    const { shared, offset } = this.#place;
    this.#index = offset / 4;
    this.#spec = { kind: WaitKind.event, shared, offset, extra: 0 };
    this.#waits = new Waits(this.constructor.name);
  }

  /** Whether it is set, at the moment of reading. Python: `is_set` @throws ERR_MP_CLOSED. */
  isSet(): boolean {
    this.#waits.mustBeOpen();
    return Atomics.load(this.#place.shared.words, this.#index) !== 0;
  }

  /** All who wait go on. Never waits. Python: `set` @throws ERR_MP_CLOSED. */
  set(): void {
    this.#waits.mustBeOpen();
    const { region, words } = this.#place.shared;
    // In this order: who sees the epoch change may find it set.
    if (Atomics.compareExchange(words, this.#index, 0, 1) === 0) Atomics.add(words, this.#index + SEM_EPOCH, 1);
    if (Atomics.load(words, this.#index + SEM_WAITERS) !== 0) region.wakeUnits(this.#place.offset, ALL);
  }

  /** Who waits from now on waits for the next set(). Python: `clear` @throws ERR_MP_CLOSED. */
  clear(): void {
    this.#waits.mustBeOpen();
    Atomics.store(this.#place.shared.words, this.#index, 0);
  }

  /**
   * Resolves true once it is set, false on time-out (milliseconds); rejects with `signal.reason`. Keeps the process alive
   * while it waits. Python: `wait`
   * @throws ERR_MP_CLOSED; the signal's reason; EAGAIN, EMFILE: no thread or descriptor to wait with;
   * ERR_INVALID_ARG_TYPE, ERR_OUT_OF_RANGE.
   */
  async wait(options?: WaitOptions): Promise<boolean> {
    const deadline = deadlineOf(options);
    const signal = signalOf(options);
    signal?.throwIfAborted();
    if (this.isSet()) return true;
    return (await this.#waits.wait(this.#spec, deadline, signal)) !== false;
  }

  /**
   * wait(), blocking this process and its event loop. Python: `wait`
   * @throws ERR_MP_CLOSED; ERR_INVALID_ARG_TYPE, ERR_OUT_OF_RANGE.
   */
  waitSync(options?: SyncWaitOptions): boolean {
    const deadline = deadlineOf(options);
    return this.isSet() || waitSync(this.#spec, deadline) !== false;
  }

  /**
   * Ends this process's use of it: who awaits it here is rejected with ClosedError. The flag stays. Idempotent. Never throws.
   * Python: none.
   */
  close(): void {
    if (this.#waits.close()) this.#place.leave();
  }

  /** Removes the name, as with Lock.unlink(). Python: none. @throws ENOENT when the name is gone. */
  unlink(): void {
    unlinkNamed(this.#name, this.#place.shared);
  }

  /** close(). */
  [Symbol.dispose](): void {
    this.close();
  }

  /** @internal */
  [inspect.custom](_depth: number, options: InspectOptions): string {
    const name = this.#name === undefined ? '' : ` ${inspect(this.#name, options)}`;
    return `${this.constructor.name}${name} <${this.#waits.closed ? 'closed' : this.isSet() ? 'set' : 'unset'}>`;
  }

  static {
    registerCodec(Event, {
      name: 'Event',
      pack: (object): Packed => {
        const event = object as Event;
        mustTravelOpen(event, event.#waits.closed);
        return event.#place.pack();
      },
      unpack: (packed) => new Event(arriving(packed as Packed, {})),
    });
  }
}
