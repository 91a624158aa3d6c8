/** A short look without sleep before a wait that blocks: where messages come fast, falling asleep costs more than it saves. */

import { availableParallelism } from 'node:os';

/** Microseconds: what falling asleep and being woken takes, a few times over. */
const LONGEST = 40;
const SHORTEST = 5;
/** After so many waits that were not worth a look, one is tried again. */
const PROBE = 32;

let canSpin: boolean | undefined;

/** On one CPU the one that is waited for could not run meanwhile. */
function isAllowed(): boolean {
  canSpin ??= availableParallelism() > 1;
  return canSpin;
}

/** One for each thing that is waited for. */
export class Spinning {
  #budget: number = LONGEST;
  #skipped = 0;

  /** For how many microseconds to look this time; 0: not at all. */
  next(): number {
    if (!isAllowed()) return 0;
    if (this.#budget >= SHORTEST) return this.#budget;
    this.#skipped += 1;
    if (this.#skipped < PROBE) return 0;
    this.#skipped = 0;
    this.#budget = 2 * SHORTEST;
    return this.#budget;
  }

  /** Whether the look was worth it: then the next one is long, else shorter. */
  tell(found: boolean): void {
    this.#budget = found ? LONGEST : this.#budget / 2;
  }
}
