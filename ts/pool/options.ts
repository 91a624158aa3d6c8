/** Options of pools and tasks, checked before anything is started. */

import {
  invalidArgType,
  outOfRange,
  validateFunction,
  validateInteger,
  validateOptions,
} from '../internal/validate.js';
import type { StartMethod } from '../process/start_method.js';
import type { Target } from '../process/target.js';
import type { Limits } from './job.js';

/** What a pool is made with. Python: the arguments of `Pool()`. */
export interface PoolOptions {
  /** Tasks that run at once. Default cpuCount(). */
  processes?: number;
  /** Called once in each worker before its first task. Its failure breaks the pool: ERR_MP_BROKEN_POOL. */
  initializer?: Target;
  /** What the initializer is called with. */
  initArgs?: readonly unknown[];
  /** A worker leaves after so many tasks, or up to a tenth fewer, and another one takes its place. A chunk counts as one. */
  maxTasksPerChild?: number;
  /**
   * A worker leaves after a task when it has more than so many bytes (its proportional set size); looked at 5 times a
   * second.
   */
  maxMemoryPerChild?: number;
  /** How workers come to be. Default: getStartMethod(). */
  startMethod?: StartMethod;
}

/** Of one call of a pool. Python: none. */
export interface TaskOptions {
  /** Its abort rejects the call at once with its reason; tasks that run see it by taskSignal(). */
  signal?: AbortSignal;
  /** Milliseconds from the begin of a call in a worker to its end: then ERR_MP_TIMEOUT, of each item of a map by itself. */
  timeout?: number;
  /** Milliseconds that an aborted task has before its worker is killed, and replaced. Default 1,000. */
  graceTime?: number;
  /** Tasks of a higher priority are begun before those of a lower one. Default 0. */
  priority?: number;
}

/** Of Pool.apply(). Python: none. */
export interface ApplyOptions extends TaskOptions {
  /**
   * Tasks of the same key and generation of functions run in the same worker, as long as that lives, one after the other:
   * what they keep in its memory they find again. Compared as keys of a Map.
   */
  key?: unknown;
}

/** Of Pool.map() and its kin. Python: `chunksize`. */
export interface MapOptions extends TaskOptions {
  /** Items that a worker is sent at once. */
  chunkSize?: number;
  /** Called after results have come: how many items are done, of how many; undefined while the end is not known. */
  onProgress?: (done: number, total: number | undefined) => void;
}

/** TaskOptions, checked. */
export interface CallOptions {
  readonly signal: AbortSignal | undefined;
  readonly limits: Limits;
  readonly priority: number;
  readonly key: unknown;
}

export interface CheckedMapOptions extends CallOptions {
  readonly chunkSize: number | undefined;
  readonly onProgress: ((done: number, total: number | undefined) => void) | undefined;
}

const GRACE_TIME = 1000;

const USUAL: CallOptions = {
  signal: undefined,
  limits: { timeout: Number.POSITIVE_INFINITY, graceTime: GRACE_TIME },
  priority: 0,
  key: undefined,
};

export function callOptions(options: ApplyOptions | undefined): CallOptions {
  if (options === undefined) return USUAL;
  validateOptions(options, 'options');
  const { signal, timeout = Number.POSITIVE_INFINITY, graceTime = GRACE_TIME, priority = 0, key } = options;
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw invalidArgType('options.signal', 'an instance of AbortSignal', signal);
  }
  validateNumber(timeout, 'options.timeout');
  validateNumber(graceTime, 'options.graceTime');
  validateNumber(priority, 'options.priority', Number.NEGATIVE_INFINITY);
  return { signal, limits: { timeout, graceTime }, priority, key };
}

export function mapOptions(options: MapOptions | undefined): CheckedMapOptions {
  const { chunkSize, onProgress } = options ?? {};
  const checked = { ...callOptions(options), key: undefined };
  if (chunkSize !== undefined) validateInteger(chunkSize, 'options.chunkSize', 1);
  if (onProgress !== undefined) validateFunction(onProgress, 'options.onProgress');
  return { ...checked, chunkSize, onProgress };
}

function validateNumber(value: unknown, name: string, min: number = 0): void {
  if (typeof value !== 'number') throw invalidArgType(name, 'of type number', value);
  if (Number.isNaN(value) || value < min) throw outOfRange(name, `a number >= ${min}`, value);
}
