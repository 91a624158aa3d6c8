/** Waiting for children. */

import { signalName } from '../internal/signals.js';
import { outOfRange, validateInteger } from '../internal/validate.js';
import { native } from '../native/load.js';
import type { ChildChange } from '../native/wait.js';
import { validateDescriptor, validateInt } from './arguments.js';
import { WCONTINUED, WEXITED, WNOHANG, WNOWAIT, WUNTRACED } from './numbers.js';

/**
 * How a child ended; with WUNTRACED and WCONTINUED also that it stopped or went on.
 * Python: the result of os.waitpid.
 */
export interface WaitResult {
  /** Of the child. */
  pid: number;
  /** What it passed to exit(3), 0 to 255; undefined unless the child ended by itself. */
  exitCode: number | undefined;
  /** The name of the signal that killed (or stopped, or continued) the child: 'SIGKILL'. */
  signal: string | undefined;
  /** Present when the child has only stopped. */
  stopped?: true;
  /** Present when SIGCONT has resumed the child. */
  continued?: true;
}

function toResult(change: ChildChange | undefined): WaitResult | undefined {
  if (change === undefined) return undefined;
  const { pid, state, value } = change;
  if (state === 'exited') return { pid, exitCode: value, signal: undefined };
  const result: WaitResult = { pid, exitCode: undefined, signal: signalName(value) };
  if (state === 'stopped') result.stopped = true;
  if (state === 'continued') result.continued = true;
  return result;
}

function validateOptionBits(options: unknown, allowed: number, names: string): asserts options is number {
  validateInteger(options, 'options');
  if (options < 0 || (options & ~allowed) !== 0 || options > allowed) {
    throw outOfRange('options', `a combination of ${names}`, options);
  }
}

/**
 * Waits for the child `pid` to end and reaps it; undefined when WNOHANG found nothing. Blocks the event loop without
 * WNOHANG; restarted after signals. `pid` may also be -1 (any child), 0 (any of the own process group) or -n (any of
 * the group n): these take children away from node:child_process, whose 'exit' events then never come.
 * `options`: the sum of WNOHANG, WUNTRACED, WCONTINUED, default 0.
 *
 * Python: os.waitpid. waitpid(2)
 * @throws ECHILD: not a child of this process, or reaped already.
 */
export function waitpid(pid: number, options: number = 0): WaitResult | undefined {
  validateInt(pid, 'pid');
  validateOptionBits(options, WNOHANG | WUNTRACED | WCONTINUED, 'WNOHANG, WUNTRACED, WCONTINUED');
  return toResult(native.waitpid(pid, options));
}

/**
 * Waits for the child behind a descriptor of pidfdOpen(), as waitpid() does for a pid; blocks the event loop without
 * WNOHANG. WNOWAIT leaves the child waitable. `options`, the sum of these values, wait for the child's end when they say
 * nothing about what to wait for (WEXITED, WUNTRACED, WCONTINUED).
 *
 * Python: os.waitid(os.P_PIDFD, fd, options). waitid(2)
 * @throws ECHILD: not a child of this process, or reaped already; EBADF: not a pidfd.
 */
export function waitidPidfd(fd: number, options: number = WEXITED): WaitResult | undefined {
  validateDescriptor(fd);
  const events = WEXITED | WUNTRACED | WCONTINUED;
  validateOptionBits(options, events | WNOHANG | WNOWAIT, 'WEXITED, WUNTRACED, WCONTINUED, WNOHANG, WNOWAIT');
  return toResult(native.waitidPidfd(fd, (options & events) === 0 ? options | WEXITED : options));
}
