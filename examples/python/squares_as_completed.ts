/** Ten futures on three workers, printed as they complete. */

import { asCompleted, importable, isMainProcess, ProcessPoolExecutor } from 'posix-multiprocessing';
import { nanosleep } from 'posix-multiprocessing/posix';
import { takeStartMethod } from './start_method.js';

export const { square } = importable(import.meta, {
  square: (n: number) => {
    nanosleep(10);
    return n * n;
  },
});

if (isMainProcess()) {
  takeStartMethod();
  const executor = new ProcessPoolExecutor({ maxWorkers: 3 });
  const futures = Array.from({ length: 10 }, (_, n) => executor.submit(square, n));
  for await (const completed of asCompleted(futures)) {
    if (completed.status === 'fulfilled') console.log(completed.value);
  }
  await executor.shutdown();
}
