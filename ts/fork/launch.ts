/** When and how a fork happens: at a clean point of the event loop, once V8's background threads are at rest. */

import type { ForkKind } from '../internal/per_process.js';
import { watchedDescriptors } from '../internal/readiness.js';
import type { ForkBinding } from '../native/fork.js';
import { native } from '../native/load.js';
import { becomeChild } from './child.js';
import { runBeforeHooks, runParentHooks, settleBeforeHooks } from './hooks.js';
import { BUSY, GIVE_UP, PATIENCE, whileBusy } from './patience.js';
import { prepareRandomness } from './randomness.js';
import { refusal, refusalOf, requireFork } from './support.js';

export interface Forked {
  pid: number;
  /** Polls readable when the child has ended; the caller owns it. */
  pidfd: number;
}

export interface ChildPlan {
  /** Sent to the child when its parent dies, however; 0 for none. */
  parentDeathSignal: number;
  /** What the child does once it is itself. Its frames are the bottom of the child's stack. */
  main: () => void;
}

interface Request {
  readonly plan: ChildPlan;
  readonly expires: number;
  readonly resolve: (forked: Forked) => void;
  readonly reject: (error: unknown) => void;
}

const requests: Request[] = [];

/** One attempt: undefined when V8's threads are busy. In the child it returns pid 0, the child being itself already. */
function attempt(
  binding: ForkBinding,
  kind: ForkKind,
  parentDeathSignal: number,
  settle: () => void = () => {},
): Forked | undefined {
  let forked: Forked | undefined;
  runBeforeHooks();
  try {
    settle();
    native.settleMemory();
    forked = binding.fork(PATIENCE, kind === 'fresh', new Int32Array(watchedDescriptors()), parentDeathSignal);
  } finally {
    if (forked?.pid !== 0) runParentHooks();
  }
  if (forked?.pid === 0) {
    requests.length = 0;
    becomeChild(binding, kind);
  }
  return forked;
}

/** Forks at the next clean point of the loop; resolves in the parent only. The child begins with `plan.main()`. */
export function forkAtCleanPoint(plan: ChildPlan): Promise<Forked> {
  return new Promise((resolve, reject) => {
    const binding = requireFork();
    prepareRandomness();
    requests.push({ plan, expires: performance.now() + GIVE_UP, resolve, reject });
    if (requests.length === 1) binding.atCleanPoint(() => serve(binding));
  });
}

/**
 * One request per clean point: settling a promise queues the caller's continuation, and a child forked before that has
 * run would run it too.
 */
function serve(binding: ForkBinding): void {
  const request = requests.shift();
  if (request === undefined) return;
  try {
    requireFork(); // a Worker may have been started since
    const forked = attempt(binding, 'fresh', request.plan.parentDeathSignal, settleBeforeHooks);
    if (forked?.pid === 0) {
      request.plan.main();
      return;
    }
    if (forked !== undefined) request.resolve(forked);
    else if (performance.now() > request.expires) throw refusal(BUSY);
    // A thread of V8's may wait for the main thread to collect: let the loop turn.
    else requests.unshift(request);
  } catch (error) {
    request.reject(refusalOf(error));
  }
  if (requests.length > 0) binding.atCleanPoint(() => serve(binding));
}

/** Attempts until V8's threads are at rest, under whatever JavaScript is on the stack. */
function forkNow(kind: ForkKind, parentDeathSignal: number): Forked {
  const binding = requireFork();
  prepareRandomness();
  const forked = whileBusy(() => attempt(binding, kind, parentDeathSignal));
  if (forked === undefined) throw refusal(BUSY);
  return forked;
}

/** Forks here and now; the child runs `plan.main()`, which must not return, on top of the caller's frames. Blocks. */
export function forkFreshSync(plan: ChildPlan): Forked {
  const forked = freshOrRefused(plan);
  if (forked.pid === 0) plan.main();
  return forked;
}

function freshOrRefused(plan: ChildPlan): Forked {
  try {
    return forkNow('fresh', plan.parentDeathSignal);
  } catch (error) {
    throw refusalOf(error);
  }
}

/** Forks here and now; both go on. Blocks. */
export function forkRaw(): Forked {
  return forkNow('raw', 0);
}
