/** The wait options of every waiting call, and the monotonic deadline they stand for. */

import { invalidArgType, outOfRange, validateOptions } from './validate.js';

/** How long a blocking call waits. Python: `timeout`, in seconds there. */
export interface SyncWaitOptions {
  /** Milliseconds; undefined waits for ever, <= 0 tries once. */
  timeout?: number | undefined;
}

/** How long a call waits, and what ends the wait before. Python: `timeout`; there is no signal. */
export interface WaitOptions extends SyncWaitOptions {
  /** Aborts the wait: it rejects with `signal.reason`, and what was waited for is neither lost nor taken. */
  signal?: AbortSignal | undefined;
}

/** Milliseconds on performance.now()'s clock (CLOCK_MONOTONIC); Infinity never comes. */
export type Deadline = number;

/** Checks the options of a wait and turns its timeout into a deadline, once. */
export function deadlineOf(options: WaitOptions | undefined): Deadline {
  validateOptions(options, 'options');
  const timeout = options?.timeout;
  if (timeout === undefined) return Number.POSITIVE_INFINITY;
  if (typeof timeout !== 'number') throw invalidArgType('options.timeout', 'of type number', timeout);
  if (Number.isNaN(timeout)) throw outOfRange('options.timeout', 'a number of milliseconds', timeout);
  return timeout <= 0 ? Number.NEGATIVE_INFINITY : performance.now() + timeout;
}

/** The signal of the options, checked. */
export function signalOf(options: WaitOptions | undefined): AbortSignal | undefined {
  const signal = options?.signal;
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw invalidArgType('options.signal', 'an instance of AbortSignal', signal);
  }
  return signal;
}

/** What is left until the deadline in the native layer's form: -1 waits for ever, else milliseconds >= 0. */
export function millisecondsLeft(deadline: Deadline): number {
  if (deadline === Number.POSITIVE_INFINITY) return -1;
  return Math.max(0, deadline - performance.now());
}
