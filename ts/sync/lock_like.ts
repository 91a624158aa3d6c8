/** What all locks have in common. */

import type { SyncWaitOptions, WaitOptions } from '../internal/deadline.js';

/** Something to hold while nobody else does. Python: the common part of Lock, RLock, Semaphore and Condition. */
export interface LockLike {
  /** Resolves true once it is held, false on time-out; never blocks the event loop. */
  acquire(options?: WaitOptions): Promise<boolean>;
  /** The same, blocking this process. */
  acquireSync(options?: SyncWaitOptions): boolean;
  /** Never waits. */
  tryAcquire(): boolean;
  release(): void;
  /** Acquires, runs, releases, whatever happens. Time is up: TimeoutError, and the body does not run. */
  use<R>(body: () => R | Promise<R>, options?: WaitOptions): Promise<R>;
  useSync<R>(body: () => R, options?: SyncWaitOptions): R;
}
