/** Waiting for an element of shared memory to change, across processes. */

import { types } from 'node:util';
import {
  deadlineOf,
  millisecondsLeft,
  type SyncWaitOptions,
  signalOf,
  type WaitOptions,
} from '../internal/deadline.js';
import { invalidArgType, invalidArgValue, outOfRange, validateInteger } from '../internal/validate.js';
import { waitForWord } from '../internal/word_waits.js';
import { native } from '../native/load.js';

const LEAST = -(2 ** 31);
const MOST = 2 ** 31 - 1;

function validateWord(array: unknown, index: unknown): asserts array is Int32Array {
  if (!types.isInt32Array(array)) throw invalidArgType('array', 'an instance of Int32Array', array);
  if (!native.isMapped(array.buffer)) {
    throw invalidArgValue('array', 'must be over the memory of a SharedMemory, a SharedArray or mmap()', array);
  }
  validateInteger(index, 'index', 0, array.length - 1);
}

/**
 * Waits for as long as `array[index]` is `expected`: resolves true once it is not, false on time-out (milliseconds).
 * Who changes it calls notifyChange(), or nobody wakes up. A value that changes back before this process has looked is not
 * seen. Keeps the process alive; any number of waits take one thread for every 127.
 *
 * Atomics.waitAsync() does this for the threads of one process, and refuses mapped memory.
 *
 * Python: none. futex_waitv(2)
 * @throws the signal's reason; ERR_MP_CLOSED: the memory was closed meanwhile; ERR_INVALID_ARG_TYPE;
 * ERR_INVALID_ARG_VALUE: other memory; ERR_OUT_OF_RANGE; EAGAIN: no thread to wait with.
 *
 * @example
 * const state = new Int32Array(memory.buffer, 0, 1);
 * await waitForChange(state, 0, 0);
 */
export async function waitForChange(
  array: Int32Array,
  index: number,
  expected: number,
  options?: WaitOptions,
): Promise<boolean> {
  validateWord(array, index);
  validateInteger(expected, 'expected', LEAST, MOST);
  const deadline = deadlineOf(options);
  const signal = signalOf(options);
  signal?.throwIfAborted();
  if (Atomics.load(array, index) !== expected) return true;
  return waitForWord(array, index, expected, deadline, signal);
}

/** waitForChange(), blocking this process and its event loop. Python: none. futex(2) */
export function waitForChangeSync(
  array: Int32Array,
  index: number,
  expected: number,
  options?: SyncWaitOptions,
): boolean {
  validateWord(array, index);
  validateInteger(expected, 'expected', LEAST, MOST);
  const deadline = deadlineOf(options);
  for (;;) {
    if (Atomics.load(array, index) !== expected) return true;
    if (native.futexWait(array, index, expected, millisecondsLeft(deadline)) === 'timed-out') {
      return Atomics.load(array, index) !== expected;
    }
  }
}

/**
 * Wakes up to `count` (default: all) of those who wait for `array[index]`, in whatever process, to look at it again; how
 * many. Change the element first. Never waits.
 *
 * Python: none. futex(2)
 * @throws ERR_INVALID_ARG_TYPE; ERR_INVALID_ARG_VALUE; ERR_OUT_OF_RANGE.
 */
export function notifyChange(array: Int32Array, index: number, count: number = Number.POSITIVE_INFINITY): number {
  validateWord(array, index);
  if (typeof count !== 'number') throw invalidArgType('count', 'of type number', count);
  if (count !== Number.POSITIVE_INFINITY && !Number.isInteger(count)) throw outOfRange('count', 'an integer', count);
  if (count < 0) throw outOfRange('count', '>= 0', count);
  return count === 0 ? 0 : native.futexWake(array, index, Math.min(count, MOST));
}
