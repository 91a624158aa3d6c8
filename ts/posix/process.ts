/** The process itself: identity, end, signals, sleep. */

import { signalNumber } from '../internal/signals.js';
import { invalidArgType, outOfRange, validateInteger } from '../internal/validate.js';
import { native } from '../native/load.js';
import { validateInt } from './arguments.js';

/**
 * This process's pid, asked from the kernel: right in a forked child too. Doesn't block. Never throws.
 * Python: os.getpid. getpid(2)
 */
export function getpid(): number {
  return native.getpid();
}

/**
 * The parent's pid; 1, or a subreaper's, once the parent has ended. Doesn't block. Never throws.
 * Python: os.getppid. getppid(2)
 */
export function getppid(): number {
  return native.getppid();
}

/**
 * Makes this process the leader of a new session and process group, without a terminal; returns the session's id, its pid.
 * Doesn't block.
 *
 * Python: os.setsid. setsid(2)
 * @throws EPERM when it leads a process group already.
 */
export function setsid(): number {
  return native.setsid();
}

/**
 * Ends the process now with `code` (its low 8 bits). No 'exit' listener runs, nothing buffered is written; from a
 * Worker too it ends the whole process. Doesn't block.
 *
 * Python: os._exit. _exit(2)
 * @throws ERR_INVALID_ARG_TYPE; ERR_OUT_OF_RANGE.
 */
export function _exit(code: number): never {
  validateInt(code, 'code');
  return native.exit(code);
}

/**
 * Sets the permission bits that new files lack, for the whole process; returns the previous ones. `mask` is 0 to 0o777.
 * Doesn't block.
 *
 * Python: os.umask. umask(2)
 * @throws ERR_INVALID_ARG_TYPE; ERR_OUT_OF_RANGE.
 */
export function umask(mask: number): number {
  validateInteger(mask, 'mask', 0, 0o777);
  return native.umask(mask);
}

/**
 * Sends a signal, by number or name; 0 only asks whether the process exists. `pid` 0 is the own process group, -n the
 * group n, -1 everything that may be signalled. Doesn't block.
 *
 * Python: os.kill. kill(2)
 * @throws ESRCH: there is no such process; EPERM: not allowed to signal it; ERR_UNKNOWN_SIGNAL.
 */
export function kill(pid: number, signal: number | string): void {
  validateInt(pid, 'pid');
  native.kill(pid, signalNumber(signal, 'signal'));
}

/**
 * Blocks the calling thread, event loop included, for so many milliseconds (fractions count) of CLOCK_MONOTONIC,
 * whatever signals arrive meanwhile. Infinity never ends.
 *
 * Python: time.sleep. clock_nanosleep(2)
 * @throws ERR_INVALID_ARG_TYPE; ERR_OUT_OF_RANGE: below 0.
 */
export function nanosleep(milliseconds: number): void {
  if (typeof milliseconds !== 'number') throw invalidArgType('milliseconds', 'of type number', milliseconds);
  if (!(milliseconds >= 0)) throw outOfRange('milliseconds', '>= 0', milliseconds);
  native.nanosleep(milliseconds);
}
