/** A child attaches to a named block of memory and writes into it; afterwards the name is gone. */

import { importable, isMainProcess, Process, SharedMemory } from 'posix-multiprocessing';
import { takeStartMethod } from './start_method.js';

export const { write } = importable(import.meta, {
  write: (name: string) => {
    using memory = SharedMemory.open(name);
    memory.bytes.set([1, 2, 3, 4, 5]);
  },
});

if (isMainProcess()) {
  takeStartMethod();
  const name = `example-${process.pid}`;
  using memory = SharedMemory.create({ name, size: 4096 });
  const child = await new Process({ target: write, args: [name] }).start();
  await child.join();
  console.log(memory.bytes.subarray(0, 10).join(' '));
  memory.unlink();
  try {
    SharedMemory.open(name).close();
  } catch (error) {
    console.log((error as NodeJS.ErrnoException).code);
  }
}
