/** Lock: a named POSIX semaphore of value 1 that knows its holder. */

import { type InspectOptions, inspect } from 'node:util';
import { ClosedError, OverReleaseError, OwnerDiedError, TimeoutError } from '../errors.js';
import {
  deadlineOf,
  millisecondsLeft,
  type SyncWaitOptions,
  signalOf,
  type WaitOptions,
} from '../internal/deadline.js';
import { bareName, keepAtExit, removeAtExit, underRandomName } from '../internal/object_names.js';
import { invalidArgValue, validateBoolean, validateFunction, validateOptions } from '../internal/validate.js';
import { native } from '../native/load.js';
import type { Attempt, SemLockObject } from '../native/lock.js';
import { registerHomebody } from '../serialization/registry.js';
import { ownToken } from './holder.js';
import type { LockLike, NamedOptions } from './lock_like.js';
import { WaitQueue } from './wait_queue.js';

export interface LockOptions extends NamedOptions {
  /**
   * 'error' (default): the acquire that takes over from a dead holder throws OwnerDiedError once, and the lock is then
   * held by the caller. 'recover': it just succeeds.
   */
  onOwnerDied?: 'error' | 'recover' | undefined;
}

/** What glibc puts before a semaphore's name to make its file. sem_overview(7) */
const PREFIX = 'sem.';
const OWNER_ONLY = 0o600;

/** The semaphore of that name: the one that is there, else a new one. Others may make and remove it meanwhile. */
function openOrCreate(name: string): { semaphore: SemLockObject; created: boolean } {
  for (let create = false; ; create = !create) {
    try {
      return { semaphore: new native.SemLock(name, create ? OWNER_ONLY : undefined), created: create };
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== 'ENOENT' && code !== 'EEXIST') throw error;
    }
  }
}

/** Without a name: it has one for a moment, then only those know it who inherit it. */
function createNameless(): SemLockObject {
  const { name, made } = underRandomName((random) => new native.SemLock(random, OWNER_ONLY));
  native.semUnlink(`/${name}`);
  return made;
}

/**
 * Mutual exclusion between processes: one holds the lock, the others wait. Python: `multiprocessing.Lock`.
 *
 * It is a POSIX semaphore of value 1: with a name, C's sem_open('/name') and Python's posix_ipc reach the same one.
 * Without a name it belongs to this process and those that it forks. Who holds it is written beside the value, in the
 * same instant: when a holder dies, at whatever instruction, one waiter takes over within 200 ms. A holder that is no
 * process of this library leaves no name; its death goes unnoticed, as everywhere with semaphores.
 *
 * The processes that wait are served in no strict order; those who await it in one process are, and acquireSync() goes
 * before them, as they can't run while it blocks. A process that awaits has one thread for each such lock.
 *
 * Shared under 'fork' by being captured in a closure. A child holds nothing of what its parent holds, but may release
 * it, as anybody may.
 *
 * ```js
 * const lock = new Lock();
 * await new Process({ target: () => lock.use(() => appendFile('log', 'one at a time\n')) }).start();
 * ```
 */
export class Lock implements LockLike {
  readonly #semaphore: SemLockObject;
  readonly #queue: WaitQueue;
  readonly #name: string | undefined;
  readonly #recover: boolean;
  #closed = false;

  /**
   * Opens or creates; doesn't block. A created name is removed at the end of the process that created it, unless it
   * persists. (A process killed by a signal leaves its names: unlink() removes them.)
   * @throws ERR_INVALID_ARG_TYPE; ERR_INVALID_ARG_VALUE: a name with a second '/', a NUL, nothing, or more than 251
   * bytes; EACCES; EMFILE; ENOSPC; EINVAL, EPROTO: what is there is no semaphore.
   */
  constructor(options: LockOptions = {}) {
    validateOptions(options, 'options');
    const { persist = false, onOwnerDied = 'error' } = options;
    validateBoolean(persist, 'options.persist');
    if (onOwnerDied !== 'error' && onOwnerDied !== 'recover') {
      throw invalidArgValue('options.onOwnerDied', "must be 'error' or 'recover'", onOwnerDied);
    }
    this.#recover = onOwnerDied === 'recover';
    this.#name = options.name === undefined ? undefined : bareName(options.name, 'options.name', PREFIX.length);
    this.#semaphore = this.#name === undefined ? createNameless() : Lock.#named(this.#name, persist);
    this.#queue = new WaitQueue(this.#semaphore);
  }

