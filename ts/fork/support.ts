/** Whether fork can work in this process. Known before anything is forked, and the reason of every refusal. */

import inspector from 'node:inspector';
import { performance } from 'node:perf_hooks';
import { isMainThread, MessageChannel, type Worker } from 'node:worker_threads';
import { StartMethodError } from '../errors.js';
import type { ForkBinding } from '../native/fork.js';
import { loadForkBinding } from '../native/load.js';
import { rehearse } from './child.js';
import { readTimerInternals } from './internals.js';

export type ForkSupport = { supported: true } | { supported: false; reason: string; advice: string };

const FRESH_START = 'start the processes first, or use a process that never had what is in the way';

/** Workers that are alive: fork(2) would copy the memory of their threads in the middle of their work. */
const workers = new Set<Worker>();
process.on('worker', (worker) => {
  workers.add(worker);
  worker.once('exit', () => workers.delete(worker));
});

type Outcome = { binding: ForkBinding } | { reason: string; advice: string };

const ADVICE = `posix-multiprocessing forks on Node 20, 22, 24 and 26 with glibc on Linux; this is ${process.version}`;

/** Loaded at import, not at the first fork: what the heap gets from here on is placed so that a fork costs half as much. */
const loaded: Outcome | undefined = isMainThread ? load() : undefined;

function load(): Outcome {
  try {
    return { binding: loadForkBinding() };
  } catch (error) {
    return { reason: (error as Error).message, advice: ADVICE };
  }
}

/** Milliseconds that one attempt may block while V8's threads finish what they do. */
export const PATIENCE = 5;
/** Milliseconds after which a fork that never found them at rest is given up. */
export const GIVE_UP = 10_000;

export const BUSY: { reason: string; advice: string } = {
  reason: `V8's background threads did not come to rest within ${GIVE_UP} ms`,
  advice: 'start the process when less is being compiled and collected',
};

/**
 * Attempts something again and again while V8's threads are busy. Each turn of the loop lets V8 serve the interrupts that
 * a thread may wait for: a background allocation waits until the main thread collects.
 */
export function whileBusy<T>(attempt: () => T | undefined): T | undefined {
  const expires = performance.now() + GIVE_UP;
  for (;;) {
    const outcome = attempt();
    if (outcome !== undefined || performance.now() > expires) return outcome;
  }
}

let tried: Outcome | undefined;

/** Tries the addon with one child, once: some 20 ms. Children inherit the outcome. */
function tryOut(binding: ForkBinding): Outcome {
  try {
    readTimerInternals();
    const unfit = binding.prepare();
    if (unfit !== undefined) return { reason: unfit, advice: ADVICE };
    const { port1 } = new MessageChannel();
    binding.recognizeMessagePorts();
    port1.close();
    const verdict = whileBusy(() => {
      const outcome = binding.trial(PATIENCE);
      return outcome === 'busy' ? undefined : outcome;
    });
    if (verdict === undefined) return BUSY;
    if (verdict !== 'passed') return { reason: verdict, advice: ADVICE };
    rehearse(binding);
    return { binding };
  } catch (error) {
    return { reason: (error as Error).message, advice: ADVICE };
  }
}

/** What is in the way now, and may be gone later. */
function obstacle(): { reason: string; advice: string } | undefined {
  if (!isMainThread) {
    return { reason: 'a Worker can not fork its process', advice: 'fork in the main thread' };
  }
  if (workers.size > 0) {
    const count = workers.size === 1 ? 'a Worker is' : `${workers.size} Workers are`;
    return {
      reason: `${count} alive: a child would inherit the locks of a thread it lacks`,
      advice: `end it, ${FRESH_START}`,
    };
  }
  if (inspector.url() !== undefined) {
    return { reason: 'the inspector is open: its thread does not exist in a child', advice: 'call inspector.close()' };
  }
  return undefined;
}

function assess(): Outcome {
  const now = obstacle();
  if (now !== undefined) return now;
  if (loaded === undefined || 'reason' in loaded) return loaded ?? { reason: 'not the main thread', advice: ADVICE };
  // Busy threads are no verdict: it is tried again the next time.
  if (tried === undefined || tried === BUSY) tried = tryOut(loaded.binding);
  return tried;
}

/**
 * Whether start method 'fork' and posix.fork() can work in this process now, and if not, why and what to do. Blocks for
 * some 20 ms at the first call, which forks a trial child.
 */
export function forkSupport(): ForkSupport {
  const found = assess();
  if ('binding' in found) return { supported: true };
  return { supported: false, reason: found.reason, advice: found.advice };
}

/** The fork addon. @throws ERR_MP_START_METHOD with the reason and the remedy where fork can't work. */
export function requireFork(): ForkBinding {
  const found = assess();
  if ('binding' in found) return found.binding;
  throw refusal(found);
}

export function refusal({ reason, advice }: { reason: string; advice: string }): StartMethodError {
  return new StartMethodError(`fork is not possible here: ${reason}. Remedy: ${advice}`);
}
