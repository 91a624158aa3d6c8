/** A hundred customers, a process each, dine at once: nothing limits them. */

import { setTimeout as delay } from 'node:timers/promises';
import { importable, isMainProcess, Process } from 'posix-multiprocessing';
import { takeStartMethod } from './start_method.js';

export const { dine } = importable(import.meta, {
  dine: async (customer: number) => {
    console.log(`customer ${customer} sits`);
    await delay(Math.random() * 20);
    console.log(`customer ${customer} leaves`);
  },
});

if (isMainProcess()) {
  takeStartMethod();
  for (let customer = 1; customer <= 100; customer += 1) await new Process({ target: dine, args: [customer] }).start();
}
