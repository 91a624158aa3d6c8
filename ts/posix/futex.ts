/** Futexes: waiting for a 32-bit word of memory to change, across processes when the memory is shared. */

import { types } from 'node:util';
import { deadlineOf, millisecondsLeft, type SyncWaitOptions } from '../internal/deadline.js';
import { invalidArgType, outOfRange, validateInteger } from '../internal/validate.js';
import { native } from '../native/load.js';
import type { FutexOutcome } from '../native/locking.js';
import { validateInt } from './arguments.js';

export type { FutexOutcome } from '../native/locking.js';

const EVERYONE = 2 ** 31 - 1;

function validateWord(array: unknown, index: unknown): void {
  if (!types.isInt32Array(array)) throw invalidArgType('array', 'an instance of Int32Array', array);
  validateInteger(index, 'index', 0, array.length - 1);
}

/**
 * Blocks the calling thread, event loop included, while `array[index]` is `expected`, until a futexWake() on the same
 * word from any thread or process that shares its memory: 'ok' (which may be spurious: look at the word again),
 * 'not-equal' at once when the word has another value, 'timed-out'. Restarted after signals. Unlike Atomics.wait it
 * reaches over processes (memory of mmap or SharedMemory), works on the main thread and takes any Int32Array.
 *
 * Python: none. FUTEX_WAIT_BITSET(2const)
 * @throws ERR_INVALID_ARG_TYPE; ERR_OUT_OF_RANGE: there is no such element, or `expected` is no 32-bit integer.
 */
export function futexWait(array: Int32Array, index: number, expected: number, options?: SyncWaitOptions): FutexOutcome {
  validateWord(array, index);
  validateInt(expected, 'expected');
  return native.futexWait(array, index, expected, millisecondsLeft(deadlineOf(options)));
}

/**
 * Wakes up to `count` waiters of the word `array[index]` (default: all), in whatever process; returns how many were
 * woken. Change the word first. Doesn't block.
 *
 * Python: none. FUTEX_WAKE(2const)
 * @throws ERR_INVALID_ARG_TYPE; ERR_OUT_OF_RANGE: there is no such element.
 */
export function futexWake(array: Int32Array, index: number, count: number = Number.POSITIVE_INFINITY): number {
  validateWord(array, index);
  if (typeof count !== 'number') throw invalidArgType('count', 'of type number', count);
  if (count !== Number.POSITIVE_INFINITY && !Number.isInteger(count)) throw outOfRange('count', 'an integer', count);
  if (count < 0) throw outOfRange('count', '>= 0', count);
  // The kernel takes 0 for 1.
  return count === 0 ? 0 : native.futexWake(array, index, Math.min(count, EVERYONE));
}
