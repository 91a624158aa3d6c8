/** A short look without sleep before a wait that blocks: where messages come fast, falling asleep costs more than it saves. */

import { cpuCount } from '../process/cpu_count.js';

/** Microseconds: what falling asleep and being woken takes, a few times over. */
const LONGEST = 40;
const SHORTEST = 5;
/** After so many waits that were not worth a look, one is tried again. */
const PROBE = 32;

let canSpin: boolean | undefined;

/** On one CPU the one that is waited for could not run meanwhile. */
function isAllowed(): boolean {
  canSpin ??= cpuCount() > 1;
  return canSpin;
}

export class Spinning {
  #budget: number = LONGEST;
  #skipped = 0;

  /** `look` looks for so many microseconds, and tells whether it was worth it: then the next look is long, else shorter. */
  until(look: (microseconds: number) => boolean): boolean {
    if (!isAllowed()) return false;
    if (this.#budget < SHORTEST) {
      this.#skipped += 1;
      if (this.#skipped < PROBE) return false;
      this.#skipped = 0;
      this.#budget = 2 * SHORTEST;
    }
    const found = look(this.#budget);
    this.#budget = found ? LONGEST : this.#budget / 2;
    return found;
  }
}
