/** Regions of shared memory as this process sees them: their words, and its own name in them. */

import { perProcess } from '../internal/per_process.js';
import type { RegionObject } from '../native/lock.js';
import type { Link } from './call_chain.js';

/** All that are alive. What the parent holds, its child does not. */
const alive = perProcess(
  () => new Set<WeakRef<SharedWords>>(),
  (inherited) => {
    for (const reference of inherited) reference.deref()?.disown();
    return inherited;
  },
);
const dropped = new FinalizationRegistry<WeakRef<SharedWords>>((reference) => alive.value.delete(reference));

/** What this process has of an RLock; several of its objects may stand for that one. */
export interface Holding {
  /** Who holds it. */
  link: Link | undefined;
  depth: number;
}

export class SharedWords {
  readonly region: RegionObject;
  readonly words: Int32Array;
  /** This process's token; 0 until enter(). */
  self = 0;
  readonly #holdings: Map<number, Holding> = new Map();

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

  /** Of the RLock at that offset. */
  holdingAt(offset: number): Holding {
    let holding = this.#holdings.get(offset);
    if (holding === undefined) {
      holding = { link: undefined, depth: 0 };
      this.#holdings.set(offset, holding);
    }
    return holding;
  }

  /** What was at that offset is closed. */
  forget(offset: number): void {
    this.#holdings.delete(offset);
  }

  /** In a forked child. */
  disown(): void {
    this.self = 0;
    for (const holding of this.#holdings.values()) holding.link = undefined;
  }
}
