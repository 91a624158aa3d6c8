/** Priorities, and the processors that a process may run on. */

import { invalidArgType, outOfRange, validateInteger } from '../internal/validate.js';
import { native } from '../native/load.js';
import { validatePid } from './arguments.js';
import { PRIO_PROCESS, PRIO_USER } from './numbers.js';

const LOWEST_PRIORITY = 19;
const HIGHEST_PRIORITY = -20;
/** Far above what any kernel is built for (8,192 on x64). */
const MOST_CPUS = 2 ** 20;
const MOST_IDS = 2 ** 32 - 1;

function validateScope(which: unknown, who: unknown): void {
  validateInteger(which, 'which', PRIO_PROCESS, PRIO_USER);
  validateInteger(who, 'who', 0, MOST_IDS);
}

/**
 * The nice value, -20 (most favoured) to 19, of a process, or the most favoured one of a process group (PRIO_PGRP) or of
 * a user's processes (PRIO_USER): `which` says what the id `who` is. 0 is the caller's own. On Linux it belongs to a
 * thread: 0 is the calling one, a pid the main one of that process. Doesn't block.
 *
 * Python: os.getpriority. getpriority(2)
 * @throws ESRCH: nothing matches.
 */
export function getpriority(which: number = PRIO_PROCESS, who: number = 0): number {
  validateScope(which, who);
  return native.getpriority(which, who);
}

/**
 * Sets the nice value, -20 (most favoured) to 19, of what getpriority() would read; threads that exist already keep
 * theirs, later ones and children inherit it. `which` and `who` are as there. Doesn't block.
 *
 * Python: os.setpriority. setpriority(2)
 * @throws ESRCH: nothing matches; EACCES: more favour than RLIMIT_NICE allows; EPERM: another user's process.
 */
export function setpriority(which: number, who: number, priority: number): void {
  validateScope(which, who);
  validateInteger(priority, 'priority', HIGHEST_PRIORITY, LOWEST_PRIORITY);
  native.setpriority(which, who, priority);
}

/**
 * The numbers of the processors that a process (0: the caller; on Linux its calling or main thread) may run on,
 * ascending, whatever their number. Doesn't block.
 *
 * Python: os.sched_getaffinity. sched_getaffinity(2)
 * @throws ESRCH: there is no such process.
 */
export function schedGetAffinity(pid: number = 0): number[] {
  validatePid(pid, 'pid', 0);
  return native.schedGetAffinity(pid);
}

/**
 * Restricts a process (0: the caller; on Linux its calling or main thread) to processors; those that the machine does
 * not have are ignored. Threads that exist already keep theirs, later ones and children inherit it. Doesn't block.
 *
 * Python: os.sched_setaffinity. sched_setaffinity(2)
 * @throws EINVAL: none of the processors can be used; ESRCH; EPERM: another user's process.
 */
export function schedSetAffinity(pid: number, cpus: readonly number[]): void {
  validatePid(pid, 'pid', 0);
  if (!Array.isArray(cpus)) throw invalidArgType('cpus', 'an instance of Array', cpus);
  if (cpus.length === 0) throw outOfRange('cpus.length', '>= 1', cpus.length);
  for (const [index, cpu] of cpus.entries()) validateInteger(cpu, `cpus[${index}]`, 0, MOST_CPUS - 1);
  native.schedSetAffinity(pid, Int32Array.from(cpus));
}
