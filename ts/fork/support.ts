/** Whether fork can work in this process. Known before anything is forked, and the reason of every refusal. */

import { StartMethodError } from '../errors.js';
import { builtin } from '../internal/builtins.js';
import { isMainThread } from '../internal/main_thread.js';
import type { ForkBinding } from '../native/fork.js';
import { loadForkBinding, native } from '../native/load.js';
import { rehearse } from './child.js';
import { readTimerInternals } from './internals.js';
import { systemObstacle } from './kernel.js';
import { BUSY, PATIENCE, whileBusy } from './patience.js';
import { type Obstacle, threadObstacle, workerObstacle } from './threads.js';

/** Whether fork can work, else why it can't, and what to do. Python: none. */
export type ForkSupport = { supported: true } | { supported: false; reason: string; advice: string };

type Outcome = { binding: ForkBinding } | Obstacle;

const ADVICE = `posix-multiprocessing forks on Node 20, 22, 24 and 26 with glibc on Linux; this is ${process.version}`;

/** Loaded at import, not at the first fork: what the heap gets from here on is placed so that a fork costs half as much. */
const loaded: Outcome | undefined = isMainThread ? load() : undefined;

function load(): Outcome {
  try {
    const binding = loadForkBinding();
    native.adoptMemoryWith(binding.memoryAdopter());
    return { binding };
  } catch (error) {
    return { reason: (error as Error).message, advice: ADVICE };
  }
}

/** A verdict on this Node, for good: children inherit it. */
let verdict: Outcome | undefined;
let prepared = false;

/** What every fork needs, once. The reason when that can't be had. */
function prepare(binding: ForkBinding): Obstacle | undefined {
  if (prepared) return undefined;
  const refused = systemObstacle();
  if (refused !== undefined) return refused;
  try {
    readTimerInternals();
    const unfit = binding.prepare();
    if (unfit !== undefined) return { reason: unfit, advice: ADVICE };
    const { port1 } = new MessageChannel();
    binding.recognizeMessagePorts();
    port1.close();
    prepared = true;
    return undefined;
  } catch (error) {
    return { reason: (error as Error).message, advice: ADVICE };
  }
}

/** Trial children that may be killed by others before that is taken for a reason, not for a verdict. */
const TRIALS = 5;

/** Tries the addon with one child: some 20 ms. */
function tryOut(binding: ForkBinding): Outcome {
  for (let trials = 1; ; trials++) {
    const trial = whileBusy(() => {
      const answer = binding.trial(PATIENCE);
      return answer.outcome === 'busy' ? undefined : answer;
    });
    if (trial === undefined) return BUSY;
    if (trial.outcome === 'passed') {
      rehearse(binding);
      verdict = { binding };
      return verdict;
    }
    if (trial.outcome === 'failed') {
      verdict = { reason: trial.reason, advice: ADVICE };
      return verdict;
    }
    if (trials === TRIALS)
      return { reason: trial.reason, advice: 'try again when processes can be made and are let live' };
  }
}

/** What is in the way now, and may be gone later. */
function obstacle(): Obstacle | undefined {
  if (!isMainThread) {
    return { reason: 'a Worker can not fork its process', advice: 'fork in the main thread' };
  }
  const workers = workerObstacle();
  if (workers !== undefined) return workers;
  if (builtin.inspector().url() !== undefined) {
    return { reason: 'the inspector is open: its thread does not exist in a child', advice: 'call inspector.close()' };
  }
  return undefined;
}

function assess(): Outcome {
  const now = obstacle();
  if (now !== undefined) return now;
  if (loaded === undefined || 'reason' in loaded) return loaded ?? { reason: 'not the main thread', advice: ADVICE };
  verdict ??= prepare(loaded.binding);
  if (verdict !== undefined && 'reason' in verdict) return verdict;
  // Before the trial: a child would miss those threads, too.
  return threadObstacle(loaded.binding) ?? verdict ?? tryOut(loaded.binding);
}

/**
 * Whether start method 'fork' and posix.fork() can work in this process now, and if not, why and what to do. Blocks for
 * some 20 ms at the first call, which forks a trial child. Never throws.
 *
 * Python: none.
 */
export function forkSupport(): ForkSupport {
  const found = assess();
  if ('binding' in found) return { supported: true };
  return { supported: false, reason: found.reason, advice: found.advice };
}

/** The fork addon, ready, whether or not something is in the way of a fork now; undefined where there is none. */
export function preparedFork(): ForkBinding | undefined {
  if (loaded === undefined || 'reason' in loaded || prepare(loaded.binding) !== undefined) return undefined;
  return loaded.binding;
}

/** The fork addon. @throws ERR_MP_START_METHOD with the reason and the remedy where fork can't work. */
export function requireFork(): ForkBinding {
  const found = assess();
  if ('binding' in found) return found.binding;
  throw refusal(found);
}

export function refusal({ reason, advice }: Obstacle, options?: ErrorOptions): StartMethodError {
  return new StartMethodError(`fork is not possible here: ${reason}. Remedy: ${advice}`, options);
}

const EXHAUSTED: Readonly<Record<string, Obstacle>> = {
  EAGAIN: {
    reason: 'the limit of processes is reached (EAGAIN)',
    advice: 'end some, or raise RLIMIT_NPROC or the pids.max of the cgroup',
  },
  ENOMEM: {
    reason: 'the kernel has no memory for another process of this size (ENOMEM)',
    advice: 'start the processes before the data is loaded, or allow more memory or overcommit',
  },
};

/** A system call's error that means that there is no room for a process becomes a refusal; others stay what they are. */
export function refusalOf(error: unknown): unknown {
  const lack = EXHAUSTED[(error as NodeJS.ErrnoException).code ?? ''];
  return lack === undefined ? error : refusal(lack, { cause: error });
}
