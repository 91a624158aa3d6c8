/**
 * Ten producers and ten consumers at a queue with room for three. The parent, which never puts, closes its side while they work,
 * and joins nobody: the program waits for its children by itself.
 */

import { importable, isMainProcess, Lock, Process, Queue } from 'posix-multiprocessing';
import { takeStartMethod } from './start_method.js';

export const { produce, consume } = importable(import.meta, {
  produce: async (queue: Queue<string>) => {
    await queue.put(`${process.pid}(put):${Date.now()}`);
  },
  consume: async (queue: Queue<string>, lock: Lock) => {
    const item = await queue.get();
    await lock.use(() => console.log(`${process.pid}(get):${item}`));
  },
});

if (isMainProcess()) {
  takeStartMethod();
  const queue = new Queue<string>(3);
  const lock = new Lock();
  for (let count = 0; count < 10; count += 1) await new Process({ target: produce, args: [queue] }).start();
  for (let count = 0; count < 10; count += 1) await new Process({ target: consume, args: [queue, lock] }).start();
  queue.close();
}
