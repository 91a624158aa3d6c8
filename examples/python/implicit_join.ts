/** Parent and child at the same time. Nobody joins the child: the program waits for it by itself. */

import { setTimeout as delay } from 'node:timers/promises';
import { importable, isMainProcess, Process } from 'posix-multiprocessing';
import { takeStartMethod } from './start_method.js';

export const { work } = importable(import.meta, {
  work: async (argument: number) => {
    console.log(`child start (${argument})`);
    await delay(20);
    console.log('child end');
  },
});

if (isMainProcess()) {
  takeStartMethod();
  console.log('parent start');
  await new Process({ target: work, args: [10] }).start();
  await delay(20);
  console.log('parent end');
}
