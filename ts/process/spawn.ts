/** Start method 'spawn': a fresh Node that is told what to run. */

import type { Newborn } from './birth.js';
import type { ChildHandle } from './child_handle.js';
import { feed, feedSync } from './feeding.js';
import { startFreshNode } from './fresh_node.js';

const PROGRAM = new URL('./fresh_main.js', import.meta.url);

export function spawnProcess(newborn: Newborn): Promise<ChildHandle> {
  return feed(newborn, async (theirs) => startFreshNode(PROGRAM, theirs));
}

/** Blocks until the child has been told all. */
export function spawnProcessSync(newborn: Newborn): ChildHandle {
  return feedSync(newborn, (theirs) => startFreshNode(PROGRAM, theirs));
}
