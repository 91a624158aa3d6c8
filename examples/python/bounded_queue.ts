/** A queue with room for four: the writer ends though nobody may have read yet, and the reader is terminated at some point. */

import { importable, isMainProcess, Process, Queue } from 'posix-multiprocessing';
import { takeStartMethod } from './start_method.js';

export const { write, read } = importable(import.meta, {
  write: async (queue: Queue<string>) => {
    for (const value of ['A', 'B', 'C', 'D']) {
      console.log(`put ${value}`);
      await queue.put(value);
    }
  },
  read: async (queue: Queue<string>) => {
    for (;;) console.log(`get ${await queue.get()}`);
  },
});

if (isMainProcess()) {
  takeStartMethod();
  const queue = new Queue<string>(4);
  const writer = await new Process({ target: write, args: [queue] }).start();
  const reader = await new Process({ target: read, args: [queue] }).start();
  await writer.join();
  reader.terminate();
  await reader.join();
}
