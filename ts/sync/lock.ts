/** Lock: mutual exclusion between processes. */

import { type InspectOptions, inspect } from 'node:util';
import { NotOwnerError, OverReleaseError, OwnerDiedError } from '../errors.js';
import type { SyncWaitOptions, WaitOptions } from '../internal/deadline.js';
import { invalidArgValue } from '../internal/validate.js';
import { registerCodec } from '../serialization/registry.js';
import type { LockLike } from './lock_like.js';
import { FREE, HELD_BY_STRANGER, type Mutex, makeMutex } from './mutex.js';
import { unlinkNamed } from './named_semaphore.js';
import { arriving, checkOrigin, mustTravelOpen, type NamedOptions, type Packed } from './origin.js';
import { Acquirer, type Attempt } from './resource.js';
import { use, useSync } from './use.js';
import type { WaitSpec } from './waiting.js';

/** Of a Lock, and of an RLock. Python: none. */
export interface LockOptions extends NamedOptions {
  /**
   * 'error' (default): the acquire that takes over from a dead holder throws OwnerDiedError once, and the lock is then
   * held by the caller. 'recover': it just succeeds.
   */
  onOwnerDied?: 'error' | 'recover' | undefined;
}

/** A lock let go for a while, at all its levels. */
export interface LetGo {
  /** Gets it back. @throws ERR_MP_OWNER_DIED: it is held again all the same. */
  resume(): Promise<void>;
  resumeSync(): void;
}

/** Lets go of a lock that the caller holds, for Condition. @throws ERR_MP_NOT_OWNER. */
export const letGo: unique symbol = Symbol('letGo');
/** Takes the lock if nobody has it and nobody here waits. */
export const takeAtOnce: unique symbol = Symbol('takeAtOnce');
/** Whether this process holds the lock. */
export const isHeldHere: unique symbol = Symbol('isHeldHere');
/** Which lock it is. */
export const lockId: unique symbol = Symbol('lockId');
/** @throws ERR_MP_NOT_OWNER when the caller does not hold the lock. */
export const mustBeHeld: unique symbol = Symbol('mustBeHeld');

interface PackedLock {
  readonly place: Packed;
  readonly recover: boolean;
}

let packLock: (lock: Lock) => PackedLock;

/** What an acquire resolves with that got the lock at once. */
export const HELD: Promise<boolean> = Promise.resolve(true);

/**
 * Mutual exclusion between processes: one holds the lock, the others wait. Only the calls named `…Sync` block.
 * Python: `multiprocessing.Lock`.
 *
 * With a name it is a POSIX semaphore of value 1: C's sem_open('/name') and Python's posix_ipc reach the same one.
 * Without a name it is a word of shared memory, which those have that it is given to. Who holds it is
 * written in the same instant: when a holder dies, at whatever instruction, one waiter takes over within 200 ms. A holder
 * that is no process of this library leaves no name; its death goes unnoticed, as everywhere with semaphores.
 *
 * The processes that wait are served in no strict order; those who await it in one process are, and acquireSync() goes
 * before them, as they can't run while it blocks. All awaiting of a process takes one thread for every 127 locks.
 *
 * Shared by being captured in a closure under 'fork', or sent: as an argument, through a Queue, a Connection, a Manager.
 * What arrives is another object for the same lock; one of a name travels by that. A child, or who receives it, holds
 * nothing of what its maker holds, but may release it, as anybody may.
 *
 * ```js
 * const lock = new Lock();
 * await new Process({ target: () => lock.use(() => appendFile('log', 'one at a time\n')) }).start();
 * ```
 */
export class Lock implements LockLike {
  readonly #mutex: Mutex;
  readonly #acquirer: Acquirer;
  readonly #name: string | undefined;
  readonly #recover: boolean;

  /**
   * Opens or creates; doesn't block. A created name is removed at the end of the tree of processes that created it,
   * however that ends, unless it persists.
   * @throws ERR_INVALID_ARG_TYPE; ERR_INVALID_ARG_VALUE: a name with a second '/', a NUL, nothing, or more than 251
   * bytes; EACCES; EMFILE; ENOMEM; ENOSPC; EINVAL, EPROTO: what is there is no semaphore.
   */
  constructor(options: LockOptions = {}) {
    const origin = checkOrigin(options);
    const { onOwnerDied = 'error' } = options;
    if (onOwnerDied !== 'error' && onOwnerDied !== 'recover') {
      throw invalidArgValue('options.onOwnerDied', "must be 'error' or 'recover'", onOwnerDied);
    }
    this.#recover = onOwnerDied === 'recover';
    this.#name = origin.name;
    this.#mutex = makeMutex(this, origin);
    this.#acquirer = new Acquirer(this.#mutex, this.constructor.name);
  }

  /**
   * Resolves true once the lock is held, false on time-out (milliseconds). Rejects with `signal.reason`, and the lock is
   * neither taken nor lost. Also by a process that holds it: then it waits for release(), whoever in the process calls
   * it. Keeps the process alive while it waits. Python: `acquire(timeout=)`.
   * @throws ERR_MP_OWNER_DIED, once per death: the lock is yours; ERR_MP_CLOSED; the signal's reason; EAGAIN, EMFILE:
   * no thread or descriptor to wait with; ERR_INVALID_ARG_TYPE, ERR_OUT_OF_RANGE.
   */
  acquire(options?: WaitOptions): Promise<boolean> {
    if (options === undefined && this[takeAtOnce]()) return HELD;
    return this.#acquirer.acquire(options).then(this.#accept);
  }

