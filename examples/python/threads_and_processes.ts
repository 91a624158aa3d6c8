/**
 * Five threads, then five processes, run the same function under a lock. Threads are those of node:worker_threads: they reach
 * the lock by its name, and must have ended before this process forks.
 */

import { once } from 'node:events';
import { writeSync } from 'node:fs';
import { isMainThread, Worker, workerData } from 'node:worker_threads';
import { importable, isMainProcess, Lock, Process } from 'posix-multiprocessing';
import { takeStartMethod } from './start_method.js';

export const { work } = importable(import.meta, {
  work: async (kind: string, lockName: string) => {
    using lock = new Lock({ name: lockName });
    // A thread's console.log() goes through the main thread; this goes out at once.
    await lock.use(() => writeSync(1, `${kind} ${process.pid}\n`));
  },
});

if (!isMainThread) {
  await work('thread', workerData);
} else if (isMainProcess()) {
  takeStartMethod();
  const name = `threads-and-processes-${process.pid}`;
  using lock = new Lock({ name });
  console.log(`main ${process.pid}`);

  const threads = Array.from({ length: 5 }, () => new Worker(new URL(import.meta.url), { workerData: name }));
  await Promise.all(threads.map((thread) => once(thread, 'exit')));

  const processes = Array.from({ length: 5 }, () => new Process({ target: work, args: ['process', name] }));
  for (const child of processes) await child.start();
  for (const child of processes) await child.join();
  lock.unlink();
}
