/** A function in a child process: start, join. */

import { importable, isMainProcess, Process } from 'posix-multiprocessing';
import { takeStartMethod } from './start_method.js';

export const { run } = importable(import.meta, {
  run: (name: string) => console.log(`Run child process ${name} (${process.pid})...`),
});

if (isMainProcess()) {
  takeStartMethod();
  console.log(`Parent process ${process.pid}.`);
  const child = new Process({ target: run, args: ['test'] });
  console.log('Child process will start.');
  await child.start();
  await child.join();
  console.log('Child process end.');
}
