/** The start methods that exist here. */

import { StartMethodError } from '../errors.js';
import { validateString } from '../internal/validate.js';

export type StartMethod = 'fork';

const METHODS: readonly StartMethod[] = ['fork'];

/** The start methods of this platform, the default first. Python: `get_all_start_methods`. */
export function getAllStartMethods(): StartMethod[] {
  return [...METHODS];
}

/** @internal */
export function validateStartMethod(method: unknown): asserts method is StartMethod | undefined {
  if (method === undefined) return;
  validateString(method, 'options.startMethod');
  if (METHODS.includes(method as StartMethod)) return;
  throw new StartMethodError(`unknown start method '${method}': there is ${METHODS.join(', ')}`);
}
