/** The lock that comes with a Value or a SharedArray. */

import { InvalidStateError } from '../errors.js';
import { invalidArgType } from '../internal/validate.js';
import { Lock } from '../sync/lock.js';
import type { LockLike } from '../sync/lock_like.js';
import { RLock } from '../sync/rlock.js';

/** Of a Value or a SharedArray. Python: `lock`. */
export interface GuardOptions {
  /** A lock of the caller's; false for none. Default: an RLock of its own. */
  lock?: Lock | false | undefined;
}

export interface Guard {
  readonly lock: Lock | undefined;
  /** Made for this object, and closed with it. */
  readonly isOwn: boolean;
}

export function validateGuard({ lock }: GuardOptions): void {
  if (lock === undefined || lock === false || lock instanceof Lock) return;
  throw invalidArgType('options.lock', 'an instance of Lock, or false', lock);
}

export function makeGuard({ lock }: GuardOptions): Guard {
  if (lock === undefined) return { lock: new RLock(), isOwn: true };
  return { lock: lock === false ? undefined : lock, isOwn: false };
}

export function closeGuard({ lock, isOwn }: Guard): void {
  if (isOwn) lock?.close();
}

/** @throws ERR_MP_INVALID_STATE when there is none. */
export function lockOf({ lock }: Guard, name: string): LockLike {
  if (lock === undefined) throw new InvalidStateError(`this ${name} was made without a lock`);
  return lock;
}

/** Says to a constructor that the memory is there: it has come in a message. */
export class Received<B> {
  readonly block: B;
  readonly guard: Guard;
  constructor(block: B, guard: Guard) {
    this.block = block;
    this.guard = guard;
  }
}
