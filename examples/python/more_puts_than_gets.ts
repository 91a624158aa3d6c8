/** Three producers, two consumers: what is left in the queue keeps nobody from ending. */

import { importable, isMainProcess, Process, Queue } from 'posix-multiprocessing';
import { takeStartMethod } from './start_method.js';

export const { produce, consume } = importable(import.meta, {
  produce: async (queue: Queue<number>, number: number) => {
    console.log(`put ${number}`);
    await queue.put(number);
  },
  consume: async (queue: Queue<number>) => {
    console.log(`get ${await queue.get()}`);
  },
});

if (isMainProcess()) {
  takeStartMethod();
  const queue = new Queue<number>(5);
  const producers = [1, 2, 3].map((number) => new Process({ target: produce, args: [queue, number] }));
  const consumers = [1, 2].map(() => new Process({ target: consume, args: [queue] }));
  for (const child of [...producers, ...consumers]) await child.start();
  for (const child of [...producers, ...consumers]) await child.join();
}
