/**
 * A child attaches to a named block of memory and writes into it; afterwards the name is gone.
 *   node out/examples/sharing/segment.js
 */

import { Process, SharedMemory } from 'posix-multiprocessing';

const NAME = `example-${process.pid}`;

function write(name: string): void {
  using memory = SharedMemory.open(name);
  memory.bytes.set([1, 2, 3, 4, 5]);
}

using memory = SharedMemory.create({ name: NAME, size: 4096 });
const child = new Process({ target: write, args: [NAME] });
await child.start();
await child.join();
console.log(memory.bytes.subarray(0, 10).join(' '));
memory.unlink();

try {
  SharedMemory.open(NAME).close();
} catch (error) {
  console.log((error as NodeJS.ErrnoException).code);
}
