/** Named POSIX semaphores, the ones that a C program's sem_open() reaches. sem_overview(7) */

import { deadlineOf, millisecondsLeft } from '../internal/deadline.js';
import { invalidArgType, outOfRange, validateInteger, validateOptions } from '../internal/validate.js';
import { native } from '../native/load.js';
import type { SemaphoreObject } from '../native/memory.js';
import { type OpenOptions, openFlags, validateMode, validateObjectName } from './memory.js';

const SEM_VALUE_MAX = 2 ** 31 - 1;
const OWNER_ONLY = 0o600;

declare const brand: unique symbol;
/**
 * One opening of a named semaphore, closed by semClose() or when it is collected.
 * Python: none in the standard library; posix_ipc.Semaphore.
 */
export interface SemaphoreHandle {
  readonly [brand]: never;
}

/** Flags and arguments of sem_open(3) in words. Python: none; the arguments of posix_ipc.Semaphore. */
export interface SemOpenOptions extends OpenOptions {
  /** Permissions of a new one, less the umask. Default 0o600. */
  mode?: number | undefined;
  /** Units that a new one has. Default 0. */
  value?: number | undefined;
}

/** A method of the native class refuses any other receiver, so a forged prototype gets no further than this. */
function opened(handle: unknown): SemaphoreObject {
  if (handle instanceof native.Semaphore) return handle;
  throw invalidArgType('handle', 'a semaphore of semOpen()', handle);
}

/**
 * Opens, or with `create` makes, the semaphore of that name ('/name'). An existing one keeps its mode and value. A
 * forked child has it open too. Doesn't block.
 *
 * Python: none; posix_ipc.Semaphore. sem_open(3)
 * @throws ENOENT; EEXIST; EACCES; EINVAL: a second '/' in the name, or more than 251 bytes.
 */
export function semOpen(name: string, options: SemOpenOptions = {}): SemaphoreHandle {
  validateObjectName(name);
  validateOptions(options, 'options');
  const { mode = OWNER_ONLY, value = 0 } = options;
  validateMode(mode, 'options.mode');
  validateInteger(value, 'options.value', 0, SEM_VALUE_MAX);
  return new native.Semaphore(name, openFlags(options), mode, value) as unknown as SemaphoreHandle;
}

/**
 * Takes one unit; blocks the calling thread, event loop included, until there is one. Restarted after signals.
 *
 * Python: none; posix_ipc.Semaphore.acquire. sem_wait(3)
 * @throws EINVAL when the handle is closed.
 */
export function semWait(handle: SemaphoreHandle): void {
  opened(handle).wait(-1);
}

/**
 * Takes one unit if there is one: else false. Doesn't block.
 *
 * Python: none; posix_ipc.Semaphore.acquire(0). sem_trywait(3)
 * @throws EINVAL when the handle is closed.
 */
export function semTryWait(handle: SemaphoreHandle): boolean {
  return opened(handle).tryWait();
}

/**
 * Takes one unit; blocks the calling thread, event loop included, for at most so many milliseconds of CLOCK_MONOTONIC:
 * false when the time is up. 0 or less tries once.
 *
 * Python: none; posix_ipc.Semaphore.acquire(timeout). sem_clockwait(3)
 * @throws EINVAL when the handle is closed.
 */
export function semTimedWait(handle: SemaphoreHandle, milliseconds: number): boolean {
  const semaphore = opened(handle);
  validateMilliseconds(milliseconds);
  return semaphore.wait(millisecondsLeft(deadlineOf({ timeout: milliseconds })));
}

function validateMilliseconds(value: unknown): asserts value is number {
  if (typeof value !== 'number') throw invalidArgType('milliseconds', 'of type number', value);
  if (Number.isNaN(value)) throw outOfRange('milliseconds', 'a number', value);
}

/**
 * Gives one unit and wakes one waiter, of whatever process. Doesn't block.
 *
 * Python: none; posix_ipc.Semaphore.release. sem_post(3)
 * @throws EOVERFLOW above 2**31 - 1; EINVAL when the handle is closed.
 */
export function semPost(handle: SemaphoreHandle): void {
  opened(handle).post();
}

/**
 * The units that can be taken now, waiters or not. Doesn't block.
 *
 * Python: none; posix_ipc.Semaphore.value. sem_getvalue(3)
 * @throws EINVAL when the handle is closed.
 */
export function semGetValue(handle: SemaphoreHandle): number {
  return opened(handle).getValue();
}

/**
 * Closes this opening; the semaphore and its name live on. Doesn't block.
 *
 * Python: none; posix_ipc.Semaphore.close. sem_close(3)
 * @throws EINVAL when it is closed already.
 */
export function semClose(handle: SemaphoreHandle): void {
  opened(handle).close();
}

/**
 * Removes the name of a semaphore; it lives on until nobody has it open. Doesn't block.
 *
 * Python: none; posix_ipc.unlink_semaphore. sem_unlink(3)
 * @throws ENOENT; EACCES.
 */
export function semUnlink(name: string): void {
  validateObjectName(name);
  native.semUnlink(name);
}
