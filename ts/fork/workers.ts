/** Workers that are alive: fork(2) would copy the memory of their threads in the middle of their work. */

import type { Worker } from 'node:worker_threads';
import { builtin } from '../internal/builtins.js';
import { instancesOf } from './internals.js';

const alive = new Set<Worker>();

function watch(worker: Worker): void {
  if (alive.has(worker)) return;
  alive.add(worker);
  worker.once('exit', () => alive.delete(worker));
}

process.on('worker', watch);

/** Finds those that were made before this module was loaded, or just now. Searches the heap: milliseconds. */
export function findWorkers(): void {
  for (const worker of instancesOf(builtin.workerThreads().Worker)) if (worker.threadId > 0) watch(worker);
}

/** How many are alive, and whether one of them runs the hooks that module.register() was given. */
export function countWorkers(): { count: number; hooks: boolean } {
  return { count: alive.size, hooks: [...alive].some((worker) => worker.constructor.name === 'InternalWorker') };
}
