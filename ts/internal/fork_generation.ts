/** Tells state of this process from state that a forked child has inherited and that is not its own. */

import { perProcess } from './per_process.js';

const generation = perProcess(
  () => 0,
  (inherited, kind) => (kind === 'fresh' ? inherited + 1 : inherited),
);

/** Another number in every Process that was forked from here. Keep it with what a child must not go on with. */
export function forkGeneration(): number {
  return generation.value;
}
