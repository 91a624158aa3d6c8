/** Limits of what the process may consume. */

import { invalidArgType, invalidArgValue, outOfRange, validateInteger } from '../internal/validate.js';
import { native } from '../native/load.js';
import * as numbers from './numbers.js';

/** A resource by the name of its RLIMIT_ constant, in lower case. Python: none, the constants. */
export type ResourceName =
  | 'as'
  | 'core'
  | 'cpu'
  | 'data'
  | 'fsize'
  | 'locks'
  | 'memlock'
  | 'msgqueue'
  | 'nice'
  | 'nofile'
  | 'nproc'
  | 'rss'
  | 'rtprio'
  | 'rttime'
  | 'sigpending'
  | 'stack';

const RESOURCES: Readonly<Record<ResourceName, number>> = {
  as: numbers.RLIMIT_AS,
  core: numbers.RLIMIT_CORE,
  cpu: numbers.RLIMIT_CPU,
  data: numbers.RLIMIT_DATA,
  fsize: numbers.RLIMIT_FSIZE,
  locks: numbers.RLIMIT_LOCKS,
  memlock: numbers.RLIMIT_MEMLOCK,
  msgqueue: numbers.RLIMIT_MSGQUEUE,
  nice: numbers.RLIMIT_NICE,
  nofile: numbers.RLIMIT_NOFILE,
  nproc: numbers.RLIMIT_NPROC,
  rss: numbers.RLIMIT_RSS,
  rtprio: numbers.RLIMIT_RTPRIO,
  rttime: numbers.RLIMIT_RTTIME,
  sigpending: numbers.RLIMIT_SIGPENDING,
  stack: numbers.RLIMIT_STACK,
};

/**
 * In the resource's own unit (bytes, seconds, a count); Infinity is RLIM_INFINITY.
 * Python: the tuple of resource.getrlimit.
 */
export interface ResourceLimits {
  /** What the kernel enforces, in the resource's own unit: bytes, seconds, a count. */
  soft: number;
  /** How far the process may raise the soft limit, in the same unit. */
  hard: number;
}

/**
 * The limits of a resource, by name ('nofile') or number (RLIMIT_NOFILE). Values above 2 ** 53 are the nearest number.
 * Doesn't block.
 *
 * Python: resource.getrlimit. getrlimit(2)
 * @throws ERR_INVALID_ARG_TYPE; ERR_INVALID_ARG_VALUE, ERR_OUT_OF_RANGE: no such resource.
 */
export function getrlimit(resource: ResourceName | number): ResourceLimits {
  return native.getrlimit(resourceNumber(resource));
}

/**
 * Sets both limits of a resource for this process and its later children. Doesn't block.
 *
 * Python: resource.setrlimit. setrlimit(2)
 * @throws EPERM: a hard limit above the present one needs CAP_SYS_RESOURCE; EINVAL: soft above hard.
 */
export function setrlimit(resource: ResourceName | number, limits: ResourceLimits): void {
  const number = resourceNumber(resource);
  if (typeof limits !== 'object' || limits === null) throw invalidArgType('limits', 'of type object', limits);
  const { soft, hard } = limits;
  validateLimit(soft, 'limits.soft');
  validateLimit(hard, 'limits.hard');
  native.setrlimit(number, soft, hard);
}

function resourceNumber(resource: unknown): number {
  if (typeof resource === 'number') {
    validateInteger(resource, 'resource', 0, numbers.RLIMIT_RTTIME);
    return resource;
  }
  if (typeof resource !== 'string') throw invalidArgType('resource', 'of type string or number', resource);
  if (!Object.hasOwn(RESOURCES, resource)) {
    throw invalidArgValue('resource', `must be one of ${Object.keys(RESOURCES).join(', ')}`, resource);
  }
  return RESOURCES[resource as ResourceName];
}

function validateLimit(value: unknown, name: string): asserts value is number {
  if (typeof value !== 'number') throw invalidArgType(name, 'of type number', value);
  if (value === Number.POSITIVE_INFINITY) return;
  if (!Number.isInteger(value) || value < 0 || value >= 2 ** 64) {
    throw outOfRange(name, 'an integer >= 0 && < 2 ** 64, or Infinity', value);
  }
}
