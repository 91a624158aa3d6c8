/**
 * Which asynchronous call chain the running code belongs to: what a thread is to Python's RLock. A chain begins where a
 * lock is acquired and goes on in all that is called, awaited or scheduled from there.
 *
 * Node has no hook for "the caller goes on": after `task()` the caller of an async function that acquires is in the new
 * chain too. Of those who share a chain in this way one is told by the time: nobody can go on from an acquire() whose
 * promise has not been delivered yet, so who acquires the same lock before that is another task.
 */

import { AsyncLocalStorage } from 'node:async_hooks';

/** Which lock, whatever object stands for it in this process: the same for all of them. */
export interface LockId {
  readonly shared: object;
  readonly offset: number;
}

function areSame(one: LockId | undefined, other: LockId): boolean {
  return one?.shared === other.shared && one.offset === other.offset;
}

/** A link of a chain: one lock acquired in it. */
export class Link {
  readonly lock: LockId | undefined;
  #before: Link | undefined;
  /** Whether the code that acquired can have gone on. */
  delivered = false;
  /** Whether the lock has been given back, or was never got. */
  over = false;

  constructor(lock: LockId | undefined, before: Link | undefined) {
    this.lock = lock;
    this.#before = before;
  }

  /** The link before it that still means something. */
  get before(): Link | undefined {
    while (this.#before?.over === true) this.#before = this.#before.#before;
    return this.#before;
  }
}

const current = new AsyncLocalStorage<Link | undefined>();

/** Whether the running code goes on from where this link was made. */
export function goesOnFrom(link: Link): boolean {
  if (!link.delivered) return false;
  for (let at = current.getStore(); at !== undefined; at = at.before) if (at === link) return true;
  return false;
}

/** What is called and awaited from here on belongs to the new link. */
export function beginLink(lock: LockId): Link {
  let before = current.getStore();
  while (before !== undefined && (before.over || (areSame(before.lock, lock) && !before.delivered)))
    before = before.before;
  const link = new Link(lock, before);
  current.enterWith(link);
  return link;
}

/** Links that begin in the body end with it: its caller's chain stays what it was. */
export function inScope<R>(body: () => R): R {
  // A link of its own: run() with the store that is there already would be no scope.
  const scope = new Link(undefined, current.getStore());
  scope.over = true;
  return current.run(scope, body);
}
