/** What all locks have in common. */

import type { SyncWaitOptions, WaitOptions } from '../internal/deadline.js';

/** Something to hold while nobody else does. Python: the common part of Lock, RLock, Semaphore and Condition. */
export interface LockLike {
  /** As Lock.acquire(): resolves true once it is held, false on time-out. */
  acquire(options?: WaitOptions): Promise<boolean>;
  /** As Lock.acquireSync(), blocking. */
  acquireSync(options?: SyncWaitOptions): boolean;
  /** As Lock.tryAcquire(): never waits. */
  tryAcquire(): boolean;
  /** As Lock.release(). Doesn't block. */
  release(): void;
  /** As Lock.use(): acquires, runs, releases, whatever happens. */
  use<R>(body: () => R | Promise<R>, options?: WaitOptions): Promise<R>;
  /** As Lock.useSync(), blocking. */
  useSync<R>(body: () => R, options?: SyncWaitOptions): R;
}