  /**
   * acquire(), blocking this process and its event loop. In a process that holds the lock already only another process
   * can end the wait.
   * @throws ERR_MP_OWNER_DIED, once per death: the lock is yours; ERR_MP_CLOSED; ERR_INVALID_ARG_TYPE, ERR_OUT_OF_RANGE.
   */
  acquireSync(options?: SyncWaitOptions): boolean {
    if (options === undefined && this.#mutex.take()) return true;
    return this.#accept(this.#acquirer.acquireSync(options));
  }

  /**
   * Takes the lock if it is free, or its holder dead. Never waits. Python: `acquire(block=False)`.
   * @throws ERR_MP_OWNER_DIED, once per death: the lock is yours; ERR_MP_CLOSED.
   */
  tryAcquire(): boolean {
    return this.#mutex.take() || this.#accept(this.#acquirer.tryAcquire());
  }

  /**
   * Gives the lock back and wakes one waiter. Any process may release a lock, whoever holds it. Python: `release()`, so too.
   * @throws ERR_MP_OVER_RELEASE when nobody holds it; ERR_MP_CLOSED.
   */
  release(): void {
    this.#acquirer.mustBeOpen();
    if (!this.#mutex.release()) throw new OverReleaseError(`release() of a ${this.constructor.name} that nobody holds`);
  }

  /**
   * Acquires, runs, releases, whatever happens; resolves with what the body returns. Python: `with lock:`.
   * @throws what the body throws; ERR_MP_TIMEOUT, ERR_MP_OWNER_DIED, and the body does not run: after the latter the
   * lock is free, so take it by acquire() where torn data must be repaired first; what acquire() throws.
   */
  use<R>(body: () => R | Promise<R>, options?: WaitOptions): Promise<R> {
    return use(this, body, options);
  }

  /**
   * use(), blocking this process and its event loop while it waits. The body must not be async: the lock is released
   * when it returns.
   * @throws as use() does.
   */
  useSync<R>(body: () => R, options?: SyncWaitOptions): R {
    return useSync(this, body, options);
  }

  /** Whether somebody holds it, at the moment of reading. Python: `locked()` (3.14). @throws ERR_MP_CLOSED. */
  get locked(): boolean {
    this.#acquirer.mustBeOpen();
    return this.#mutex.holder() !== FREE;
  }

  /**
   * The pid of the holder, at the moment of reading; undefined when it is free, or held by a program that leaves no
   * name. Python: none. @throws ERR_MP_CLOSED.
   */
  get owner(): number | undefined {
    this.#acquirer.mustBeOpen();
    const holder = this.#mutex.holder();
    if (holder === FREE || holder === HELD_BY_STRANGER) return undefined;
    return this.#mutex.spec.shared.region.pidOf(holder) || undefined;
  }

  /**
   * Ends this process's use of the lock: who awaits it here is rejected with ClosedError, as is every later call but
   * unlink(). A lock that is held stays held. Idempotent. Never throws. Python: none.
   */
  close(): void {
    this.#acquirer.close();
  }

  /**
   * Removes the name; who has the lock open keeps it. Also after close(). Without a name nothing happens. Python: none.
   * @throws ENOENT when the name is gone.
   */
  unlink(): void {
    unlinkNamed(this.#name, this.#mutex.spec.shared);
  }

  /** close(). */
  [Symbol.dispose](): void {
    this.close();
  }

  /** @internal */
  [inspect.custom](_depth: number, options: InspectOptions): string {
    const name = this.#name === undefined ? '' : ` ${inspect(this.#name, options)}`;
    return `${this.constructor.name}${name} <${this.#state()}>`;
  }

  /** @internal */
  get [lockId](): WaitSpec {
    return this.#mutex.spec;
  }

  /** @internal */
  [takeAtOnce](): boolean {
    return this.#acquirer.idle && this.#mutex.take();
  }

  /** @internal */
  [isHeldHere](): boolean {
    const { self } = this.#mutex.spec.shared;
    return self !== 0 && this.#mutex.holder() === self;
  }

  /** @internal */
  [mustBeHeld](): void {
    this.#acquirer.mustBeOpen();
    if (!this[isHeldHere]()) {
      throw new NotOwnerError(`the ${this.constructor.name} is not held by this process`);
    }
  }

  /** @internal */
  [letGo](): LetGo {
    this[mustBeHeld]();
    this.#mutex.release();
    return {
      resume: async () => void this.#accept(await this.#acquirer.acquire(undefined)),
      resumeSync: () => void this.#accept(this.#acquirer.acquireSync(undefined)),
    };
  }

  #state(): string {
    if (this.#acquirer.closed) return 'closed';
    if (!this.locked) return 'free';
    const { owner } = this;
    return owner === undefined ? 'held' : `held by ${owner}`;
  }

  readonly #accept = (attempt: Attempt): boolean => {
    if (typeof attempt === 'boolean') return attempt;
    if (this.#recover) return true;
    const pid = attempt < 0 ? 0 : attempt;
    throw new OwnerDiedError(
      `process ${pid || '(unknown)'} died holding the ${this.constructor.name}: it is yours now, but what it guards may be half changed`,
      pid,
    );
  };

  static {
    packLock = (lock) => {
      mustTravelOpen(lock, lock.#acquirer.closed);
      return { place: lock.#mutex.pack(), recover: lock.#recover };
    };
  }
}

/** How Lock travels, and RLock. */
export function registerLock(name: string, type: new (options: LockOptions) => Lock): void {
  registerCodec(type, {
    name,
    pack: (object) => packLock(object as Lock),
    unpack: (packed) => {
      const { place, recover } = packed as PackedLock;
      return new type(arriving(place, { onOwnerDied: recover ? 'recover' : 'error' }));
    },
  });
}

registerLock('Lock', Lock);
