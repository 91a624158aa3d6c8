/** Five tasks on a pool of four: the fifth has to wait until one of the others has ended. */

import { Barrier, importable, isMainProcess, Pool } from 'posix-multiprocessing';
import { nanosleep } from 'posix-multiprocessing/posix';
import { takeStartMethod } from './start_method.js';

export const { longTimeTask } = importable(import.meta, {
  longTimeTask: async (name: number, allFour: Barrier | undefined) => {
    console.log(`Run task ${name} (${process.pid})...`);
    const begun = performance.now();
    await allFour?.wait(); // what the original gets by sleeping for long: the first four run at once
    nanosleep(Math.random() * 30);
    console.log(`Task ${name} runs ${((performance.now() - begun) / 1000).toFixed(2)} seconds.`);
  },
});

if (isMainProcess()) {
  takeStartMethod();
  console.log(`Parent process ${process.pid}.`);
  const pool = new Pool(4);
  const allFour = new Barrier(4);
  const tasks = [0, 1, 2, 3, 4].map((name) => pool.apply(longTimeTask, [name, name < 4 ? allFour : undefined]));
  console.log('Waiting for all subprocesses done...');
  pool.close();
  await pool.join();
  await Promise.all(tasks);
  console.log('All subprocesses done.');
}
