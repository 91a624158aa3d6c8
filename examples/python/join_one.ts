/**
 * join() waits for its own child only. In the original p2 sleeps twice as long as p1; here it goes on when the main process has
 * said that it is at its end.
 */

import { setTimeout as delay } from 'node:timers/promises';
import { type Connection, importable, isMainProcess, Pipe, Process } from 'posix-multiprocessing';
import { takeStartMethod } from './start_method.js';

async function count(name: string, from: number, to: number): Promise<void> {
  for (let number = from; number <= to; number += 1) {
    console.log(`${name}: ${number}`);
    await delay(5);
  }
}

export const { three, six } = importable(import.meta, {
  three: async () => {
    await count('p1', 1, 3);
    console.log('p1 end');
  },
  six: async (mainIsAtItsEnd: Connection) => {
    await count('p2', 1, 3);
    await mainIsAtItsEnd.recv();
    await count('p2', 4, 6);
    console.log('p2 end');
  },
});

if (isMainProcess()) {
  takeStartMethod();
  const [word, say] = Pipe({ duplex: false });
  const p1 = await new Process({ target: three }).start();
  await new Process({ target: six, args: [word] }).start();
  await p1.join();
  console.log('main end');
  await say.send('main is at its end');
}
