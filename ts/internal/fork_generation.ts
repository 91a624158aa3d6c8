/** Tells state of this process from state that a forked child has inherited and that is not its own. */

import { inChildAfterFork } from './after_fork.js';

let current = 0;

inChildAfterFork((kind) => {
  if (kind === 'fresh') current += 1;
});

/** Another number in every Process that was forked from here. Keep it with what a child must not go on with. */
export function forkGeneration(): number {
  return current;
}
