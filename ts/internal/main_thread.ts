/** Whether this is the main thread of its process, told without node:worker_threads, which takes milliseconds to load. */

import { readlinkSync } from 'node:fs';
import { builtin } from './builtins.js';

function find(): boolean {
  try {
    const [pid, , thread] = readlinkSync('/proc/thread-self').split('/'); // '4242/task/4242', proc(5)
    return pid === thread;
  } catch {
    return builtin.workerThreads().isMainThread;
  }
}

/** False in a Worker. */
export const isMainThread: boolean = find();
