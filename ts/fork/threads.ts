/**
 * The threads of this process that a forked child would lack. Node's own are taken care of; Workers, profilers and the like
 * are a reason to refuse; for those of native addons there is a warning, once.
 */

import fs from 'node:fs';
import { nodeFlags } from '../internal/node_flags.js';
import { perProcess } from '../internal/per_process.js';
import type { ForkBinding } from '../native/fork.js';
import { BUSY, PATIENCE, whileBusy } from './patience.js';
import { countWorkers, findWorkers } from './workers.js';

export interface Obstacle {
  readonly reason: string;
  readonly advice: string;
}

interface Thread {
  readonly id: number;
  readonly name: string;
}

/** Names that Node, libuv, V8 and this library give; Node 20 and 22 leave some threads without. */
const KNOWN: ReadonlySet<string> = new Set([
  'DelayedTaskSche',
  'SignalInspector',
  'V8Worker',
  'node-V8Worker',
  'libuv-worker',
  'mp-v8-tasks',
  'mp-helper',
]);
const PROFILER = 'v8:ProfEvntProc';
const TASKS = '/proc/self/task';

/** Milliseconds that libuv's pool may take to tell which threads it has. */
const IO_PATIENCE = 10;

interface Inspection {
  /** The threads that there were when nothing was in the way: as many others may have come in their place. */
  threads: string;
  /** Threads of other code that are known, and warned about. */
  readonly foreign: Set<number>;
  /** The process that the user started has threads of Node's that nobody can ask for their ids. */
  readonly original: boolean;
}

const inspected = perProcess<Inspection>(
  () => ({ threads: '', foreign: new Set(), original: true }),
  () => ({ threads: '', foreign: new Set(), original: false }),
);

/** What is in the way of a fork. Blocks for microseconds when there are no new threads. */
export function threadObstacle(binding: ForkBinding): Obstacle | undefined {
  const state = inspected.value;
  const threads = threadIds().join();
  if (threads === state.threads) return undefined;
  const tasks = whileBusy(() => binding.taskThreads(PATIENCE));
  if (tasks === undefined) return BUSY;
  const { unknown, foreign } = unknownThreads(binding, tasks, state);
  if (unknown.length > 0) {
    const obstacle = explain(unknown);
    if (obstacle !== undefined) return obstacle;
    for (const { id } of foreign) state.foreign.add(id);
    if (foreign.length > 0) warn(foreign);
  }
  state.threads = threads;
  return undefined;
}

/** None without /proc. */
function threadIds(): number[] {
  try {
    return fs.readdirSync(TASKS).map(Number);
  } catch {
    return [];
  }
}

function listThreads(ids: readonly number[] = threadIds()): Thread[] {
  const threads: Thread[] = [];
  for (const id of ids) {
    try {
      threads.push({ id, name: fs.readFileSync(`${TASKS}/${id}/comm`, 'utf8').trimEnd() });
    } catch {
      // It has ended since.
    }
  }
  return threads.sort((a, b) => a.id - b.id);
}

/** How many threads of Node's own have no name: of delayed tasks (before Node 22), and of SIGUSR1 (before Node 24). */
function namelessThreads(): number {
  const major = Number.parseInt(process.versions.node, 10);
  if (major >= 24) return 0;
  return (major < 22 ? 1 : 0) + (nodeFlags().includes('--disable-sigusr1') ? 0 : 1);
}

interface Unknown {
  /** Not known to be Node's; libuv's may be among them, while they are too busy to tell their ids. */
  readonly unknown: readonly Thread[];
  /** Those that are certainly not Node's. */
  readonly foreign: readonly Thread[];
}

function unknownThreads(binding: ForkBinding, tasks: readonly number[], state: Inspection): Unknown {
  const all = listThreads();
  const known = new Set([process.pid, ...state.foreign, ...tasks]);
  const unknown = all.filter(({ id, name }) => !known.has(id) && !KNOWN.has(name));
  // They are the first that Node starts.
  if (state.original) unknown.splice(0, namelessThreads());
  // libuv names its threads from 1.50 on (Node 22): asking for them starts those that are not there yet.
  if (unknown.length === 0) return { unknown, foreign: [] };
  const named = all.some(({ name }) => name === 'libuv-worker');
  const io = named ? [] : binding.ioThreads(IO_PATIENCE);
  // Looked at twice: a thread has its name a moment after its birth.
  const left = listThreads(unknown.map(({ id }) => id)).filter(
    ({ id, name }) => io?.includes(id) !== true && !KNOWN.has(name),
  );
  return { unknown: left, foreign: io === undefined ? [] : left };
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
  // Not imported: in a Worker it can't be.
  if (process.getBuiltinModule('node:trace_events').getEnabledCategories() !== undefined) {
    return {
      reason: 'trace events are on: the thread that writes them does not exist in a child',
      advice: 'call disable() of the tracing, or leave --trace-event-categories out',
    };
  }
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
