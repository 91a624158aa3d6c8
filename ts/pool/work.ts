/** The life of a worker. */

import type { Assignment } from './protocol.js';
import { TaskLoop } from './task_loop.js';

/** Resolves when the pool lets the worker go, or its initializer failed. */
export async function work(assignment: Assignment): Promise<void> {
  // Ctrl-C is meant for the program, which decides what becomes of the tasks.
  process.on('SIGINT', () => {});
  await new TaskLoop(assignment).run();
}
