/** What AsyncLocalStorages hold goes along with tasks. */

import type { AsyncLocalStorage } from 'node:async_hooks';
import { invalidArgType, invalidArgValue, validateString } from '../internal/validate.js';

const storages = new Map<string, AsyncLocalStorage<unknown>>();

/**
 * What the storage holds when a task is submitted is what it holds in the task, in the worker: request ids, trace contexts.
 * The value travels as arguments do. Under 'fork' it is to be called before the task's function is first submitted; under
 * the other start methods by a module that both processes import, with the same name. Returns the storage. Doesn't block.
 *
 * Python: none.
 * @throws ERR_INVALID_ARG_TYPE; ERR_INVALID_ARG_VALUE: another storage has that name.
 *
 * @example
 * const request = carryContext('request', new AsyncLocalStorage<string>());
 * await request.run('42', () => pool.apply(() => request.getStore())); // '42'
 */
export function carryContext<S extends AsyncLocalStorage<unknown>>(name: string, storage: S): S {
  validateString(name, 'name');
  if (typeof storage?.run !== 'function' || typeof storage.getStore !== 'function') {
    throw invalidArgType('storage', 'an instance of AsyncLocalStorage', storage);
  }
  const known = storages.get(name);
  if (known !== undefined && known !== storage) throw invalidArgValue('name', 'is that of another storage', name);
  storages.set(name, storage);
  return storage;
}

/** What they hold now; undefined for nothing. */
export function contextNow(): Record<string, unknown> | undefined {
  let context: Record<string, unknown> | undefined;
  for (const [name, storage] of storages) {
    const value = storage.getStore();
    if (value === undefined) continue;
    context ??= {};
    context[name] = value;
  }
  return context;
}

/** Runs the body while they hold that. */
export function runInContext<R>(context: Readonly<Record<string, unknown>> | undefined, body: () => R): R {
  let run = body;
  for (const [name, value] of Object.entries(context ?? {})) {
    const storage = storages.get(name);
    const inner = run;
    if (storage !== undefined) run = () => storage.run(value, inner);
  }
  return run();
}
