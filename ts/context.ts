/** Contexts: the library bound to one start method. */

import * as api from './api.js';
import { startManager } from './manager/sync_manager.js';
import { executorBoundTo } from './pool/executor.js';
import { poolBoundTo } from './pool/pool.js';
import { processBoundTo } from './process/bound.js';
import { validateStartMethod } from './process/start_method.js';

/**
 * Every class and function of the library, bound to one start method: objects made in one context work in every other.
 * Python: the result of `multiprocessing.get_context`.
 */
export type Context = Omit<typeof api, 'setStartMethod'>;

const contexts = new Map<api.StartMethod, Context>();

/**
 * The library as it is when `method` is the start method: what is started through it is started so, unless an option names
 * another. Without `method`: the one that getStartMethod() says, now and for good. The same object each time. Doesn't block,
 * but for getStartMethod().
 *
 * Python: `multiprocessing.get_context`
 * @throws ERR_MP_START_METHOD: unknown; ERR_INVALID_ARG_TYPE.
 *
 * @example
 * const { Process } = getContext('spawn');
 */
export function getContext(method: api.StartMethod = api.getStartMethod()): Context {
  validateStartMethod(method, 'method');
  const context = contexts.get(method) ?? make(method);
  contexts.set(method, context);
  return context;
}

function make(method: api.StartMethod): Context {
  const { setStartMethod: _, ...rest } = api;
  return Object.freeze({
    ...rest,
    Process: processBoundTo(method),
    Pool: poolBoundTo(method),
    ProcessPoolExecutor: executorBoundTo(method),
    Manager: (options?: api.ManagerOptions) => startManager(options, method),
    getStartMethod: () => method,
  });
}