  static #named(name: string, persist: boolean): SemLockObject {
    const { semaphore, created } = openOrCreate(name);
    if (created && !persist) removeAtExit(`/${PREFIX}${name}`, semaphore.inode());
    return semaphore;
  }

  /**
   * Resolves true once the lock is held, false on time-out (milliseconds). Rejects with `signal.reason`, and the lock is
   * neither taken nor lost. Also by a process that holds it: then it waits for release(), whoever in the process calls
   * it. Keeps the process alive while it waits. Python: `acquire(timeout=)`.
   * @throws ERR_MP_OWNER_DIED, once per death: the lock is yours; ERR_MP_CLOSED; EAGAIN, EMFILE: no thread or
   * descriptor to wait with; ERR_INVALID_ARG_TYPE, ERR_OUT_OF_RANGE.
   */
  async acquire(options?: WaitOptions): Promise<boolean> {
    return this.#accept(await this.#attempt(options));
  }

  /**
   * The same, blocking this process and its event loop. In a process that holds the lock already only another process
   * can end the wait.
   * @throws ERR_MP_OWNER_DIED, once per death: the lock is yours; ERR_MP_CLOSED; ERR_INVALID_ARG_TYPE, ERR_OUT_OF_RANGE.
   */
  acquireSync(options?: SyncWaitOptions): boolean {
    return this.#accept(this.#attemptSync(options));
  }

  /**
   * Takes the lock if it is free, or its holder dead. Never waits. Python: `acquire(block=False)`.
   * @throws ERR_MP_OWNER_DIED, once per death: the lock is yours; ERR_MP_CLOSED.
   */
  tryAcquire(): boolean {
    return this.#accept(this.#open().tryAcquire(ownToken()));
  }

  /**
   * Gives the lock back and wakes one waiter. Any process may release a lock, whoever holds it (Python's rule).
   * @throws ERR_MP_OVER_RELEASE when nobody holds it; ERR_MP_CLOSED.
   */
  release(): void {
    if (!this.#open().release()) throw new OverReleaseError('release() of a Lock that nobody holds');
  }

  /**
   * Acquires, runs, releases, whatever happens; resolves with what the body returns. Python: `with lock:`.
   * @throws what the body throws; ERR_MP_TIMEOUT, ERR_MP_OWNER_DIED, and the body does not run: after the latter the
   * lock is free, so take it by acquire() where torn data must be repaired first; what acquire() throws.
   */
  async use<R>(body: () => R | Promise<R>, options?: WaitOptions): Promise<R> {
    validateFunction(body, 'body');
    const attempt = await this.#attempt(options);
    if (attempt === false) throw new TimeoutError('the time to wait for the Lock is up');
    try {
      this.#accept(attempt);
      return await body();
    } finally {
      this.release();
    }
  }

  /**
   * use() that blocks this process and its event loop while it waits. The body must not be async: the lock is released
   * when it returns.
   * @throws as use() does.
   */
  useSync<R>(body: () => R, options?: SyncWaitOptions): R {
    validateFunction(body, 'body');
    const attempt = this.#attemptSync(options);
    if (attempt === false) throw new TimeoutError('the time to wait for the Lock is up');
    try {
      this.#accept(attempt);
      return body();
    } finally {
      this.release();
    }
  }

  /** Whether somebody holds it, at the moment of reading. @throws ERR_MP_CLOSED. */
  get locked(): boolean {
    return this.#open().isHeld();
  }

  /**
   * The pid of the holder, at the moment of reading; undefined when it is free, or held by a program that leaves no
   * name. @throws ERR_MP_CLOSED.
   */
  get owner(): number | undefined {
    const pid = this.#open().holder();
    return pid === 0 ? undefined : pid;
  }

  /**
   * Ends this process's use of the lock: who awaits it here is rejected with ClosedError, as is every later call but
   * unlink(). A lock that is held stays held. Idempotent.
   */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#queue.close(closedError());
    this.#semaphore.close();
  }

  /**
   * Removes the name; who has the lock open keeps it. Also after close(). Without a name nothing happens.
   * @throws ENOENT when the name is gone.
   */
  unlink(): void {
    if (this.#name === undefined) return;
    keepAtExit(`/${PREFIX}${this.#name}`);
    native.semUnlink(`/${this.#name}`);
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

  #state(): string {
    if (this.#closed) return 'closed';
    if (!this.locked) return 'free';
    const { owner } = this;
    return owner === undefined ? 'held' : `held by ${owner}`;
  }

  #open(): SemLockObject {
    if (this.#closed) throw closedError();
    return this.#semaphore;
  }

  async #attempt(options: WaitOptions | undefined): Promise<Attempt> {
    const deadline = deadlineOf(options);
    const signal = signalOf(options);
    signal?.throwIfAborted();
    const semaphore = this.#open();
    const over = millisecondsLeft(deadline) === 0;
    // Who comes later waits behind those who wait already.
    if (this.#queue.isEmpty || over) {
      const attempt = semaphore.tryAcquire(ownToken());
      if (attempt !== false || over) return attempt;
    }
    return this.#queue.wait(deadline, signal);
  }

  #attemptSync(options: SyncWaitOptions | undefined): Attempt {
    const deadline = deadlineOf(options);
    const semaphore = this.#open();
    const come = this.#queue.suspend();
    try {
      return come === false ? semaphore.acquire(ownToken(), millisecondsLeft(deadline)) : come;
    } finally {
      this.#queue.resume();
    }
  }

  #accept(attempt: Attempt): boolean {
    if (typeof attempt === 'boolean') return attempt;
    if (this.#recover) return true;
    throw new OwnerDiedError(
      `process ${attempt} died holding the Lock: it is yours now, but what it guards may be half changed`,
      attempt,
    );
  }
}

function closedError(): ClosedError {
  return new ClosedError('this Lock is closed');
}

registerHomebody('Lock', Lock);
