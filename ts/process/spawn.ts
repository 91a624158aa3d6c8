/** Start method 'spawn': a fresh Node that is told what to run. */

import type { Connection } from '../connection/connection.js';
import { packageFile } from '../native/load.js';
import type { Newborn } from './birth.js';
import type { ChildHandle } from './child_handle.js';
import { withCompiledCode } from './compiled_code.js';
import { feed, feedSync } from './feeding.js';
import { startFreshNode } from './fresh_node.js';

const PROGRAM = packageFile('fresh_main.cjs');
const PROGRAM_WITH_CODE = packageFile('compiled_main.cjs');

function begin(theirs: Connection): ChildHandle {
  return withCompiledCode((code) => startFreshNode(code === undefined ? PROGRAM : PROGRAM_WITH_CODE, theirs, code));
}

export function spawnProcess(newborn: Newborn): Promise<ChildHandle> {
  return feed(newborn, async (theirs) => begin(theirs));
}

/** Blocks until the child has been told all. */
export function spawnProcessSync(newborn: Newborn): ChildHandle {
  return feedSync(newborn, begin);
}
