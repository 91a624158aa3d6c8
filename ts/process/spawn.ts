/** Start method 'spawn': a fresh Node that is told what to run. */

import { packageFile } from '../native/load.js';
import type { Newborn } from './birth.js';
import type { ChildHandle } from './child_handle.js';
import { feed, feedSync } from './feeding.js';
import { startFreshNode } from './fresh_node.js';

const PROGRAM = packageFile('fresh_main.cjs');

export function spawnProcess(newborn: Newborn): Promise<ChildHandle> {
  return feed(newborn, async (theirs) => startFreshNode(PROGRAM, theirs));
}

/** Blocks until the child has been told all. */
export function spawnProcessSync(newborn: Newborn): ChildHandle {
  return feedSync(newborn, (theirs) => startFreshNode(PROGRAM, theirs));
}
