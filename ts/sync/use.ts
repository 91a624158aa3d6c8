/** use() and useSync() of everything that is acquired and released. */

import { OwnerDiedError, TimeoutError } from '../errors.js';
import type { SyncWaitOptions, WaitOptions } from '../internal/deadline.js';
import { validateFunction } from '../internal/validate.js';
import type { LockLike } from './lock_like.js';

function timedOut(lock: LockLike): TimeoutError {
  return new TimeoutError(`the time to wait for the ${lock.constructor.name} is up`);
}

/** Who takes over from the dead does not run the body, and leaves the lock free. */
function releaseAfter(lock: LockLike, error: unknown): never {
  if (error instanceof OwnerDiedError) lock.release();
  throw error;
}

export async function use<R>(lock: LockLike, body: () => R | Promise<R>, options?: WaitOptions): Promise<R> {
  validateFunction(body, 'body');
  const got = await lock.acquire(options).catch((error: unknown) => releaseAfter(lock, error));
  if (!got) throw timedOut(lock);
  try {
    return await body();
  } finally {
    lock.release();
  }
}

export function useSync<R>(lock: LockLike, body: () => R, options?: SyncWaitOptions): R {
  validateFunction(body, 'body');
  let got: boolean;
  try {
    got = lock.acquireSync(options);
  } catch (error) {
    releaseAfter(lock, error);
  }
  if (!got) throw timedOut(lock);
  try {
    return body();
  } finally {
    lock.release();
  }
}
