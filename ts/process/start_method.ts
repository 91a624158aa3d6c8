/** The start methods, and which one is meant when none is named. */

import { StartMethodError } from '../errors.js';
import { forkSupport } from '../fork/support.js';
import { validateBoolean, validateOptions, validateString } from '../internal/validate.js';

/**
 * 'fork' copies this process, 'spawn' starts a fresh Node, 'forkserver' copies a fresh Node that is warm already.
 * Python: the same names.
 */
export type StartMethod = 'fork' | 'forkserver' | 'spawn';

const METHODS: readonly StartMethod[] = ['fork', 'forkserver', 'spawn'];

/**
 * The start methods of this platform, the default first. Doesn't block. Never throws.
 * Python: `multiprocessing.get_all_start_methods`
 */
export function getAllStartMethods(): StartMethod[] {
  return [...METHODS];
}

/** Set once per program; forked children inherit it, fresh ones are told. */
const chosen: { method: StartMethod | undefined } = { method: undefined };

/**
 * What a Process without the option `startMethod` is started with: what setStartMethod() said, else 'fork' where
 * forkSupport() says yes, else 'forkserver'. A child starts with its parent's. Blocks as forkSupport() does.
 *
 * Python: `multiprocessing.get_start_method`
 * @throws as forkSupport() does.
 */
export function getStartMethod(): StartMethod {
  return chosen.method ?? (forkSupport().supported ? 'fork' : 'forkserver');
}

/**
 * Sets the default, once: again only with `force`. Doesn't block.
 *
 * Python: `multiprocessing.set_start_method`
 * @throws ERR_MP_START_METHOD: unknown, or set before; ERR_INVALID_ARG_TYPE.
 */
export function setStartMethod(method: StartMethod, options: { force?: boolean } = {}): void {
  validateStartMethod(method, 'method');
  validateOptions(options, 'options');
  const { force = false } = options;
  validateBoolean(force, 'options.force');
  if (method === undefined) throw new StartMethodError(`expected one of ${METHODS.join(', ')}`);
  if (chosen.method !== undefined && !force) {
    throw new StartMethodError(`the start method was set before, to '${chosen.method}': pass { force: true }`);
  }
  chosen.method = method;
}

/** What a fresh child is to be told: undefined lets it find out by itself. */
export function chosenStartMethod(): StartMethod | undefined {
  return chosen.method;
}

/** In a fresh child: as the parent's. */
export function inheritStartMethod(method: StartMethod | undefined): void {
  chosen.method = method;
}

export function validateStartMethod(method: unknown, name: string): asserts method is StartMethod | undefined {
  if (method === undefined) return;
  validateString(method, name);
  if (METHODS.includes(method as StartMethod)) return;
  throw new StartMethodError(`unknown start method '${method}': there is ${METHODS.join(', ')}`);
}
