/** Five tasks on a pool of two: two workers, used again and again. */

import { Barrier, importable, isMainProcess, Pool } from 'posix-multiprocessing';
import { takeStartMethod } from './start_method.js';

export const { show } = importable(import.meta, {
  show: async (item: number, both: Barrier | undefined) => {
    await both?.wait(); // neither worker has the first two for itself
    console.log(`${process.pid} ${item}`);
  },
});

if (isMainProcess()) {
  takeStartMethod();
  const pool = new Pool(2);
  const both = new Barrier(2);
  const tasks = [0, 1, 2, 3, 4].map((item) => pool.apply(show, [item, item < 2 ? both : undefined]));
  pool.close();
  await pool.join();
  await Promise.all(tasks);
}
