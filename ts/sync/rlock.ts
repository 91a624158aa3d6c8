/** RLock: a Lock that its holder may acquire again. */

import { NotOwnerError, OwnerDiedError } from '../errors.js';
import { deadlineOf, type SyncWaitOptions, signalOf, type WaitOptions } from '../internal/deadline.js';
import { beginLink, goesOnFrom, inScope, type Link } from './call_chain.js';
import { HELD, isHeldHere, type LetGo, Lock, letGo, lockId, mustBeHeld, registerLock, takeAtOnce } from './lock.js';
import type { Holding } from './shared_words.js';

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
  #known: Holding | undefined;

  /**
   * As Lock.acquire(); by the owner at once, one level deeper.
   * @throws as Lock.acquire() does.
   */
  override acquire(options?: WaitOptions): Promise<boolean> {
    const own = this.#own();
    if (own !== undefined) return this.#deepen(own, options);
    if (options === undefined && this[takeAtOnce]()) {
      const link = beginLink(this[lockId]);
      this.#hold(link);
      // Before whoever awaits goes on.
      queueMicrotask(() => {
        link.delivered = true;
      });
      return HELD;
    }
    return this.#receive(beginLink(this[lockId]), super.acquire(options));
  }

  /** As Lock.acquireSync(), blocking; by the owner at once, one level deeper. @throws as Lock.acquireSync() does. */
  override acquireSync(options?: SyncWaitOptions): boolean {
    const own = this.#own();
    if (own !== undefined) {
      deadlineOf(options);
      own.depth += 1;
      return true;
    }
    return this.#receiveNow(() => super.acquireSync(options));
  }

  /** As Lock.tryAcquire(); by the owner one level deeper. @throws as Lock.tryAcquire() does. */
  override tryAcquire(): boolean {
    const own = this.#own();
    if (own !== undefined) {
      own.depth += 1;
      return true;
    }
    return this.#receiveNow(() => super.tryAcquire());
  }

  /**
   * One level up; at the last the lock is free and one waiter is woken. Python: `release()`, an AssertionError from others.
   * @throws ERR_MP_NOT_OWNER: not held by this process and call chain; ERR_MP_CLOSED.
   */
  override release(): void {
    this[mustBeHeld]();
    const holding = this.#holding;
    holding.depth -= 1;
    if (holding.depth > 0) return;
    if (holding.link !== undefined) holding.link.over = true;
    holding.link = undefined;
    super.release();
  }

  /** As Lock.use(). */
  override use<R>(body: () => R | Promise<R>, options?: WaitOptions): Promise<R> {
    return inScope(() => super.use(body, options));
  }

  /** As Lock.useSync(), blocking. */
  override useSync<R>(body: () => R, options?: SyncWaitOptions): R {
    return inScope(() => super.useSync(body, options));
  }

  /** How often the running call chain holds it; 0 for everybody else. Python: none. */
  get depth(): number {
    return this.#own()?.depth ?? 0;
  }

  /** @internal */
  override [mustBeHeld](): void {
    super[mustBeHeld]();
    if (this.#own() === undefined) throw new NotOwnerError('the RLock is held by another call chain of this process');
  }

  /** @internal */
  override [letGo](): LetGo {
    const lock = super[letGo]();
    const { link, depth } = this.#holding;
    this.#holding.link = undefined;
    const restore = (): void => {
      if (link !== undefined) this.#hold(link, depth);
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

  get #holding(): Holding {
    this.#known ??= this[lockId].shared.holdingAt(this[lockId].offset);
    return this.#known;
  }

  /** The running call chain's. */
  #own(): Holding | undefined {
    const holding = this.#holding;
    return holding.link !== undefined && this[isHeldHere]() && goesOnFrom(holding.link) ? holding : undefined;
  }

  async #deepen(own: Holding, options: WaitOptions | undefined): Promise<boolean> {
    deadlineOf(options);
    signalOf(options)?.throwIfAborted();
    own.depth += 1;
    return true;
  }

  #settle(link: Link, got: boolean): void {
    link.delivered = true;
    link.over = !got;
    if (got) this.#hold(link);
  }

  #hold(link: Link, depth: number = 1): void {
    this.#holding.link = link;
    this.#holding.depth = depth;
  }

  #receiveNow(acquire: () => boolean): boolean {
    const link = beginLink(this[lockId]);
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

registerLock('RLock', RLock);
