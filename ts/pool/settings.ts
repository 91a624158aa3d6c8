/** What a pool is made with, checked. */

import { forkSupport } from '../fork/support.js';
import { invalidArgType, outOfRange, validateInteger, validateOptions } from '../internal/validate.js';
import { cpuCount } from '../process/cpu_count.js';
import { chosenStartMethod, type StartMethod, validateStartMethod } from '../process/start_method.js';
import type { CoreOptions } from './core.js';
import { taskFunctionOf } from './functions.js';
import type { PoolOptions } from './options.js';

/** A start method; `orSpawn`: it is a way out, and so is another where it does not work either. */
function methodFor(wanted: StartMethod | undefined): Pick<CoreOptions, 'method' | 'orSpawn'> {
  const method = wanted ?? chosenStartMethod() ?? 'fork';
  if (method !== 'fork') return { method, orSpawn: false };
  const support = forkSupport();
  if (support.supported) return { method, orSpawn: false };
  warn(support.reason, support.advice);
  return { method: 'forkserver', orSpawn: true };
}

/** Once per process and reason. */
const warned = new Set<string>();

function warn(reason: string, advice: string): void {
  if (warned.has(reason)) return;
  warned.add(reason);
  process.emitWarning(`A pool can't fork here: ${reason}. It uses the fork server: closures can't be its tasks.`, {
    type: 'MultiprocessingWarning',
    code: 'MP_POOL_FORKSERVER',
    detail: advice,
  });
}

/** @throws ERR_INVALID_ARG_TYPE; ERR_OUT_OF_RANGE; ERR_MP_START_METHOD; ERR_MP_TARGET */
export function coreOptions(options: PoolOptions, isStrict: boolean = false): CoreOptions {
  validateOptions(options, 'options');
  const { processes = cpuCount(), initializer, initArgs = [], maxTasksPerChild, maxMemoryPerChild } = options;
  validateInteger(processes, 'options.processes', 1);
  if (maxTasksPerChild !== undefined) validateInteger(maxTasksPerChild, 'options.maxTasksPerChild', 1);
  if (maxMemoryPerChild !== undefined) validateMemory(maxMemoryPerChild);
  if (!Array.isArray(initArgs)) throw invalidArgType('options.initArgs', 'an array', initArgs);
  validateStartMethod(options.startMethod, 'options.startMethod');
  const { method, orSpawn } = methodFor(options.startMethod);
  return {
    processes,
    method,
    orSpawn,
    initializer: initializer === undefined ? undefined : taskFunctionOf(initializer, method, 'options.initializer'),
    initArgs,
    maxTasksPerChild: maxTasksPerChild ?? Number.POSITIVE_INFINITY,
    maxMemoryPerChild: maxMemoryPerChild ?? Number.POSITIVE_INFINITY,
    strict: isStrict,
  };
}

function validateMemory(bytes: unknown): void {
  if (typeof bytes !== 'number') throw invalidArgType('options.maxMemoryPerChild', 'of type number', bytes);
  if (!(bytes > 0)) throw outOfRange('options.maxMemoryPerChild', 'a number of bytes > 0', bytes);
}
