/** What fork needs of the system, and a sandbox may refuse. */

import fs from 'node:fs';
import { native } from '../native/load.js';
import type { Obstacle } from './threads.js';

/** Those of a kernel or a sandbox that will never give it. */
const REFUSALS: ReadonlySet<string | undefined> = new Set(['ENOSYS', 'EPERM', 'EACCES']);

/** Why this system will never let fork work, if so. Costs microseconds. */
export function systemObstacle(): Obstacle | undefined {
  try {
    fs.accessSync('/proc/self/maps', fs.constants.R_OK);
  } catch {
    return {
      reason: 'there is no /proc, which tells where the heap is that a child is to be given',
      advice: 'mount it (proc(5))',
    };
  }
  try {
    native.closeFd(native.pidfdOpen(process.pid));
    return undefined;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (!REFUSALS.has(code)) return undefined; // EMFILE and the like: the fork itself will tell
    return {
      reason: `the system refuses pidfd_open(2) with ${code}: nobody would learn of a child's end`,
      advice: 'Linux 5.4 or later, and a sandbox (seccomp profile of the container) that allows pidfd_open',
    };
  }
}
