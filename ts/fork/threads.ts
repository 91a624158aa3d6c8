/**
 * The threads of this process that a forked child would lack. Node's own are taken care of; Workers, profilers and the like
 * are a reason to refuse; for those of native addons there is a warning, once.
 */

import { nodeFlags } from '../internal/node_flags.js';
import { perProcess } from '../internal/per_process.js';
import type { ForkBinding } from '../native/fork.js';
import { BUSY, PATIENCE, whileBusy } from './patience.js';
import { listThreads, type Thread, threadIds } from './thread_list.js';
import { countWorkers, findWorkers } from './workers.js';

export interface Obstacle {
  readonly reason: string;
  readonly advice: string;
}

/** Names that Node, libuv, V8 and this library give; Node 20 and 22 leave some threads without. */
const KNOWN: ReadonlySet<string> = new Set([
  'DelayedTaskSche',
  'SignalInspector',
  'V8Worker',
  'node-V8Worker',
  'libuv-worker', // from libuv 1.50 on (Node 22)
  'mp-v8-tasks',
  'mp-helper',
]);
/** Of the kernel's, for this process's rings (io_uring(7)): a child's rings have their own. */
const KERNEL = /^iou-(sqp|wrk)-\d+$/;
const PROFILER = 'v8:ProfEvntProc';

const isKnown = (name: string): boolean => KNOWN.has(name) || KERNEL.test(name);

/** Milliseconds that libuv's pool may take to tell which threads it has. */
const IO_PATIENCE = 10;

interface Inspection {
  /** The threads that there were when nothing was in the way: as many others may have come in their place. */
  threads: string;
  /** Those among which nothing was found that forbids a fork, whosever they are. */
  explained: string;
  /** Threads of other code that are known, and warned about. */
  readonly foreign: Set<number>;
  /** The process that the user started has threads of Node's that nobody can ask for their ids. */
  readonly original: boolean;
}

const inspected = perProcess<Inspection>(
  () => ({ threads: '', explained: '', foreign: new Set(), original: true }),
  () => ({ threads: '', explained: '', foreign: new Set(), original: false }),
);

/** What is in the way of a fork. Blocks for microseconds when there are no new threads. */
export function threadObstacle(binding: ForkBinding): Obstacle | undefined {
  const state = inspected.value;
  const threads = threadIds().join();
  // The thread that writes trace events stays when they are turned off.
  const traced = state.foreign.size > 0 ? tracing() : undefined;
  if (traced !== undefined || threads === state.threads) return traced;
  const tasks = whileBusy(() => binding.taskThreads(PATIENCE));
  if (tasks === undefined) return BUSY;
  const unknown = unknownThreads(tasks, state);
  // Of libuv's pool, which is started if need be; undefined while it is busy. Some may not have got their name yet.
  const io = unknown.size > 0 ? binding.ioThreads(IO_PATIENCE) : [];
  // Looked at twice: a thread has its name a moment after its birth.
  const strange = listThreads().filter(
    ({ id, name }) => unknown.has(id) && io?.includes(id) !== true && !isKnown(name),
  );
  const obstacle = strange.length > 0 && threads !== state.explained ? explain(strange) : undefined;
  if (obstacle !== undefined) return obstacle;
  state.explained = threads;
  // When libuv's pool is too busy to tell, they may well be its own.
  if (io === undefined) return undefined;
  for (const { id } of strange) state.foreign.add(id);
  if (strange.length > 0) warn(strange);
  state.threads = threads;
  return undefined;
}

/** How many threads of Node's own have no name: of delayed tasks (before Node 22), and of SIGUSR1 (before Node 24). */
function namelessThreads(): number {
  const major = Number.parseInt(process.versions.node, 10);
  if (major >= 24) return 0;
  return (major < 22 ? 1 : 0) + (nodeFlags().includes('--disable-sigusr1') ? 0 : 1);
}

/** By their ids. */
function unknownThreads(tasks: readonly number[], { foreign, original }: Inspection): Set<number> {
  const known = new Set([process.pid, ...foreign, ...tasks]);
  const unknown = listThreads().filter(({ id, name }) => !known.has(id) && !isKnown(name));
  // They are the first that Node starts.
  if (original) unknown.splice(0, namelessThreads());
  return new Set(unknown.map(({ id }) => id));
}

/** Workers whose life this library has noticed. */
export function workerObstacle(): Obstacle | undefined {
  const { count, hooks } = countWorkers();
  if (count === 0) return undefined;
  if (hooks) {
    return {
      reason: "a thread runs the module loader's hooks: a child would inherit its locks without it",
      advice:
        'use module.registerHooks(), whose hooks run in the main thread, instead of module.register() or --loader',
    };
  }
  return {
    reason: `${count === 1 ? 'a Worker is' : `${count} Workers are`} alive: a child would inherit the locks of a thread it lacks`,
    advice: 'end it, start the processes first, or use a process that never had Workers',
  };
}

/** Why unknown threads forbid a fork, if they do. */
function explain(unknown: readonly Thread[]): Obstacle | undefined {
  if (unknown.some(({ name }) => name === PROFILER)) {
    return {
      reason: 'a CPU profile is being taken: the thread that takes it does not exist in a child',
      advice: 'stop the profile before the fork, or leave --cpu-prof out and profile in the child',
    };
  }
  const traced = tracing();
  if (traced !== undefined) return traced;
  findWorkers();
  const workers = workerObstacle();
  if (workers !== undefined) return workers;
  if (/\(node:vm:/.test(wholeStack())) {
    return {
      reason: 'code runs in node:vm with a time limit: the thread that watches it does not exist in a child',
      advice: 'fork outside of that code',
    };
  }
  return undefined;
}

function tracing(): Obstacle | undefined {
  // Not imported: in a Worker it can't be.
  if (process.getBuiltinModule('node:trace_events').getEnabledCategories() === undefined) return undefined;
  return {
    reason: 'trace events are on: the thread that writes them does not exist in a child',
    advice: 'call disable() of the tracing, or leave --trace-event-categories out',
  };
}

function wholeStack(): string {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = Number.POSITIVE_INFINITY;
  const { stack = '' } = new Error('where this is called from');
  Error.stackTraceLimit = stackTraceLimit;
  return stack;
}

function warn(threads: readonly Thread[]): void {
  const names = [...new Set(threads.map(({ name }) => `'${name}'`))].join(', ');
  process.emitWarning(
    `${threads.length} threads that are not Node's own (${names}) will not exist in forked children`,
    {
      type: 'ForkWarning',
      code: 'MP_FOREIGN_THREADS',
      detail:
        'A native addon has started them. What they hold locked at the moment of a fork stays locked in the child: fork before ' +
        'the addon is used, or do not use it in children.',
    },
  );
}
