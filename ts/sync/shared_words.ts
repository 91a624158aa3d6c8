/** Regions of shared memory as this process sees them: their words, and its own name in them. */

import { perProcess } from '../internal/per_process.js';
import type { RegionObject } from '../native/lock.js';

/** All that are alive. What the parent holds, its child does not. */
const alive = perProcess(
  () => new Set<WeakRef<SharedWords>>(),
  (inherited) => {
    for (const reference of inherited) {
      const words = reference.deref();
      if (words !== undefined) words.self = 0;
    }
    return inherited;
  },
);
const dropped = new FinalizationRegistry<WeakRef<SharedWords>>((reference) => alive.value.delete(reference));

export class SharedWords {
  readonly region: RegionObject;
  readonly words: Int32Array;
  /** This process's token; 0 until enter(). */
  self = 0;

  constructor(region: RegionObject) {
    this.region = region;
    this.words = new Int32Array(region.bytes());
    const reference = new WeakRef(this);
    alive.value.add(reference);
    dropped.register(this, reference);
  }

  /** `self`, for certain. @throws ENOSPC: too many processes use the region. */
  enter(): number {
    if (this.self === 0) this.self = this.region.enter();
    return this.self;
  }
}
