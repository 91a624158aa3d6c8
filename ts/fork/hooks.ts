/** onFork(): code of library authors around every fork of this process. Python: os.register_at_fork. */

import { validateFunction, validateOptions } from '../internal/validate.js';

/** What runs around a fork. Python: the arguments of `os.register_at_fork`. */
export interface ForkHooks {
  /** In the parent, before; a throw vetoes the fork. The last registered runs first. */
  before?: () => void;
  /** In the parent, after; the first registered runs first. */
  parent?: () => void;
  /** In the child, before its target; the first registered runs first. */
  child?: () => void;
}

const registered = new Set<ForkHooks>();

/**
 * Runs a library author's code around every fork of this process: pools of random numbers, database clients, counters
 * that a child must not share with its parent. Doesn't block. Dispose what it returns to unregister.
 *
 * Python: `os.register_at_fork`. pthread_atfork(3)
 * @throws ERR_INVALID_ARG_TYPE: hooks that are not functions.
 */
export function onFork(hooks: ForkHooks): { [Symbol.dispose](): void } {
  validateOptions(hooks, 'hooks');
  for (const name of ['before', 'parent', 'child'] as const) {
    if (hooks[name] !== undefined) validateFunction(hooks[name], `hooks.${name}`);
  }
  const own = { ...hooks };
  registered.add(own);
  return { [Symbol.dispose]: () => void registered.delete(own) };
}

/**
 * Runs the ticks and microtasks that the hooks have queued, for those would run in the child too. For clean points only:
 * elsewhere there are other people's in the queue.
 */
export function settleBeforeHooks(): void {
  if (registered.size > 0) (process as unknown as { _tickCallback: () => void })._tickCallback();
}

/** Runs the `before` hooks. When one vetoes, the `parent` hooks of those that ran undo their work, and it throws. */
export function runBeforeHooks(): void {
  const ran: ForkHooks[] = [];
  for (const hooks of [...registered].reverse()) {
    try {
      hooks.before?.();
    } catch (veto) {
      for (const undo of ran.reverse()) undo.parent?.();
      throw veto;
    }
    ran.push(hooks);
  }
}

export function runParentHooks(): void {
  for (const hooks of [...registered]) hooks.parent?.();
}

export function runChildHooks(all: Iterable<ForkHooks> = registered): void {
  for (const hooks of [...all]) hooks.child?.();
}
