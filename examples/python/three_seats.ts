/** Ten customers and three seats: a Semaphore lets three in at a time. */

import { setTimeout as delay } from 'node:timers/promises';
import { importable, isMainProcess, Process, Semaphore } from 'posix-multiprocessing';
import { takeStartMethod } from './start_method.js';

export const { dine } = importable(import.meta, {
  dine: async (customer: number, seats: Semaphore) => {
    await seats.use(async () => {
      console.log(`customer ${customer} sits`);
      await delay(Math.random() * 20);
      console.log(`customer ${customer} leaves`);
    });
  },
});

if (isMainProcess()) {
  takeStartMethod();
  const seats = new Semaphore(3);
  const children = Array.from({ length: 10 }, (_, index) => new Process({ target: dine, args: [index + 1, seats] }));
  for (const child of children) await child.start();
  for (const child of children) await child.join();
}
