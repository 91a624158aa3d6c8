/** Regions of shared memory as this process sees them: their words, and its own name in them. */

import { inChildAfterFork } from '../internal/after_fork.js';
import type { RegionObject } from '../native/lock.js';

/** All that are alive, for what a forked child has to forget. */
const alive = new Set<WeakRef<SharedWords>>();
const dropped = new FinalizationRegistry<WeakRef<SharedWords>>((reference) => alive.delete(reference));

export class SharedWords {
  readonly region: RegionObject;
  readonly words: Int32Array;
  /** This process's token; 0 until enter(). */
  self = 0;

  constructor(region: RegionObject) {
    this.region = region;
    this.words = new Int32Array(region.bytes());
    const reference = new WeakRef(this);
    alive.add(reference);
    dropped.register(this, reference);
  }

  /** `self`, for certain. @throws ENOSPC: too many processes use the region. */
  enter(): number {
    if (this.self === 0) this.self = this.region.enter();
    return this.self;
  }
}

// What the parent holds, its child does not.
inChildAfterFork(() => {
  for (const reference of alive) {
    const words = reference.deref();
    if (words !== undefined) words.self = 0;
  }
});
