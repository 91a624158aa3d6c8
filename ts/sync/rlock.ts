/** RLock: a Lock that its holder may acquire again. */

import { NotOwnerError, OwnerDiedError } from '../errors.js';
import { deadlineOf, type SyncWaitOptions, signalOf, type WaitOptions } from '../internal/deadline.js';
import { registerHomebody } from '../serialization/registry.js';
import { beginLink, goesOnFrom, inScope, type Link } from './call_chain.js';
import { HELD, isHeldHere, type LetGo, Lock, letGo, mustBeHeld, takeAtOnce } from './lock.js';

/**
 * A Lock that its owner may acquire again, and then releases as often. The owner is the process and, within it, the
 * asynchronous call chain that acquired: nested calls of one chain re-enter, two independent async tasks of one process
 * exclude each other. Python: `multiprocessing.RLock`, with process and thread.
 *
 * use() and useSync() confine the chain to their body. After a bare acquire() all that the acquiring code goes on to do
 * belongs to the chain, which Node can't tell from what its caller does before that awaits it: who starts a task without
 * awaiting it and then takes the same RLock should have the task use() it.
 *
 * Everything else is as with Lock. A child holds nothing of what its parent holds.
 *
 * ```js
 * const lock = new RLock();
 * const add = (entry) => lock.use(() => append(entry));
 * await lock.use(async () => { await add(1); await add(2); });
 * ```
 */
export class RLock extends Lock {
  #holder: Link | undefined;
  #depth = 0;

  /**
   * As Lock.acquire(); by the owner at once, one level deeper.
   * @throws as Lock.acquire() does.
   */
  override acquire(options?: WaitOptions): Promise<boolean> {
    if (this.#isMine()) return this.#deepen(options);
    if (options === undefined && this[takeAtOnce]()) {
      const link = beginLink(this);
      this.#hold(link);
      // Before whoever awaits goes on.
      queueMicrotask(() => {
        link.delivered = true;
      });
      return HELD;
    }
    return this.#receive(beginLink(this), super.acquire(options));
  }

  /** As Lock.acquireSync(); by the owner at once, one level deeper. @throws as Lock.acquireSync() does. */
  override acquireSync(options?: SyncWaitOptions): boolean {
    if (this.#isMine()) {
      deadlineOf(options);
      this.#depth += 1;
      return true;
    }
    return this.#receiveNow(() => super.acquireSync(options));
  }

  /** As Lock.tryAcquire(); by the owner one level deeper. @throws as Lock.tryAcquire() does. */
  override tryAcquire(): boolean {
    if (this.#isMine()) {
      this.#depth += 1;
      return true;
    }
    return this.#receiveNow(() => super.tryAcquire());
  }

  /**
   * One level up; at the last the lock is free and one waiter is woken. Python: `AssertionError` from a non-owner.
   * @throws ERR_MP_NOT_OWNER: not held by this process and call chain; ERR_MP_CLOSED.
   */
  override release(): void {
    this[mustBeHeld]();
    this.#depth -= 1;
    if (this.#depth > 0) return;
    this.#forget();
    super.release();
  }

  /** As Lock.use(). */
  override use<R>(body: () => R | Promise<R>, options?: WaitOptions): Promise<R> {
    return inScope(() => super.use(body, options));
  }

  /** As Lock.useSync(). */
  override useSync<R>(body: () => R, options?: SyncWaitOptions): R {
    return inScope(() => super.useSync(body, options));
  }

  /** How often the running call chain holds it; 0 for everybody else. */
  get depth(): number {
    return this.#isMine() ? this.#depth : 0;
  }

  /** @internal */
  override [mustBeHeld](): void {
    super[mustBeHeld]();
    if (!this.#isMine()) throw new NotOwnerError('the RLock is held by another call chain of this process');
  }

  /** @internal */
  override [letGo](): LetGo {
    const lock = super[letGo]();
    const [holder, depth] = [this.#holder, this.#depth];
    this.#holder = undefined;
    this.#depth = 0;
    const restore = (): void => {
      this.#holder = holder;
      this.#depth = depth;
    };
    return {
      resume: () => lock.resume().finally(restore),
      resumeSync: () => {
        try {
          lock.resumeSync();
        } finally {
          restore();
        }
      },
    };
  }

  /** In a forked child the links are still there, and the lock is the parent's. */
  #isMine(): boolean {
    return this.#holder !== undefined && this[isHeldHere]() && goesOnFrom(this.#holder);
  }

  async #deepen(options: WaitOptions | undefined): Promise<boolean> {
    deadlineOf(options);
    signalOf(options)?.throwIfAborted();
    this.#depth += 1;
    return true;
  }

  #settle(link: Link, got: boolean): void {
    link.delivered = true;
    link.over = !got;
    if (got) this.#hold(link);
  }

  #hold(link: Link): void {
    this.#holder = link;
    this.#depth = 1;
  }

  #forget(): void {
    if (this.#holder !== undefined) this.#holder.over = true;
    this.#holder = undefined;
    this.#depth = 0;
  }

  #receiveNow(acquire: () => boolean): boolean {
    const link = beginLink(this);
    let got = true;
    try {
      got = acquire();
    } catch (error) {
      got = error instanceof OwnerDiedError;
      throw error;
    } finally {
      this.#settle(link, got);
    }
    return got;
  }

  async #receive(link: Link, acquired: Promise<boolean>): Promise<boolean> {
    let got = true;
    try {
      got = await acquired;
    } catch (error) {
      got = error instanceof OwnerDiedError;
      throw error;
    } finally {
      this.#settle(link, got);
    }
    return got;
  }
}

registerHomebody('RLock', RLock);
