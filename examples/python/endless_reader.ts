/** A writer and a reader that would read for ever: the writer is joined, the reader terminated. */

import { setTimeout as delay } from 'node:timers/promises';
import { importable, isMainProcess, Process, Queue } from 'posix-multiprocessing';
import { takeStartMethod } from './start_method.js';

export const { write, read } = importable(import.meta, {
  write: async (queue: Queue<string>) => {
    for (const value of ['A', 'B', 'C']) {
      console.log(`Put ${value} to queue...`);
      await queue.put(value);
      await delay(Math.random() * 30);
    }
  },
  read: async (queue: Queue<string>) => {
    for (;;) console.log(`Get ${await queue.get()} from queue.`);
  },
});

if (isMainProcess()) {
  takeStartMethod();
  const queue = new Queue<string>();
  const writer = await new Process({ target: write, args: [queue] }).start();
  const reader = await new Process({ target: read, args: [queue] }).start();
  await writer.join();
  reader.terminate();
  await reader.join();
  console.log(`reader's exit code: ${reader.exitCode}`);
}
