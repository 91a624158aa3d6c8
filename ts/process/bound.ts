/** Process, with another default start method. */

import { validateOptions } from '../internal/validate.js';
import { knowToFreshProcesses } from './fresh_start.js';
import { Process, type ProcessOptions } from './process.js';
import type { StartMethod } from './start_method.js';

/** A subclass for a context: the same class to a fresh process. */
export function processBoundTo(method: StartMethod): typeof Process {
  // biome-ignore lint/suspicious/noExplicitAny: as the class itself
  const Bound = class<A extends readonly unknown[] = readonly any[]> extends Process<A> {
    constructor(options: ProcessOptions<A> = {}) {
      validateOptions(options, 'options');
      super({ ...options, startMethod: options.startMethod ?? method });
    }
  };
  Object.defineProperty(Bound, 'name', { value: 'Process' });
  knowToFreshProcesses(Bound);
  return Bound;
}
